"""Finds the recordings of a path: a file, an archive, a folder."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats import npy
from ecg_edge.readers.registry import HEAD, Format, is_macos_metadata, is_packable, named, recognised, suffixes
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile


def read_recording(
    path: str | os.PathLike[str],
    *,
    sampling_rate: float | None = None,
    units: str | None = None,
    leads: Sequence[str] | None = None,
) -> Recording:
    """Read the one recording of a file.

    Args:
        path: A file of a known format, or a .zip that holds a single one.
        sampling_rate: Samples per second, where the file does not declare it.
        units: Such as "mV" or "uV", where the file does not declare them.
        leads: Name of each channel, where the file does not name them.

    Raises:
        UnreadableError: There is no such file, it is damaged or of another format, or it holds several recordings.
        InvalidRecordingError: Its content is not a 12-lead recording, or contradicts what is declared here.
        MissingExtraError: Its format needs a library that is not installed.
    """
    declared = Declared(sampling_rate, units, None if leads is None else tuple(leads))
    records = list(find_records(path, declared))
    if len(records) > 1:
        raise UnreadableError(path, f"holds {len(records)} recordings, expected one; list them with find_records")
    return records[0].read()


def find_records(path: str | os.PathLike[str], declared: Declared = NOTHING) -> Iterator[RecordFile]:
    """List the recordings of a file, of an archive, or of a folder and its subfolders, in order of their names.

    Nothing is read until a record's turn comes. Files of other kinds in a folder or an archive are passed over. What is
    missing, damaged or without a recording yields one record whose `read` raises UnreadableError.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path("") would be the working directory
    except (OSError, ValueError) as error:
        yield _unreadable(Path(path), _cannot_read(path, error))
        return
    if stat.S_ISDIR(mode):
        yield from _records_of_folder(Path(path), declared)
    else:
        yield from _records_of_file(Path(path), declared)


def read_stream(stream: BinaryIO, name: str, declared: Declared = NOTHING) -> Recording:
    """Read one .npy from a stream that cannot seek, such as standard input.

    Raises:
        UnreadableError: The stream does not hold an .npy.
        InvalidRecordingError: Its content is not a 12-lead recording.
    """
    return npy.read_stream(stream, name, declared)


def _records_of_folder(folder: Path, declared: Declared) -> Iterator[RecordFile]:
    errors: list[OSError] = []
    endings = suffixes()
    files = [
        Path(home, name)
        for home, _, names in os.walk(folder, onerror=errors.append)
        for name in names
        if name.lower().endswith(endings) and not is_macos_metadata(name)
    ]
    for error in errors:
        yield _unreadable(Path(error.filename), _cannot_read(error.filename, error))
    wanted = [file for file in sorted(files) if not _is_something_else(file)]
    if not wanted and not errors:
        yield _unreadable(folder, UnreadableError(folder, f"holds no recording ({' '.join(endings)})"))
    for file in wanted:
        yield from _records_of_file(file, declared)


def _is_something_else(path: Path) -> bool:
    """Return whether a file is not what its suffix often is: a .csv of something else than leads."""
    promised = named(path.name)
    if promised is None or not promised.SUFFIX_PROVES_NOTHING:
        return False
    try:
        head, _ = _head(path)
    except OSError:
        return False
    return not promised.recognises(head, path.name)


def _records_of_file(path: Path, declared: Declared) -> Iterator[RecordFile]:
    try:
        head, size = _head(path)
        found = _format_of(path, head)
        alone = is_packable(found)  # else the file is only where other files are named or packed
        for record in found.records(path, declared):
            yield record._replace(size=size) if alone else record
    except UnreadableError as error:
        yield _unreadable(path, error)
    except OSError as error:
        yield _unreadable(path, _cannot_read(path, error))


def _format_of(path: Path, head: bytes) -> Format:
    if found := recognised(head, path.name):
        return found
    promised = named(path.name)
    if head and promised and promised.SUFFIX_PROVES_NOTHING:
        return promised  # it knows best what it misses
    known = f"of no known format; known are {' '.join(suffixes())}, by their content"
    raise UnreadableError(path, "is " + (known if head else "empty"))


def _head(path: Path) -> tuple[bytes, int]:
    """Return the first bytes of a file and how many it has.

    Raises:
        UnreadableError: It is a device or a pipe, which would keep us waiting.
        OSError: It cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError(path, "is not a regular file")
    with path.open("rb", buffering=0) as file:
        return file.read(HEAD), status.st_size


def _cannot_read(path: str | os.PathLike[str], error: OSError | ValueError) -> UnreadableError:
    return UnreadableError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")


def _unreadable(path: Path, error: UnreadableError) -> RecordFile:
    def read() -> Recording:
        raise error

    return RecordFile(path.stem, str(path), read)
