"""Writes the answers to standard output, or to a file that appears only when it is complete."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import click

from ecg_edge.cli.unfinished import UnfinishedFiles
from ecg_edge.errors import EcgEdgeError


def write(pieces: Iterator[str], output: Path | None, unfinished: UnfinishedFiles | None = None) -> None:
    """Write to a file, completely or not at all, or to standard output.

    Args:
        pieces: Text, written as it comes.
        output: The file; None for standard output.
        unfinished: Learns of a temporary file, so that a signal can remove it.
    """
    try:
        with _standard_output() if output is None else _open(output, unfinished or UnfinishedFiles()) as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        if isinstance(error, EcgEdgeError) or error.errno == errno.EPIPE:
            raise
        click.echo(f"error: cannot write {output or 'to standard output'}: {error.strerror}", err=True)
        sys.exit(1)


@contextmanager
def _standard_output() -> Iterator[IO[str]]:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A record name with a letter that the terminal cannot show must not end the run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError:
        # The rest of the buffer must not fail a second time when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


@contextmanager
def _open(path: Path, unfinished: UnfinishedFiles) -> Iterator[IO[str]]:
    """Open a file for writing; it replaces `path` only when it is complete."""
    path = path.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe is written in place
        with path.open("w", encoding="utf-8") as file:
            yield file
        return
    mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
    beside = path.with_name(f".ecg-edge-{os.urandom(8).hex()}")
    with unfinished.add(beside):
        with open(_create(beside), "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _name(file.fileno(), beside)
        beside.chmod(mode)
        beside.replace(path)


def _create(path: Path) -> int:
    """Create a file, without a name if the system can: it then vanishes with the process, however that ends."""
    if Path("/proc/self/fd").is_dir():
        with suppress(AttributeError, OSError):
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)


def _name(descriptor: int, path: Path) -> None:
    if not path.exists():
        # Without src_dir_fd, which an absolute path does not use, os.link would link the symbolic link itself.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=0)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
