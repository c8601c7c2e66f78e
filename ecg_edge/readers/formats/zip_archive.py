"""Read .zip archives that hold files of other formats, in memory: nothing is extracted to disk."""

import io
import os
import re
import stat
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Protocol

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.byte_source import BytesSource, FileSource, NotBesideError
from ecg_edge.readers.candidates import judge, list_signal_files
from ecg_edge.readers.content import describe_content
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.formats.inflating import MOST_RATIO, SMALL
from ecg_edge.readers.formats.zip_directory import check_directory, has_overlap
from ecg_edge.readers.registry import (
    HEAD,
    PackedFormat,
    format_by_suffix,
    holds_all_samples,
    is_macos_metadata,
    packed_formats,
)
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import PassedOver, RecordFile

SUFFIXES = (".zip",)
SUFFIX_PROVES_NOTHING = False
DESCRIPTIONS = (
    FormatDescription(
        name="Archive",
        files="`.zip`",
        stated="as in the files in it",
        checked="names, sizes and checksums of its entries",
        refused=(
            "encryption, links, names that point outside, archives in it, entries over 256 MB or 100 times their "
            "packed size"
        ),
    ),
)
MOST_ENTRIES = 100_000
MOST_BYTES_OF_AN_ENTRY = 256 * 2**20
# Only for these two methods does Python's zipfile limit how much it unpacks at a time.
_BOUNDED_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NESTED = "is an archive inside an archive; unpack it"


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is a .zip."""
    return head.startswith(b"PK")


def records(path: Path, declared: Declared) -> Iterator[RecordFile | PassedOver]:
    """Yield the recordings of an archive, ordered by name, and the entries that are passed over.

    Raises:
        UnreadableError: The archive is damaged, has too many entries, or does not hold a recording.
    """
    return _list_records(_Archive(_FileOnDisk(path)), declared)


def records_in_memory(content: bytes, name: str, declared: Declared) -> Iterator[RecordFile | PassedOver]:
    """Yield the recordings of an archive that is in memory, and the entries that are passed over.

    Raises:
        UnreadableError: As of `records`.
    """
    return _list_records(_Archive(_FileInMemory(content, name)), declared)


def _list_records(archive: "_Archive", declared: Declared) -> Iterator[RecordFile | PassedOver]:
    found = [item for entry in archive.entries for item in archive.list_entry(entry, declared)]
    if not any(isinstance(item, RecordFile) for item in found):
        known = " ".join(suffix for module in packed_formats() for suffix in module.SUFFIXES)
        over = [item for item in found if isinstance(item, PassedOver)]
        reasons = "".join(f"; {PurePosixPath(item.source).name} {item.reason}" for item in over[:3])
        raise UnreadableError(archive.source, f"does not hold a recording ({known}){reasons}")
    yield from found


class _File(Protocol):
    """The bytes of an archive."""

    source: str

    def list_entries(self) -> list[zipfile.ZipInfo]:
        """Return all entries, as the directory of the archive has them."""

    def unpack(self, entry: zipfile.ZipInfo, most: int) -> bytes:
        """Return at most this number of bytes of an entry."""


class _FileOnDisk:
    """An archive on disk, which must not change while it is read."""

    def __init__(self, path: Path) -> None:
        self.source, self._path = str(path), path

    def list_entries(self) -> list[zipfile.ZipInfo]:
        return _open_archive(self._path, FileSource(self._path).stamp).infolist()

    def unpack(self, entry: zipfile.ZipInfo, most: int) -> bytes:
        file = FileSource(self._path)
        _check_size(entry, file.size)
        with _open_archive(self._path, file.stamp).open(entry) as packed:
            content = packed.read(most)
        if FileSource(self._path).stamp != file.stamp:
            raise UnreadableError(self.source, "changed while it was read")
        return content


class _FileInMemory:
    """An archive in memory."""

    def __init__(self, content: bytes, source: str) -> None:
        self.source, self._content = source, content
        self._archive: zipfile.ZipFile | None = None

    def list_entries(self) -> list[zipfile.ZipInfo]:
        file = io.BytesIO(self._content)
        check_directory(self.source, file, len(self._content))
        self._archive = zipfile.ZipFile(file)
        return self._archive.infolist()

    def unpack(self, entry: zipfile.ZipInfo, most: int) -> bytes:
        _check_size(entry, len(self._content))
        archive = self._archive or zipfile.ZipFile(io.BytesIO(self._content))
        with archive.open(entry) as packed:
            return packed.read(most)


class _Archive:
    """The entries of one archive."""

    def __init__(self, file: _File) -> None:
        self.source, self._file = file.source, file
        self.entries = sorted(_read_entries(file), key=lambda entry: entry.filename)
        self._by_name = {_get_name(entry).casefold(): entry for entry in self.entries}
        self._named = self._list_signal_files()
        self._seen: set[str] = set()

    def list_entry(self, entry: zipfile.ZipInfo, declared: Declared) -> Iterator[RecordFile | PassedOver]:
        """Yield the recording of an entry, or that it is passed over; nothing if it is something else."""
        name = _get_name(entry)
        folded = name.casefold()
        twice = folded in self._seen
        self._seen.add(folded)
        if is_macos_metadata(name):
            return
        found, source = self._judge(entry), self.locate(entry)
        if isinstance(found, str):
            yield PassedOver(source, found)
        elif found:
            read = partial(self.read_recording, entry, declared, twice=twice)
            size = entry.file_size if holds_all_samples(name) else None
            yield RecordFile(PurePosixPath(name).stem, source, read, size)

    def locate(self, entry: zipfile.ZipInfo) -> str:
        """Return where an entry is stored."""
        return f"{self.source}/{entry.filename}"

    def read_recording(self, entry: zipfile.ZipInfo, declared: Declared, *, twice: bool) -> Recording:
        """Read the recording of an entry.

        Raises:
            EcgEdgeError: It cannot be read.
        """
        source = self.locate(entry)
        if twice:
            raise UnreadableError(
                source, "is in the archive more than once (names that differ only in case are the same)"
            )
        content, name = self.read(entry), PurePosixPath(_get_name(entry))
        found = _choose_format(content[:HEAD], name.name)
        if not content:
            raise UnreadableError(source, "is empty")
        if found is None:
            raise UnreadableError(source, f"is named {name.suffix}, but it is {describe_content(content[:HEAD])}")
        return found.parse(content, name.stem, source, declared, partial(self.open_beside, entry))

    def open_beside(self, entry: zipfile.ZipInfo, name: str) -> BytesSource:
        """Open another entry in the folder of an entry, whose name may differ in case."""
        folder = PurePosixPath(_get_name(entry)).parent
        other = self._by_name.get(str(folder / name).casefold())
        if other is None:
            raise NotBesideError(self.locate(entry), f"names the file {name}, which is not beside it")
        return BytesSource(self.read(other), self.locate(other))

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """Return the bytes of an entry.

        Raises:
            UnreadableError: It must not be read, or is damaged.
        """
        source = self.locate(entry)
        if why := _explain_refusal(entry):
            raise UnreadableError(source, why)
        try:
            content = self._file.unpack(entry, MOST_BYTES_OF_AN_ENTRY + 1)
        except (UnreadableError, MemoryError):
            raise
        except Exception as error:  # zipfile raises many kinds of errors for damaged entries
            raise UnreadableError(source, f"cannot be unpacked: {str(error) or 'it ends too early'}") from error
        if len(content) > MOST_BYTES_OF_AN_ENTRY:
            raise UnreadableError(source, f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes")
        return content

    def _judge(self, entry: zipfile.ZipInfo) -> bool | str:
        """Return whether an entry is a recording, or why it is passed over."""
        name = PurePosixPath(_get_name(entry)).name
        if name.lower().endswith(SUFFIXES):
            return _NESTED
        if entry.is_dir() or _explain_refusal(entry):
            return not entry.is_dir() and format_by_suffix(name) is not None
        folder = str(PurePosixPath(_get_name(entry)).parent)
        try:
            found = judge(name, lambda: self._file.unpack(entry, HEAD), self._named[folder])
        except Exception:  # noqa: BLE001 - reading the record reports the error
            return format_by_suffix(name) is not None
        if found is None or isinstance(found, str):
            return found or False
        return found.SUFFIXES != SUFFIXES or _NESTED

    def _list_signal_files(self) -> defaultdict[str, set[str]]:
        """Return the names of the signal files that the headers of each folder name."""
        named: defaultdict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            name = PurePosixPath(_get_name(entry))
            if name.suffix.lower() == ".hea" and not _explain_refusal(entry):
                with suppress(Exception):  # reading the record reports the error
                    named[str(name.parent)] |= list_signal_files(self._file.unpack(entry, HEAD))
        return named


def _choose_format(head: bytes, name: str) -> PackedFormat | None:
    found = next((module for module in packed_formats() if module.recognises(head, name)), None)
    if found is None:
        promised = next((module for module in packed_formats() if name.lower().endswith(module.SUFFIXES)), None)
        return promised if promised and promised.SUFFIX_PROVES_NOTHING else None
    return found


def _get_name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry with the slashes of the standard; some programs write those of Windows."""
    return entry.filename.replace("\\", "/")


