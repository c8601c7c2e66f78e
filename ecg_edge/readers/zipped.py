""".zip archives of .npy files, read in memory: nothing is ever extracted to disk."""

import stat
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from ecg_edge.errors import UnreadableError
from ecg_edge.readers import npy
from ecg_edge.readers.record_file import RecordFile
from ecg_edge.recording import Recording

SUFFIXES = (".zip",)
MAGIC = b"PK"
MOST_ENTRIES = 100_000
MOST_BYTES_OF_AN_ENTRY = 256 * 2**20


def records(path: Path) -> Iterator[RecordFile]:
    """Yield the .npy entries of an archive, in order of their names; other entries are passed over.

    Raises:
        UnreadableError: The archive is damaged, has too many entries, or holds no .npy.
    """
    try:
        # Stays open as long as a record refers to it: listing an archive again for each entry would be quadratic.
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableError(path, f"is not a sound .zip file: {error}") from error
    seen: set[str] = set()
    for entry in _entries(path, archive):
        source = f"{path}/{entry.filename}"
        twice = entry.filename.casefold() in seen
        seen.add(entry.filename.casefold())
        yield RecordFile(
            PurePosixPath(entry.filename).stem, source, partial(_read_entry, archive, entry, source, twice)
        )


def _entries(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    everything = archive.infolist()
    if len(everything) > MOST_ENTRIES:
        raise UnreadableError(path, f"has {len(everything)} entries, more than {MOST_ENTRIES}")
    found = [each for each in everything if each.filename.lower().endswith(npy.SUFFIXES) and not _of_macos(each)]
    if not found:
        raise UnreadableError(path, "holds no .npy file")
    return sorted(found, key=lambda each: each.filename)


def _of_macos(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.startswith("__MACOSX/") or PurePosixPath(entry.filename).name.startswith("._")


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str, twice: bool) -> Recording:
    if twice:
        raise UnreadableError(source, "is in the archive more than once (names that differ in case alone count as one)")
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or ":" in entry.filename:
        raise UnreadableError(source, "has a name that points outside the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UnreadableError(source, "is a symbolic link")
    if entry.flag_bits & 1:
        raise UnreadableError(source, "is encrypted")
    try:
        with archive.open(entry) as file:
            content = file.read(MOST_BYTES_OF_AN_ENTRY + 1)
    except Exception as error:  # zipfile raises many kinds for damaged entries, zlib.error and EOFError among them
        raise UnreadableError(source, f"cannot be unpacked: {error}") from error
    if len(content) > MOST_BYTES_OF_AN_ENTRY:
        raise UnreadableError(source, f"unpacks to more than {MOST_BYTES_OF_AN_ENTRY} bytes")
    return npy.parse(content, name.stem, source)
