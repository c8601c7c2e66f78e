"""Read WFDB records, a header (.hea) and its signal files, in parts with the wfdb library.

The library opens every file that a header names, even over the network, so the header is checked first.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, MissingExtraError, UnreadableError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.channels import Channels, find_channels
from ecg_edge.readers.declared import Declared
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".hea",)
SUFFIX_PROVES_NOTHING = False
_LONGEST_HEADER = 2**16
_LONGEST_LINE = 1000
_MOST_SIGNALS = 512
# Name, signals, rate (and counter), samples and time. The library silently ignores parts that it does not understand.
_RECORD_LINE = rb"\s*\S+\s+\d+(\s+(\d+\.?\d*|\.\d+)(/\S*)?(\s+\d+(\s.*)?)?)?\s*"
# Bits of a sample. Format 8 (differences) and compressed formats cannot be read from the middle in bounded memory.
_BITS = {"16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
# Number of samples, over all signals, to read at a time.
_AHEAD = 2**19
_MOST_OF_A_FRAME = 2**14


@dataclass(eq=False)
class WfdbSamples:
    """The leads of a WFDB record in millivolts; reads ahead, because each library call reads the header again."""

    base: str
    """Path of the header without suffix."""
    files: tuple[FileSource, ...]
    """The header and the signal files, which must stay as they were checked."""
    channels: Channels
    per_frame: int
    """Samples of a lead in one frame."""
    frames_ahead: int
    """Minimum number of frames to read at a time."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.float32))
    _ahead: tuple[int, NDArray[np.float32]] = field(default_factory=lambda: (0, np.empty((0, 0), np.float32)))

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` in millivolts, shape (leads, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        begin, block = self._ahead
        if not begin <= start <= stop <= begin + block.shape[1]:
            first = start // self.per_frame
            last = min(
                max(math.ceil(stop / self.per_frame), first + self.frames_ahead), self.shape[1] // self.per_frame
            )
            begin, block = self._ahead = first * self.per_frame, self._read_frames(first, last)
        return block[:, start - begin : stop - begin]

    def _read_frames(self, first: int, last: int) -> NDArray[np.float32]:
        for file in self.files:
            file.check()
        wanted = list(self.channels.rows)
        try:
            record = _import_wfdb().rdrecord(
                self.base, sampfrom=first, sampto=last, channels=wanted, physical=True, smooth_frames=False
            )
            leads = np.stack(record.e_p_signal)
        except Exception as error:  # the library raises many kinds of errors for damaged files
            raise UnreadableError(self.files[0].source, f"cannot be read by the wfdb library: {error}") from error
        return (leads * self.channels.millivolts).astype(np.float32)


def recognises(head: bytes, name: str) -> bool:
    """Return whether a file is a WFDB header, by its suffix, because the content is plain text."""
    return name.endswith(SUFFIXES) and b"\0" not in head


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the record of a header."""
    yield RecordFile(path.stem, str(path), partial(_read, path, declared))


def _read(path: Path, declared: Declared) -> Recording:
    source, base = str(path), str(path.resolve())[: -len(path.suffix)]
    if "::" in base or "://" in base:
        raise UnreadableError(path, "has a path that the wfdb library takes for a network address; rename its folder")
    file = FileSource(path)
    _check_text(file)
    header = _read_header(base, source)
    if len(header.file_name) != header.n_sig or not 0 < header.n_sig <= _MOST_SIGNALS:
        raise UnreadableError(path, f"states {header.n_sig} signals, but it describes {len(header.file_name)}")
    names = [name or "" for name in header.sig_name]
    channels = find_channels(source, names, header.units, declared)
    if not all(np.isfinite(header.adc_gain[row]) and header.adc_gain[row] for row in channels.rows):
        raise UnreadableError(path, "has a lead whose gain is missing or not finite")
    per_frame = {header.samps_per_frame[row] or 1 for row in channels.rows}
    if len(per_frame) > 1:
        msg = f"{source}: its leads have different sampling rates; export all leads at the same rate"
        raise InvalidRecordingError(msg)
    frames, files = _count_frames(path, header)
    lead_samples = per_frame.pop()
    in_frame = sum(n_samples or 1 for n_samples in header.samps_per_frame)
    if in_frame > _MOST_OF_A_FRAME:
        raise UnreadableError(path, f"has {in_frame} samples in a frame, more than {_MOST_OF_A_FRAME}")
    shape = (len(channels.rows), frames * lead_samples)
    samples = WfdbSamples(base, (file, *files), channels, lead_samples, math.ceil(_AHEAD / in_frame), shape)
    rate = declared.rate_of(source, header.fs * lead_samples)
    return Recording(samples, rate, channels.leads, name=path.stem, source=source)


def _check_text(file: FileSource) -> None:
    """Refuse a header that the library would misread or read slowly."""
    if file.size > _LONGEST_HEADER:
        raise UnreadableError(file.source, f"has {file.size} bytes, too many for a header (at most {_LONGEST_HEADER})")
    lines = [line for line in file.read((0, file.size))[0].splitlines() if not line.strip().startswith(b"#")]
    lines = [line for line in lines if line.strip()]
    if any(len(line) > _LONGEST_LINE for line in lines):
        raise UnreadableError(file.source, f"has a line of more than {_LONGEST_LINE} characters")
    # The library drops characters that are not ASCII, which turns microvolts (µV) into volts.
    if not all(line.isascii() for line in lines):
        raise UnreadableError(file.source, "has characters that are not ASCII; write microvolts as uV")
    if not lines or not re.fullmatch(_RECORD_LINE, lines[0]):
        raise UnreadableError(
            file.source, "is not a valid WFDB header: its first line must be name, signals, rate and samples"
        )


def _import_wfdb() -> Any:  # noqa: ANN401 - wfdb has no type hints
    try:
        import wfdb
    except ImportError as error:
        raise MissingExtraError("a WFDB record", "wfdb") from error
    return wfdb


def _read_header(base: str, source: str) -> Any:  # noqa: ANN401 - wfdb has no type hints
    library = _import_wfdb()
    try:
        header = library.rdheader(base)
    except Exception as error:  # the library raises many kinds of errors for damaged headers
        raise UnreadableError(source, f"is not a valid WFDB header: {error}") from error
    if getattr(header, "n_seg", None) is not None:
        raise UnreadableError(source, "is a record of several segments; pass the header of one segment")
    if not getattr(header, "file_name", None) or not header.fs:
        raise UnreadableError(source, "is a WFDB header without signals")
    return header


def _count_frames(path: Path, header: Any) -> tuple[int, list[FileSource]]:  # noqa: ANN401 - wfdb has no type hints
    """Return the number of frames, which all signal files must hold, and the signal files."""
    frames, files = header.sig_len, []
    for name in dict.fromkeys(header.file_name):
        rows = [row for row, file_name in enumerate(header.file_name) if file_name == name]
        files.append(_open_signal_file(path, name))
        there = _count_frames_of_file(path, header, rows, files[-1].size)
        frames = there if frames is None else frames
        if frames > there:
            raise UnreadableError(path, f"states {frames} frames, but {name} has {there}")
    return frames, files


def _count_frames_of_file(path: Path, header: Any, rows: list[int], size: int) -> int:  # noqa: ANN401
    kinds = {(header.fmt[row], header.byte_offset[row] or 0) for row in rows}
    kind, offset = kinds.pop()
    if kinds or kind not in _BITS or any(header.skew[row] for row in rows):
        raise UnreadableError(
            path,
            f"has signals of format {kind}, several formats in one file, or skew; known formats are {' '.join(_BITS)}",
        )
    in_frame = sum(header.samps_per_frame[row] or 1 for row in rows)
    return max(0, int((size - offset) * 8 / (_BITS[kind] * in_frame)))


def _open_signal_file(path: Path, name: str) -> FileSource:
    """Return a signal file, which must be in the folder of the header, after links are followed."""
    if not re.fullmatch(r"\w[-\w]*(\.\w+)?", name, re.ASCII):
        raise UnreadableError(path, f"names the signal file {name!r}, which is not a plain file name")
    signal = path.resolve().with_name(name)
    try:
        inside = signal.resolve(strict=True).parent == path.resolve().parent
    except (OSError, RuntimeError) as error:
        raise UnreadableError(path, f"names the signal file {name}, which does not exist") from error
    if not inside:
        raise UnreadableError(path, f"names the signal file {name}, which is a link out of its folder")
    return FileSource(signal)
