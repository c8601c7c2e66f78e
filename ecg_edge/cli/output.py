"""Writes the answers to standard output, or to a file that appears only when it is complete."""

import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NoReturn

import click

from ecg_edge.cli.unfinished import UnfinishedFiles
from ecg_edge.cli.whole_file import CANNOT_REPLACE, open_whole_file
from ecg_edge.errors import EcgEdgeError
from ecg_edge.wording import printable

_MOST_LINKS = 40


def fail(message: str, status: int = 1) -> NoReturn:
    """Print a message in one line and exit."""
    click.echo(f"error: {printable(message)}", err=True)
    sys.exit(status)


def write(
    pieces: Iterator[str],
    output: Path | None,
    unfinished: UnfinishedFiles | None = None,
    *,
    encoding: str | None = "utf-8",
) -> None:
    """Write to a file, completely or not at all, or to standard output.

    What cannot be replaced as a whole is written in place. An output that cannot be opened ends the program before the
    first piece is asked for.

    Args:
        pieces: Text, written as it comes.
        output: The file; None for standard output.
        unfinished: Learns of a temporary file, so that a signal can remove it.
        encoding: Of standard output; None keeps its own. Files are UTF-8.
    """
    with end_on_write_errors(output), open_output(output, unfinished or UnfinishedFiles(), encoding) as file:
        for piece in pieces:
            file.write(piece)


def write_bytes(make: Callable[[], bytes], output: Path | None, unfinished: UnfinishedFiles | None = None) -> None:
    """Write to a file, completely or not at all, or to standard output, as `write` does.

    Args:
        make: Returns the content; called when the output is open.
        output: The file; None for standard output.
        unfinished: Learns of a temporary file, so that a signal can remove it.
    """
    with end_on_write_errors(output), open_output(output, unfinished or UnfinishedFiles(), "utf-8") as file:
        content = make()
        file.flush()
        # Standard output may be replaced by one without bytes beneath.
        binary = getattr(file, "buffer", None)
        if binary is None:
            file.write(content.decode("utf-8", "backslashreplace"))
        else:
            binary.write(content)
            binary.flush()


@contextmanager
def end_on_write_errors(output: Path | None) -> Iterator[None]:
    """Print in one line why an output cannot be written, and exit."""
    try:
        yield
    except OSError as error:
        if isinstance(error, EcgEdgeError) or error.errno == errno.EPIPE:
            raise
        fail(f"cannot write {output or 'to standard output'}: {error.strerror}")


@contextmanager
def open_output(output: Path | None, unfinished: UnfinishedFiles, encoding: str | None) -> Iterator[IO[str]]:
    """Open the output in the way that suits what it is.

    Raises:
        OSError: It cannot be opened or written.
    """
    with ExitStack() as stack:
        if output is None:
            yield stack.enter_context(_open_standard_output(encoding))
        elif (descriptor := _find_descriptor(output)) is not None:
            os.write(descriptor, b"")  # fails if the descriptor is closed or only for reading
            yield stack.enter_context(_wrap(os.dup(descriptor)))
        elif is_special(output):
            yield stack.enter_context(_open_in_place(output))
        else:
            yield _open_file(output.resolve(), unfinished, stack)


def _open_file(target: Path, unfinished: UnfinishedFiles, stack: ExitStack) -> IO[str]:
    """Open a regular file, to be replaced as a whole or, if that is impossible, to be overwritten in place."""

    def tell(error: OSError) -> None:
        click.echo(
            f"note: {printable(str(target))} cannot be replaced ({error.strerror}), so it is overwritten in place; "
            "if the run stops before its end, the file is incomplete",
            err=True,
        )

    try:
        _refuse_mount(target)
        return stack.enter_context(open_whole_file(target, unfinished, tell))
    except OSError as error:
        if error.errno not in CANNOT_REPLACE or not os.access(target, os.W_OK):
            raise
        file = stack.enter_context(_open_in_place(target))
        tell(error)
        return file


def _open_in_place(path: Path) -> IO[str]:
    return _wrap(os.open(path, os.O_WRONLY | os.O_TRUNC))


def _wrap(descriptor: int) -> IO[str]:
    # Who reads a pipe wants each line when it is finished.
    return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", newline="\n")


@contextmanager
def _open_standard_output(encoding: str | None) -> Iterator[IO[str]]:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A record name with a letter that the terminal cannot show must not end the run.
        sys.stdout.reconfigure(encoding=encoding or sys.stdout.encoding, errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError:
        # The rest of the buffer must not fail a second time when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _find_descriptor(path: Path) -> int | None:
    """Return the number of the open file that a name such as /dev/stdout or /dev/fd/63 stands for, if it does.

    Opening such a name again would start at the beginning of a file, and replacing it would leave the open file behind.
    """
    homes = {os.path.realpath("/proc/self/fd"), os.path.realpath("/dev/fd")}
    for _ in range(_MOST_LINKS):
        if path.name.isdecimal() and os.path.realpath(path.parent) in homes:
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def is_special(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a folder, which nothing can replace."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _refuse_mount(path: Path) -> None:
    """Raise OSError if a file is itself a mount point, as a single file that is shared with a container is."""
    name = os.fsencode(path)
    for special in (b"\\", b" ", b"\t", b"\n"):
        name = name.replace(special, b"\\%03o" % special[0])
    try:
        mounts = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return
    if any(mount.split(b" ")[4] == name for mount in mounts):
        raise OSError(errno.EBUSY, "it is a mount of its own")
