"""Where the command line writes: standard output, or a file whole or not at all."""

import errno
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from ecg_edge.errors import EcgEdgeError


def write(pieces: Iterator[str], output: Path | None) -> None:
    """Write text piece by piece, each at once; one line on standard error and exit status 1 where that fails.

    Args:
        pieces: The text.
        output: A file, which is written whole or not at all; standard output if none is given.
    """
    try:
        with _standard_output() if output is None else _opened(output) as file:
            for piece in pieces:
                file.write(piece)
                file.flush()
    except OSError as error:
        if isinstance(error, EcgEdgeError) or error.errno == errno.EPIPE:
            raise
        click.echo(f"error: cannot write {output or 'to standard output'}: {error.strerror}", err=True)
        sys.exit(1)


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
    beside = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it must outlive this block to be renamed
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    )
    try:
        with beside:
            yield beside.file
        Path(beside.name).chmod(mode)
        Path(beside.name).replace(path)
    except BaseException:
        Path(beside.name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
