"""The process that is `ecg-edge`, or `python -m ecg_edge`: how it starts and how it is ended."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

_SHOW_CURSOR = b"\033[?25h\n"


def main() -> None:
    """Run the command line."""
    _replace_closed_streams()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What was set to be ignored, as nohup does, stays so.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from ecg_edge.cli.run import main as command_line

    try:
        try:
            command_line(prog_name="ecg-edge")
        except SystemExit as end:
            _leave(end)
    except OSError as error:
        _say_no_more()
        sys.exit(f"error: {error.strerror or error}")


def _leave(end: SystemExit) -> None:
    """End once the exit handlers have run: to take interpreter and sessions down takes longer than an answer.

    Raises:
        SystemExit: It says more than a number, or a profiler, a debugger or `python -i` has something left to do.
        OSError: What was printed cannot be written.
    """
    if isinstance(end.code, str) or sys.flags.interactive or _is_watched():
        raise end
    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to run them without the rest of the end
    sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(int(end.code or 0))


def _is_watched() -> bool:
    """Return whether a profiler, a debugger or a measure of coverage is at work."""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = () if monitoring is None else (monitoring.get_tool(number) for number in range(6))
    return any((sys.getprofile(), sys.gettrace(), *tools))


def _replace_closed_streams() -> None:
    """Keep files from being opened under the numbers of closed standard streams, where they would be written into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Standard output that is closed must fail when it is written to; messages may be lost.
            descriptor = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
            if number:
                setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _say_no_more() -> None:
    # What is still in the buffer must not fail a second time when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(number: int, _frame: FrameType | None) -> None:
    """End at once, leaving nothing half done: threads in the middle of a day-long recording are not waited for."""
    signal.signal(number, signal.SIG_DFL)  # a second one must not wait for a reader of what is printed
    output = sys.modules.get("ecg_edge.cli.output")
    if output is not None:
        output.discard_unfinished()
    with suppress(Exception):
        sys.stdout.flush()
    with suppress(Exception):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _SHOW_CURSOR)  # the progress bar hides it
    os._exit(128 + number)


if __name__ == "__main__":
    main()
