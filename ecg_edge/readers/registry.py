"""The input formats: one module each in `ecg_edge.readers.formats`, listed here."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ecg_edge.readers.declared import Declared
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

_PACKAGE = "ecg_edge.readers.formats"
_FORMATS = ("npy", "dicom", "edf", "csv_table", "wfdb_record", "zip_archive")
"""Modules of all formats in their order of recognition."""
PACKED_FORMATS = ("npy", "dicom", "edf", "csv_table")
"""Those of single files, which an archive may hold too."""
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


class PackedFormat(Format, Protocol):
    """A format of single files, which an archive may hold too."""

    def parse(self, content: bytes, name: str, source: str, declared: Declared) -> Recording:
        """Read a recording from the bytes of a file."""


def module_names() -> list[str]:
    """Return the full name of the module of each format, for tools that look for imports in the code."""
    return [f"{_PACKAGE}.{name}" for name in _FORMATS]


def formats() -> Iterator[Format]:
    """Yield all formats in their order of recognition; each is imported when its turn comes: an .npy waits for none."""
    for name in _FORMATS:
        yield cast("Format", import_module(f"{_PACKAGE}.{name}"))


def packed_formats() -> Iterator[PackedFormat]:
    """Yield the formats that an archive may hold; each is imported when its turn comes."""
    for name in PACKED_FORMATS:
        yield cast("PackedFormat", import_module(f"{_PACKAGE}.{name}"))


def is_packable(found: Format) -> bool:
    """Return whether a format is one of single files, which an archive may hold."""
    return any(packed is found for packed in packed_formats())


def is_macos_metadata(name: str) -> bool:
    """Return whether a file is one of those in which macOS keeps a file's attributes."""
    return "__MACOSX/" in name or name.rpartition("/")[2].startswith("._")


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats."""
    return tuple(sorted(suffix for each in formats() for suffix in each.SUFFIXES))


def recognised(head: bytes, name: str) -> Format | None:
    """Return the format of a file of this name that begins so; None if it is of no known one."""
    return next((each for each in formats() if each.recognises(head, name)), None)


def named(name: str) -> Format | None:
    """Return the format that a file's name promises."""
    return next((each for each in formats() if name.lower().endswith(each.SUFFIXES)), None)
