"""The process of `ecg-edge` or `python -m ecg_edge`: how it starts and how it ends."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from types import FrameType

from ecg_edge.cli.unfinished import UnfinishedFiles

_SHOW_CURSOR = b"\033[?25h\n"


def main() -> None:
    """Run the command line."""
    _replace_closed_streams()
    # The records are answered side by side; more threads for each matrix product would cost memory and gain nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    unfinished = UnfinishedFiles()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that the parent ignores, as nohup does, stays ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, partial(_end, unfinished))
    try:
        from ecg_edge.cli.app import main as command_line

        try:
            command_line(prog_name="ecg-edge", obj=unfinished)
        except SystemExit as end:
            _leave(end)
    except (ImportError, MemoryError, RuntimeError, SystemError) as error:
        if isinstance(error, RuntimeError) and "thread" not in str(error):
            raise
        # Python's own words are about segments of shared objects, or threads that cannot be started. An import that
        # runs out of memory may end in a SystemError.
        sys.exit(f"error: there is not enough memory, or a library is broken: {' '.join(str(error).split())}")
    except OSError as error:
        _discard_output()
        sys.exit(f"error: {error.strerror or error}")


def _leave(end: SystemExit) -> None:
    """End right after the exit handlers: tearing down the interpreter and the sessions takes longer than an answer.

    Raises:
        SystemExit: Its code is a message, or a profiler, a debugger or `python -i` is active.
        OSError: Standard output cannot be written.
    """
    if isinstance(end.code, str) or sys.flags.interactive or _is_watched():
        raise end
    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to run them without the rest of the end
    sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(int(end.code or 0))


def _is_watched() -> bool:
    """Return whether a profiler, a debugger or a coverage tool is active."""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = () if monitoring is None else (monitoring.get_tool(number) for number in range(6))
    return any((sys.getprofile(), sys.gettrace(), *tools))


def _replace_closed_streams() -> None:
    """Open the null device for closed standard streams, so that no file gets their numbers and is written into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Writing to a closed standard output must fail; messages to a closed standard error may be lost.
            descriptor = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
            if number:
                setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _discard_output() -> None:
    # The rest of the buffer must not fail a second time when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(unfinished: UnfinishedFiles, number: int, _frame: FrameType | None) -> None:
    """End at once without unfinished files; do not wait for threads that answer a long recording."""
    signal.signal(number, signal.SIG_DFL)  # a second signal must not wait for the reader of standard output
    unfinished.discard()
    with suppress(Exception):
        sys.stdout.flush()
    with suppress(Exception):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _SHOW_CURSOR)  # the progress bar hides it
    os._exit(128 + number)


if __name__ == "__main__":
    main()
