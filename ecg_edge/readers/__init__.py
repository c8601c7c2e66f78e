"""Files to recordings: one module a format, chosen by content."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ecg_edge.errors import UnreadableError
from ecg_edge.readers import npy, zipped
from ecg_edge.readers.record_file import RecordFile
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

    Nothing is read until a record's turn comes. Files of other kinds in a folder or an archive are passed over. A path
    that is missing, damaged or without a recording yields one record whose `read` raises UnreadableError.
    """
    path = Path(path)
    files = sorted(_files_of_folder(path)) if path.is_dir() else [path]
    if not files:
        yield _unreadable(path, UnreadableError(path, f"holds no file ending in {' or '.join(SUFFIXES)}"))
    for file in files:
        try:
            yield from _records_of_file(file)
        except UnreadableError as error:
            yield _unreadable(file, error)


def read_stream(stream: BinaryIO, name: str) -> Recording:
    """Read one .npy from a stream that cannot seek, such as standard input.

    Raises:
        UnreadableError: The stream does not hold an .npy.
        InvalidRecordingError: Its content is not a 12-lead recording.
    """
    return npy.read_stream(stream, name)


def _files_of_folder(folder: Path) -> Iterator[Path]:
    return (each for each in folder.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())


def _records_of_file(path: Path) -> Iterator[RecordFile]:
    if path.exists() and not path.is_file():
        raise UnreadableError(path, "is not a regular file")  # opening a pipe would wait for ever
    try:
        with path.open("rb") as file:
            magic = file.read(8)
    except OSError as error:
        raise UnreadableError(path, f"cannot be read: {error.strerror}") from error
    for each in _FORMATS:
        if magic.startswith(each.MAGIC):
            yield from each.records(path)
            return
    raise UnreadableError(path, "is " + ("neither an .npy nor a .zip file" if magic else "empty"))


def _unreadable(path: Path, error: UnreadableError) -> RecordFile:
    def read() -> Recording:
        raise error

    return RecordFile(path.stem, str(path), read)
