"""One hostile file: how to write it and what the answer must be."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PASSED_OVER = "skipped: not a recording by its name and content"


@dataclass(frozen=True, slots=True)
class Case:
    """One or more files in their own folder."""

    name: str
    write: Callable[[Path], object]
    """Called with the folder."""
    why: str = ""
    """Pattern that the error must match; blank if the file is harmless and must be answered."""


def of_bytes(name: str, content: bytes, why: str = "", file: str = "a.npy") -> Case:
    """Make a case of a file's content."""
    return Case(name, lambda folder: (folder / file).write_bytes(content), why)
