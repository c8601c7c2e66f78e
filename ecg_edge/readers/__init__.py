"""Files to recordings: one module a format, chosen by content."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from ecg_edge.errors import UnreadableError
from ecg_edge.readers import npy, zipped
from ecg_edge.readers.record_file import RecordFile, of_macos
from ecg_edge.recording import Recording

__all__ = ["RecordFile", "find_records", "read_recording", "read_stream"]

_FORMATS = (npy, zipped)
SUFFIXES = tuple(suffix for each in _FORMATS for suffix in each.SUFFIXES)


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """Read the one recording of a file.

    Args:
        path: An .npy file, or a .zip that holds a single one: millivolts at 500 Hz, shape (12, samples).

    Raises:
        UnreadableError: There is no such file, it is damaged or of another format, or it holds several recordings.
        InvalidRecordingError: Its content is not a 12-lead recording.
    """
    records = list(find_records(path))
    if len(records) > 1:
        raise UnreadableError(path, f"holds {len(records)} recordings, expected one; list them with find_records")
    return records[0].read()


def find_records(path: str | os.PathLike[str]) -> Iterator[RecordFile]:
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
        yield from _records_of_folder(Path(path))
    else:
        yield from _records_of_file(Path(path))


def read_stream(stream: BinaryIO, name: str) -> Recording:
    """Read one .npy from a stream that cannot seek, such as standard input.

    Raises:
        UnreadableError: The stream does not hold an .npy.
        InvalidRecordingError: Its content is not a 12-lead recording.
    """
    return npy.read_stream(stream, name)


def _records_of_folder(folder: Path) -> Iterator[RecordFile]:
    errors: list[OSError] = []
    files = [
        Path(home, name)
        for home, _, names in os.walk(folder, onerror=errors.append)
        for name in names
        if name.lower().endswith(SUFFIXES) and not of_macos(name)
    ]
    for error in errors:
        yield _unreadable(Path(error.filename), _cannot_read(error.filename, error))
    if not files and not errors:
        yield _unreadable(folder, UnreadableError(folder, f"holds no file ending in {' or '.join(SUFFIXES)}"))
    for file in sorted(files):
        yield from _records_of_file(file)


def _records_of_file(path: Path) -> Iterator[RecordFile]:
    try:
        yield from _format_of(path).records(path)
    except UnreadableError as error:
        yield _unreadable(path, error)


def _format_of(path: Path) -> ModuleType:
    try:
        magic = _magic(path)
    except OSError as error:
        raise _cannot_read(path, error) from error
    if magic is None:
        raise UnreadableError(path, "is not a regular file")
    for each in _FORMATS:
        if magic.startswith(each.MAGIC):
            return each
    raise UnreadableError(path, "is " + ("neither an .npy nor a .zip file" if magic else "empty"))


def _magic(path: Path) -> bytes | None:
    """Return the first bytes of a file; none of a device or a pipe, which would keep us waiting."""
    if path.exists() and not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(8)


def _cannot_read(path: str | os.PathLike[str], error: OSError | ValueError) -> UnreadableError:
    return UnreadableError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")


def _unreadable(path: Path, error: UnreadableError) -> RecordFile:
    def read() -> Recording:
        raise error

    return RecordFile(path.stem, str(path), read)
