""".zip archives of .npy files, read in memory: nothing is ever extracted to disk."""

import re
import stat
import zipfile
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

from ecg_edge.errors import UnreadableError
from ecg_edge.readers import npy
from ecg_edge.readers.record_file import RecordFile, of_macos
from ecg_edge.recording import Recording

SUFFIXES = (".zip",)
MAGIC = b"PK"
MOST_ENTRIES = 100_000
MOST_BYTES_OF_AN_ENTRY = 256 * 2**20
# Python's zipfile bounds what it unpacks while reading for these two only.
_BOUNDED_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def records(path: Path) -> Iterator[RecordFile]:
    """Yield the .npy entries of an archive, in order of their names; other entries are passed over.

    Raises:
        UnreadableError: The archive is damaged, has too many entries, or holds no .npy.
    """
    seen: set[str] = set()
    for entry in _entries(path):
        source = f"{path}/{entry.filename}"
        twice = entry.filename.casefold() in seen
        seen.add(entry.filename.casefold())
        yield RecordFile(PurePosixPath(entry.filename).stem, source, partial(_read_entry, path, entry, source, twice))


def _entries(path: Path) -> list[zipfile.ZipInfo]:
    try:
        everything = _archive(path, path.stat().st_mtime_ns).infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(path, f"is not a sound .zip file: {error}") from error
    if len(everything) > MOST_ENTRIES:
        raise UnreadableError(path, f"has {len(everything)} entries, more than {MOST_ENTRIES}")
    found = [
        each for each in everything if each.filename.lower().endswith(npy.SUFFIXES) and not of_macos(each.filename)
    ]
    if not found:
        raise UnreadableError(path, "holds no .npy file")
    return sorted(found, key=lambda each: each.filename)


@lru_cache(maxsize=8)
def _archive(path: Path, _changed_ns: int) -> zipfile.ZipFile:
    """Open an archive; the last few stay open, because listing one again for each of its entries would be quadratic."""
    return zipfile.ZipFile(path)


def _read_entry(path: Path, entry: zipfile.ZipInfo, source: str, twice: bool) -> Recording:
    if why := _why_not(entry, twice):
        raise UnreadableError(source, why)
    try:
        with _archive(path, path.stat().st_mtime_ns).open(entry) as file:
            content = file.read(MOST_BYTES_OF_AN_ENTRY + 1)
    except Exception as error:  # zipfile raises many kinds for damaged entries, zlib.error and EOFError among them
        raise UnreadableError(source, f"cannot be unpacked: {error}") from error
    if len(content) > MOST_BYTES_OF_AN_ENTRY:
        raise UnreadableError(source, f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes")
    return npy.parse(content, PurePosixPath(entry.filename).stem, source)


def _why_not(entry: zipfile.ZipInfo, twice: bool) -> str | None:
    """Return why an entry must not be read, if so."""
    name = PurePosixPath(entry.filename)
    refusals = {
        "is in the archive more than once (names that differ in case alone count as one)": twice,
        "has a name that points outside the archive": (
            name.is_absolute() or ".." in name.parts or "\\" in entry.filename or re.match(r"[A-Za-z]:", entry.filename)
        ),
        "is a symbolic link": stat.S_ISLNK(entry.external_attr >> 16),
        "is encrypted": entry.flag_bits & 1,
        "is packed by another method than deflate; zip it again": entry.compress_type not in _BOUNDED_METHODS,
        f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes": entry.file_size > MOST_BYTES_OF_AN_ENTRY,
    }
    return next((why for why, refused in refusals.items() if refused), None)