def _read_entries(file: _File) -> list[zipfile.ZipInfo]:
    try:
        everything = file.list_entries()
    except UnreadableError:
        raise
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(file.source, f"is not a valid .zip file: {error}") from error
    if len(everything) > MOST_ENTRIES:
        raise UnreadableError(file.source, f"has {len(everything)} entries, more than {MOST_ENTRIES}")
    if has_overlap(everything):
        raise UnreadableError(file.source, "has overlapping entries, like a zip bomb")
    return everything


def _check_size(entry: zipfile.ZipInfo, size: int) -> None:
    """Refuse an entry that claims more bytes than its archive has; zipfile would allocate memory for all of them."""
    if entry.compress_size > size:
        msg = "it claims more bytes than the archive has"
        raise zipfile.BadZipFile(msg)


@lru_cache(maxsize=8)
def _open_archive(path: Path, stamp: tuple[int, ...]) -> zipfile.ZipFile:
    """Open an archive. The last few stay open: listing an archive again for each entry would take quadratic time."""
    source = FileSource(path)
    file = io.BufferedReader(source.open_raw())
    if source.stamp != stamp:
        raise UnreadableError(path, "changed while it was read")
    check_directory(path, file, source.size)
    return zipfile.ZipFile(file)


if hasattr(os, "register_at_fork"):
    # A child shares the position in the open files with its parent, and may inherit a lock that nobody releases.
    os.register_at_fork(after_in_child=_open_archive.cache_clear)


def _explain_refusal(entry: zipfile.ZipInfo) -> str | None:
    """Return why an entry must not be read; None if it may be read."""
    name = PurePosixPath(_get_name(entry))
    refusals = {
        "has a name that points outside the archive": (
            name.is_absolute() or ".." in name.parts or re.match(r"[A-Za-z]:", entry.filename)
        ),
        "is a symbolic link": stat.S_ISLNK(entry.external_attr >> 16),
        "is encrypted": entry.flag_bits & 1,
        "is not compressed with deflate; zip it again": entry.compress_type not in _BOUNDED_METHODS,
        f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes": entry.file_size > MOST_BYTES_OF_AN_ENTRY,
        f"unpacks to more than {MOST_RATIO} times its size, like a zip bomb": (
            entry.file_size > SMALL + MOST_RATIO * entry.compress_size
        ),
    }
    return next((why for why, refused in refusals.items() if refused), None)
