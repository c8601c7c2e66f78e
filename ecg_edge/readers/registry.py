"""The list of input formats. Each one is a module in `ecg_edge.readers.formats`."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ecg_edge.readers.byte_source import ByteSource
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import PassedOver, RecordFile

_PACKAGE = "ecg_edge.readers.formats"
_FORMATS = ("npy", "dicom", "edf", "ishne", "vendor", "csv_table", "wfdb_record", "zip_archive")
"""Modules of all formats, in the order in which they are tried on a file."""
PACKED_FORMATS = ("npy", "dicom", "edf", "ishne", "vendor", "csv_table", "wfdb_record")
"""Modules of the formats that an archive may hold."""
Beside = Callable[[str], ByteSource]
"""Opens another file in the folder of a file; raises UnreadableError."""
HEAD = 8192
"""Number of bytes at the beginning of a file that a format is recognised by."""


class Format(Protocol):
    """What the module of a format provides."""

    SUFFIXES: tuple[str, ...]
    """File name endings, in lower case."""
    SUFFIX_PROVES_NOTHING: bool
    """Whether files with these suffixes are often something else; a folder then skips files that are not recognised."""
    DESCRIPTIONS: tuple[FormatDescription, ...]
    """What it reads, in words."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Return whether a file has this format, by its first bytes and its name."""

    def records(self, path: Path, declared: Declared) -> Iterator[RecordFile | PassedOver]:
        """Yield the recordings of a file, and what an archive holds that is passed over.

        Raises:
            UnreadableError: The recordings of the file cannot be listed.
        """


class PackedFormat(Format, Protocol):
    """A format that an archive may hold."""

    def parse(self, content: bytes, name: str, source: str, declared: Declared, beside: Beside) -> Recording:
        """Read a recording from the bytes of a file and of the files beside it.

        Raises:
            UnreadableError: The bytes do not have this format, or are damaged.
            InvalidRecordingError: The content is not a 12-lead recording.
            MissingExtraError: The format needs an optional library that is not installed.
        """


def module_names() -> list[str]:
    """Return the full name of the module of each format, for tools that look for imports in the code."""
    return [f"{_PACKAGE}.{name}" for name in _FORMATS]


def formats() -> Iterator[Format]:
    """Import and yield the formats one by one, so that reading an .npy imports no other format."""
    for name in _FORMATS:
        yield cast("Format", import_module(f"{_PACKAGE}.{name}"))


def packed_formats() -> Iterator[PackedFormat]:
    """Import and yield the formats that an archive may hold, one by one."""
    for name in PACKED_FORMATS:
        yield cast("PackedFormat", import_module(f"{_PACKAGE}.{name}"))


def descriptions() -> list[FormatDescription]:
    """Return all formats in words, in the order of their names' first letters, archives last."""
    found = [one for module in formats() for one in module.DESCRIPTIONS]
    return sorted(found, key=lambda one: (one.files == "`.zip`", one.name.casefold()))


def holds_all_samples(name: str) -> bool:
    """Return whether a file has all samples of one recording, so that its size tells how large the recording is."""
    return not name.lower().endswith((".hea", ".zip"))


def is_macos_metadata(name: str) -> bool:
    """Return whether a file only holds the macOS attributes of another file."""
    return "__MACOSX/" in name or name.rpartition("/")[2].startswith("._")


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats, sorted."""
    return tuple(sorted(suffix for module in formats() for suffix in module.SUFFIXES))


def recognise(head: bytes, name: str) -> Format | None:
    """Return the format of a file, by its first bytes and its name; None if the format is unknown."""
    return next((module for module in formats() if module.recognises(head, name)), None)


def format_by_suffix(name: str) -> Format | None:
    """Return the format that the suffix of a file name stands for; None if the suffix is unknown."""
    return next((module for module in formats() if name.lower().endswith(module.SUFFIXES)), None)
