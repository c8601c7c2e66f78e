"""Find the recordings of a path: a file, an archive or a folder."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats import npy
from ecg_edge.readers.registry import (
    HEAD,
    Format,
    format_by_suffix,
    is_macos_metadata,
    is_packable,
    recognise,
    suffixes,
)
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile


def read_recording(
    path: str | os.PathLike[str],
    *,
    sampling_rate: float | None = None,
    units: str | None = None,
    leads: Sequence[str] | None = None,
) -> Recording:
    """Read a file that holds one recording.

    Args:
        path: A file of a known format, or a .zip that holds exactly one recording.
        sampling_rate: Samples per second, if the file does not state it.
        units: For example "mV" or "uV", if the file does not state them.
        leads: Channel names in file order, if the file does not name them.

    Raises:
        UnreadableError: The file is missing, is damaged, has an unknown format, or holds several recordings.
        InvalidRecordingError: The content is not a 12-lead recording, or contradicts the arguments.
        MissingExtraError: The format needs an optional library that is not installed.
    """
    declared = Declared(sampling_rate, units, None if leads is None else tuple(leads))
    records = list(find_records(path, declared))
    if len(records) > 1:
        raise UnreadableError(path, f"holds {len(records)} recordings, expected one; list them with find_records")
    return records[0].read()


def find_records(path: str | os.PathLike[str], declared: Declared = NOTHING) -> Iterator[RecordFile]:
    """List the recordings of a file, an archive, or a folder with its subfolders, ordered by name.

    A recording is read only when its `read` is called. Other files in a folder or an archive are skipped. A path that
    is missing, damaged or without recordings yields one record whose `read` raises UnreadableError.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path("") would be the working directory
    except (OSError, ValueError) as error:
        yield _make_failing_record(Path(path), _make_unreadable_error(path, error))
        return
    if stat.S_ISDIR(mode):
        yield from _find_in_folder(Path(path), declared)
    else:
        yield from _find_in_file(Path(path), declared)


def read_stream(stream: BinaryIO, name: str, declared: Declared = NOTHING) -> Recording:
    """Read one .npy from a stream that cannot seek, such as standard input.

    Raises:
        UnreadableError: The stream does not hold an .npy.
        InvalidRecordingError: Its content is not a 12-lead recording.
    """
    return npy.read_stream(stream, name, declared)


def _find_in_folder(folder: Path, declared: Declared) -> Iterator[RecordFile]:
    errors: list[OSError] = []
    endings = suffixes()
    files = [
        Path(home, name)
        for home, _, names in os.walk(folder, onerror=errors.append)
        for name in names
        if name.lower().endswith(endings) and not is_macos_metadata(name)
    ]
    for error in errors:
        yield _make_failing_record(Path(error.filename), _make_unreadable_error(error.filename, error))
    wanted = [file for file in sorted(files) if not _is_something_else(file)]
    if not wanted and not errors:
        yield _make_failing_record(folder, UnreadableError(folder, f"does not hold a recording ({' '.join(endings)})"))
    for file in wanted:
        yield from _find_in_file(file, declared)


def _is_something_else(path: Path) -> bool:
    """Return whether a file is not a recording although its suffix fits, for example a .csv of labels."""
    promised = format_by_suffix(path.name)
    if promised is None or not promised.SUFFIX_PROVES_NOTHING:
        return False
    try:
        head, _ = _read_head(path)
    except OSError:
        return False
    return not promised.recognises(head, path.name)


def _find_in_file(path: Path, declared: Declared) -> Iterator[RecordFile]:
    try:
        head, size = _read_head(path)
        found = _recognise(path, head)
        alone = is_packable(found)  # otherwise the recordings are in other files or packed in this one
        for record in found.records(path, declared):
            yield record._replace(size=size) if alone else record
    except UnreadableError as error:
        yield _make_failing_record(path, error)
    except OSError as error:
        yield _make_failing_record(path, _make_unreadable_error(path, error))


def _recognise(path: Path, head: bytes) -> Format:
    found = recognise(head, path.name)
    if found is not None:
        return found
    promised = format_by_suffix(path.name)
    if head and promised and promised.SUFFIX_PROVES_NOTHING:
        return promised  # its error message says what is missing
    if not head:
        raise UnreadableError(path, "is empty")
    raise UnreadableError(path, f"has an unknown format; the known formats are {' '.join(suffixes())}")


def _read_head(path: Path) -> tuple[bytes, int]:
    """Return the first bytes of a file, and its size in bytes.

    Raises:
        UnreadableError: It is a device or a pipe; reading those could block.
        OSError: It cannot be read.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError(path, "is not a regular file")
    with path.open("rb", buffering=0) as file:
        return file.read(HEAD), status.st_size


def _make_unreadable_error(path: str | os.PathLike[str], error: OSError | ValueError) -> UnreadableError:
    return UnreadableError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")


def _make_failing_record(path: Path, error: UnreadableError) -> RecordFile:
    def read() -> Recording:
        raise error

    return RecordFile(path.stem, str(path), read)
