"""Read .zip archives that hold files of other formats, in memory: nothing is extracted to disk."""

import re
import stat
import zipfile
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path, PurePosixPath

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.registry import HEAD, PackedFormat, is_macos_metadata, packed_formats
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".zip",)
SUFFIX_PROVES_NOTHING = False
MOST_ENTRIES = 100_000
MOST_BYTES_OF_AN_ENTRY = 256 * 2**20
# Recordings compress to between a half and a tenth of their size, a zip bomb to a thousandth.
_MOST_RATIO = 100
_SMALL = 2**20
_LOCAL_HEADER = 30
# Only for these two methods does Python's zipfile limit how much it unpacks at a time.
_BOUNDED_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is a .zip."""
    return head.startswith(b"PK")


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recordings of an archive, ordered by name; other entries are skipped.

    Raises:
        UnreadableError: The archive is damaged, has too many entries, or does not hold a recording.
    """
    seen: set[str] = set()
    for entry in _read_entries(path):
        source = f"{path}/{entry.filename}"
        twice = entry.filename.casefold() in seen
        seen.add(entry.filename.casefold())
        read = partial(_read_entry, path, entry, source, twice, declared)
        yield RecordFile(PurePosixPath(entry.filename).stem, source, read, entry.file_size)


def _read_entries(path: Path) -> list[zipfile.ZipInfo]:
    try:
        everything = _open_archive(path, path.stat().st_mtime_ns).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(path, f"is not a valid .zip file: {error}") from error
    if len(everything) > MOST_ENTRIES:
        raise UnreadableError(path, f"has {len(everything)} entries, more than {MOST_ENTRIES}")
    if _has_overlap(everything):
        raise UnreadableError(path, "has overlapping entries, like a zip bomb")
    found = [entry for entry in everything if _is_recording(path, entry)]
    if not found:
        known = " ".join(suffix for module in packed_formats() for suffix in module.SUFFIXES)
        raise UnreadableError(path, f"does not hold a recording ({known}); unpack WFDB records first")
    return sorted(found, key=lambda entry: entry.filename)


def _has_overlap(entries: list[zipfile.ZipInfo]) -> bool:
    """Return whether any bytes belong to more than one entry."""
    spans = sorted((entry.header_offset, _LOCAL_HEADER + entry.compress_size) for entry in entries)
    return any(begin + length > following for (begin, length), (following, _) in pairwise(spans))


def _choose_packed_format(name: str) -> PackedFormat | None:
    """Return the format that the suffix of an entry stands for; None if the suffix is unknown."""
    return next((module for module in packed_formats() if name.lower().endswith(module.SUFFIXES)), None)


def _is_recording(path: Path, entry: zipfile.ZipInfo) -> bool:
    promised = _choose_packed_format(entry.filename)
    if promised is None or is_macos_metadata(entry.filename):
        return False
    if not promised.SUFFIX_PROVES_NOTHING or _explain_refusal(entry, twice=False):
        return True
    try:
        return promised.recognises(_unpack(path, entry, HEAD), entry.filename)
    except Exception:  # noqa: BLE001 - `_read_entry` reports the error
        return True


@lru_cache(maxsize=8)
def _open_archive(path: Path, _changed_ns: int) -> zipfile.ZipFile:
    """Open an archive. The last few stay open: listing an archive again for each entry would take quadratic time."""
    return zipfile.ZipFile(path)


def _unpack(path: Path, entry: zipfile.ZipInfo, most: int) -> bytes:
    archive = path.stat()
    if entry.compress_size > archive.st_size:  # zipfile would allocate memory for all of it
        msg = "it claims more bytes than the archive has"
        raise zipfile.BadZipFile(msg)
    with _open_archive(path, archive.st_mtime_ns).open(entry) as file:
        return file.read(most)


def _read_entry(path: Path, entry: zipfile.ZipInfo, source: str, twice: bool, declared: Declared) -> Recording:
    if why := _explain_refusal(entry, twice):
        raise UnreadableError(source, why)
    try:
        content = _unpack(path, entry, MOST_BYTES_OF_AN_ENTRY + 1)
    except Exception as error:  # zipfile raises many kinds of errors for damaged entries
        raise UnreadableError(source, f"cannot be unpacked: {str(error) or 'it ends too early'}") from error
    if len(content) > MOST_BYTES_OF_AN_ENTRY:
        raise UnreadableError(source, f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes")
    name = PurePosixPath(entry.filename)
    found = next((module for module in packed_formats() if module.recognises(content[:HEAD], name.name)), None)
    if found is None:
        promised = _choose_packed_format(name.name)
        found = promised if promised and promised.SUFFIX_PROVES_NOTHING else None
    if found is None:
        raise UnreadableError(source, f"is not a {name.suffix} file and has no other known format")
    return found.parse(content, name.stem, source, declared)


def _explain_refusal(entry: zipfile.ZipInfo, twice: bool) -> str | None:
    """Return why an entry must not be read; None if it may be read."""
    name = PurePosixPath(entry.filename)
    refusals = {
        "is in the archive more than once (names that differ only in case are the same)": twice,
        "has a name that points outside the archive": (
            name.is_absolute() or ".." in name.parts or "\\" in entry.filename or re.match(r"[A-Za-z]:", entry.filename)
        ),
        "is a symbolic link": stat.S_ISLNK(entry.external_attr >> 16),
        "is encrypted": entry.flag_bits & 1,
        "is not compressed with deflate; zip it again": entry.compress_type not in _BOUNDED_METHODS,
        f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes": entry.file_size > MOST_BYTES_OF_AN_ENTRY,
        f"unpacks to more than {_MOST_RATIO} times its size, like a zip bomb": (
            entry.file_size > _SMALL + _MOST_RATIO * entry.compress_size
        ),
    }
    return next((why for why, refused in refusals.items() if refused), None)
