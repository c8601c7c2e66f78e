"""The formats: each module of this package that has SUFFIXES is one."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ecg_edge.readers import npy
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.record_file import RecordFile
from ecg_edge.recording import Recording

HEAD = 8192
"""Bytes of a file's beginning that a format is recognised by."""


class Format(Protocol):
    """What the module of a format offers."""

    SUFFIXES: tuple[str, ...]
    """Lower-case endings of its files' names."""
    SUFFIX_PROVES_NOTHING: bool
    """Whether files of these suffixes are often something else: then folders pass over what is not recognised."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Return whether a file of this name that begins so is of the format."""

    def records(self, path: Path, declared: Declared) -> Iterator[RecordFile]:
        """Yield the recordings of a file."""


class EntryFormat(Format, Protocol):
    """A format of single files, which an archive may hold too."""

    def parse(self, content: bytes, name: str, source: str, declared: Declared) -> Recording:
        """Read a recording from the bytes of a file."""


def formats() -> Iterator[Format]:
    """Yield all formats, .npy first; each is found and imported when its turn comes: an .npy waits for no other."""
    yield cast("Format", npy)
    for module in map(import_module, _modules()):
        if hasattr(module, "SUFFIXES") and module is not npy:
            yield cast("Format", module)


@cache
def _modules() -> tuple[str, ...]:
    from pkgutil import iter_modules

    package = __name__.rpartition(".")[0]
    return tuple(sorted(f"{package}.{each.name}" for each in iter_modules([str(Path(__file__).parent)])))


def entry_formats() -> tuple[EntryFormat, ...]:
    """Return the formats that an archive may hold."""
    return tuple(cast("EntryFormat", each) for each in formats() if hasattr(each, "parse"))


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats."""
    return tuple(sorted(suffix for each in formats() for suffix in each.SUFFIXES))


def recognised(head: bytes, name: str) -> Format | None:
    """Return the format of a file of this name that begins so; None if it is of no known one."""
    return next((each for each in formats() if each.recognises(head, name)), None)


def named(name: str) -> Format | None:
    """Return the format that a file's name promises."""
    return next((each for each in formats() if name.lower().endswith(each.SUFFIXES)), None)
