"""Where the answers go: standard output, or a file that is whole or not there."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import click

from ecg_edge.errors import EcgEdgeError

# Files with a name that are not finished: what a signal must take away.
_unfinished: set[Path] = set()


def write(pieces: Iterator[str], output: Path | None) -> None:
    """Write to a file, whole or not at all, or to standard output where none is given."""
    try:
        with _standard_output() if output is None else _opened(output) as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        if isinstance(error, EcgEdgeError) or error.errno == errno.EPIPE:
            raise
        click.echo(f"error: cannot write {output or 'to standard output'}: {error.strerror}", err=True)
        sys.exit(1)


def discard_unfinished() -> None:
    """Remove what is not finished; for a process that is about to end at once."""
    for path in tuple(_unfinished):
        with suppress(OSError):
            path.unlink()


@contextmanager
def _standard_output() -> Iterator[IO[str]]:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name must not end the run because the terminal's encoding lacks a letter of it.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError:
        # What is still in the buffer must not fail a second time when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """Open a file for writing that takes the place of `path` only when all of it is written."""
    path = path.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe keeps its place
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
    beside = path.with_name(f".ecg-edge-{os.urandom(8).hex()}")
    _unfinished.add(beside)
    try:
        with open(_created(beside), "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _name(file.fileno(), beside)
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
        _unfinished.discard(beside)


def _created(path: Path) -> int:
    """Create a file: where the system can, one without a name, which vanishes with the process however that ends."""
    if Path("/proc/self/fd").is_dir():
        with suppress(AttributeError, OSError):
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)


def _name(descriptor: int, path: Path) -> None:
    if not path.exists():
        # Without a folder's descriptor, which an absolute path leaves unused, the link itself would be linked.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=0)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
