"""Refuses an output that would overwrite what the run reads."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ecg_edge.cli.output import fail
from ecg_edge.errors import UnreadableError

_LONGEST_HEADER = 2**20


def refuse_overwriting(output: Path | None, inputs: Iterable[str | Path]) -> None:
    """Exit with status 2 if the output is a file that the run reads, also through links.

    Args:
        output: The file that would be written; None for standard output, which may be appended to a file.
        inputs: Sources of the records, and other files that are read; "-" is standard input.
    """
    written = _identify(output if output is not None else _number(sys.stdout))
    if written is None:
        return
    for source in inputs:
        for file in _list_files(source):
            if _identify(file) == written:
                fail(f"the output {output or 'file'} is also an input ({file}); choose another output", 2)


def _list_files(source: str | Path) -> Iterator[Path | int | str]:
    """Yield the files that a source is read from: itself, its archive, the signal files of a WFDB header."""
    if source == "-":
        number = _number(sys.stdin)
        if number is not None:
            yield number
        return
    path = Path(source)
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    yield path
    if path.suffix.lower() == ".npy":
        yield from _list_sidecars(path)
    if path.suffix.lower() == ".hea":
        with suppress(OSError), path.open("rb") as header:
            words = os.fsdecode(header.read(_LONGEST_HEADER)).split()
            yield from (path.resolve().parent / word for word in dict.fromkeys(words))


def _list_sidecars(path: Path) -> Iterator[Path]:
    """Yield the file that states what an .npy is; other files of its name may be overwritten."""
    from ecg_edge.recording.sidecar import MOST_BYTES, parse_sidecar

    beside = path.with_suffix(".json")
    with suppress(OSError):
        try:
            with beside.open("rb") as file:
                found = parse_sidecar(file.read(MOST_BYTES + 1), str(beside))
        except UnreadableError:
            yield beside  # it is damaged, and a part of the input all the same
        else:
            if found is not None:
                yield beside


def _number(stream: object) -> int | None:
    with suppress(OSError, AttributeError):
        return int(stream.fileno())  # type: ignore[attr-defined]
    return None


def _identify(file: Path | int | str | None) -> tuple[int, int] | None:
    """Return device and number of a regular file, or None."""
    if file is None:
        return None
    try:
        status = os.stat(file)  # noqa: PTH116 - takes a descriptor, too
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
