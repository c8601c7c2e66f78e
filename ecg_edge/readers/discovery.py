"""Find the recordings of a path: a file, an archive or a folder."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.candidates import judge, list_signal_files
from ecg_edge.readers.content import describe_content
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats import npy
from ecg_edge.readers.registry import (
    HEAD,
    Format,
    format_by_suffix,
    holds_all_samples,
    is_macos_metadata,
    recognise,
    suffixes,
)
from ecg_edge.recording import Recording
from ecg_edge.recording.arguments import check_leads
from ecg_edge.recording.record_file import PassedOver, RecordFile


def read_recording(
    path: str | os.PathLike[str],
    *,
    sampling_rate: float | None = None,
    units: str | None = None,
    leads: Sequence[str] | None = None,
    gain: float | None = None,
) -> Recording:
    """Read a file that holds one recording.

    Args:
        path: A file of a known format, or a .zip that holds exactly one recording.
        sampling_rate: Samples per second, if the file does not state it.
        units: For example "mV" or "uV", if the file does not state them.
        leads: Channel names in file order, if the file does not name them.
        gain: Converter steps per millivolt, if the file says that it is not calibrated.

    Raises:
        UnreadableError: The file is missing, is damaged, has an unknown format, or holds several recordings.
        InvalidRecordingError: The content is not a 12-lead recording, or contradicts the arguments.
        MissingExtraError: The format needs an optional library that is not installed.
    """
    declared = Declared(sampling_rate, units, None if leads is None else check_leads(leads), gain)
    records = list(find_records(path, declared))
    if len(records) > 1:
        raise UnreadableError(path, f"holds {len(records)} recordings, expected one; list them with find_records")
    return records[0].read()


def find_records(path: str | os.PathLike[str], declared: Declared = NOTHING) -> Iterator[RecordFile]:
    """List the recordings of a file, an archive, or a folder with its subfolders, ordered by name.

    A recording is read only when its `read` is called. Other files in a folder or an archive are skipped. A path that
    is missing, damaged or without recordings yields one record whose `read` raises UnreadableError.
    """
    return (item for item in find_candidates(path, declared) if isinstance(item, RecordFile))


def find_candidates(path: str | os.PathLike[str], declared: Declared = NOTHING) -> Iterator[RecordFile | PassedOver]:
    """List the recordings as `find_records` does, and the files that look like recordings and are passed over."""
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


def _find_in_folder(folder: Path, declared: Declared) -> Iterator[RecordFile | PassedOver]:
    files, errors = _list_files(folder)
    for home, error in errors:
        yield _make_failing_record(home, _make_unreadable_error(home, error))
    named = _list_signal_files(files)
    n_records = len(errors)
    for file in files:
        for item in _find_candidate(file, named[file.parent], declared):
            n_records += isinstance(item, RecordFile)
            yield item
    if not n_records:
        endings = " ".join(suffixes())
        yield _make_failing_record(folder, UnreadableError(folder, f"does not hold a recording ({endings})"))


def _list_files(folder: Path) -> tuple[list[Path], list[tuple[Path, OSError]]]:
    """Return the files of a folder and its subfolders, sorted, and the folders that cannot be listed."""
    files, errors, waiting = [], [], [folder]
    while waiting:
        home = waiting.pop()
        try:
            with os.scandir(home) as entries:
                for entry in entries:
                    path = home / entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif not is_macos_metadata(entry.name) and not path.is_dir():
                        files.append(path)
        except OSError as error:
            errors.append((home, error))
    return sorted(files), errors


def _list_signal_files(files: list[Path]) -> defaultdict[Path, set[str]]:
    """Return the names of the signal files that the WFDB headers of each folder name."""
    named: defaultdict[Path, set[str]] = defaultdict(set)
    for file in files:
        if file.suffix.lower() == ".hea":
            with suppress(UnreadableError):  # reading the record reports the error
                named[file.parent] |= list_signal_files(_read_head(file)[0])
    return named


def _find_candidate(path: Path, named: set[str], declared: Declared) -> Iterator[RecordFile | PassedOver]:
    """Yield the recordings of a file in a folder, or that it is passed over; nothing if it is something else."""
    try:
        found = judge(path.name, lambda: _read_head(path)[0], named)
    except UnreadableError as error:
        if format_by_suffix(path.name) is not None:
            yield _make_failing_record(path, error)
        return
    if isinstance(found, str):
        yield PassedOver(str(path), found)
    elif found is not None:
        yield from _find_in_file(path, declared)


def _find_in_file(path: Path, declared: Declared) -> Iterator[RecordFile | PassedOver]:
    try:
        head, size = _read_head(path)
        found = _recognise(path, head)
        alone = holds_all_samples(found.SUFFIXES[0])
        for item in found.records(path, declared):
            yield item._replace(size=size) if alone and isinstance(item, RecordFile) else item
    except UnreadableError as error:
        yield _make_failing_record(path, error)
    except Exception as error:  # noqa: BLE001 - a fault of one file must not end the others
        yield _make_failing_record(path, _make_unreadable_error(path, error))


def _recognise(path: Path, head: bytes) -> Format:
    found = recognise(head, path.name)
    if found is not None:
        return found
    promised = format_by_suffix(path.name)
    if promised and promised.SUFFIX_PROVES_NOTHING:
        return promised  # its error message says what is missing
    what = describe_content(head)
    if promised:
        raise UnreadableError(path, f"is named {path.suffix}, but it is {what}")
    raise UnreadableError(path, f"has an unknown format; the known formats are {' '.join(suffixes())}; it is {what}")


def _read_head(path: Path) -> tuple[bytes, int]:
    """Return the first bytes of a file, and its size in bytes.

    Raises:
        UnreadableError: It cannot be read, is empty, or is not a regular file.
    """
    file = FileSource(path)
    return file.read((0, min(HEAD, file.size)))[0], file.size


def _make_unreadable_error(path: str | os.PathLike[str], error: Exception) -> UnreadableError:
    if isinstance(error, OSError | ValueError):
        return UnreadableError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    return UnreadableError(path, f"cannot be read: {type(error).__name__}: {error}")


def _make_failing_record(path: Path, error: UnreadableError) -> RecordFile:
    def read() -> Recording:
        raise error

    return RecordFile(path.stem, str(path), read)
