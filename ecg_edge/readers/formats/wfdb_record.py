"""Read WFDB records, a header (.hea) and its signal files, in parts so that a day needs little memory."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.readers.byte_source import ByteSource, BytesSource, FileSource
from ecg_edge.readers.channels import Channels, find_channels
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.formats.wfdb_header import WfdbHeader, WfdbSignal, read_wfdb_header
from ecg_edge.readers.formats.wfdb_signal import DIFFERENCES, FORMATS, Integers, SignalFile
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".hea",)
SUFFIX_PROVES_NOTHING = False
# Samples of all signals that are read at a time.
_TOGETHER = 2**21
_MOST_OF_A_FRAME = 2**14
_MOST_DIFFERENCES = 2**25


class _Differences:
    """A signal file of differences, summed up in memory."""

    lowest = None

    def __init__(self, file: SignalFile, signals: Sequence[WfdbSignal]) -> None:
        if file.data.size > _MOST_DIFFERENCES:
            raise UnreadableError(file.data.source, f"is larger than {_MOST_DIFFERENCES} bytes, too large for format 8")
        self.data = file.data
        steps = file.read(0, file.count_frames())
        widths = [signal.per_frame for signal in signals]
        columns = np.split(steps, np.cumsum(widths)[:-1], axis=1)
        sums = [
            (column.reshape(-1).cumsum(dtype=np.int64) + signal.initial).reshape(column.shape)
            for column, signal in zip(columns, signals, strict=True)
        ]
        self._samples = np.concatenate(sums, axis=1)

    def count_frames(self) -> int:
        """Return the number of whole frames in the file."""
        return len(self._samples)

    def read(self, first: int, last: int) -> Integers:
        """Return the samples of frames `first` to `last`, shape (frames, width)."""
        return self._samples[first:last]


@dataclass(frozen=True, eq=False)
class WfdbSamples:
    """The leads of a WFDB record in millivolts."""

    files: tuple[SignalFile | _Differences, ...]
    places: tuple[tuple[int, int], ...]
    """File of each lead, and its first column in a frame of this file."""
    per_frame: int
    """Samples of a lead in one frame."""
    frames_together: int
    """Number of frames to read at a time."""
    gain: NDArray[np.float64]
    """Millivolts of a converter step, shape (leads, 1)."""
    baseline: NDArray[np.float64]
    """Value of the converter at 0 V, shape (leads, 1)."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.float32))

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` in millivolts, shape (leads, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        first, last = start // self.per_frame, math.ceil(stop / self.per_frame)
        firsts = range(first, max(last, first + 1), self.frames_together)
        parts = [self._read_frames(at, min(at + self.frames_together, last)) for at in firsts]
        leads = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return leads[:, start - first * self.per_frame : stop - first * self.per_frame]

    def _read_frames(self, first: int, last: int) -> NDArray[np.float32]:
        blocks = {file: self.files[file].read(first, last) for file in sorted({file for file, _ in self.places})}
        leads = np.empty((len(self.places), (last - first) * self.per_frame), np.float32)
        for lead, (file, column) in enumerate(self.places):
            samples = blocks[file][:, column : column + self.per_frame].reshape(-1)
            leads[lead] = (samples - self.baseline[lead]) * self.gain[lead]
            lowest = self.files[file].lowest
            if lowest is not None:
                leads[lead][samples == lowest] = np.nan
        return leads


def recognises(head: bytes, name: str) -> bool:
    """Return whether a file is a WFDB header, by its suffix, because the content is plain text."""
    return name.lower().endswith(SUFFIXES) and b"\0" not in head


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the record of a header."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(content: bytes, name: str, source: str, declared: Declared, beside: Beside) -> Recording:
    """Read a record from the bytes of its header.

    Raises:
        UnreadableError: The header or a signal file is damaged or missing.
        InvalidRecordingError: Leads, units or calibration are missing, or the leads have different sampling rates.
    """
    return _read_record(BytesSource(content, source), name, declared, beside)


def _read_file(path: Path, declared: Declared) -> Recording:
    return _read_record(FileSource(path), path.stem, declared, partial(_open_beside, path))


def _read_record(data: ByteSource, name: str, declared: Declared, beside: Beside) -> Recording:
    header, source = read_wfdb_header(data), data.source
    channels = find_channels(
        source, [signal.name for signal in header.signals], _list_units(header, declared), declared
    )
    leads = [header.signals[row] for row in channels.rows]
    per_frame = {signal.per_frame for signal in leads}
    if len(per_frame) > 1:
        msg = f"{source}: its leads have different sampling rates; export all leads at the same rate"
        raise InvalidRecordingError(msg)
    in_frame = sum(signal.per_frame for signal in header.signals)
    if in_frame > _MOST_OF_A_FRAME:
        raise UnreadableError(source, f"has {in_frame} samples in a frame, more than {_MOST_OF_A_FRAME}")
    lead_samples = per_frame.pop()
    rate = declared.rate_of(source, header.rate and header.rate * lead_samples)
    gains = np.array([[declared.gain_of(source, signal.name, signal.gain)] for signal in leads])
    files, n_frames = _open_signal_files(header, source, beside)
    samples = WfdbSamples(
        tuple(files.values()),
        _find_places(header, list(files), channels),
        lead_samples,
        max(1, _TOGETHER // in_frame),
        channels.millivolts / gains,
        np.array([[float(signal.baseline)] for signal in leads]),
        (len(leads), n_frames * lead_samples),
    )
    return Recording(samples, rate, channels.leads, name=name, source=source)


def _list_units(header: WfdbHeader, declared: Declared) -> list[str | None]:
    # By the definition of the format, a gain without a unit is per millivolt.
    return [signal.units or declared.units or "mV" for signal in header.signals]


def _find_places(header: WfdbHeader, files: list[str], channels: Channels) -> tuple[tuple[int, int], ...]:
    """Return the file of each lead and its first column there."""
    ends = dict.fromkeys(files, 0)
    places = []
    for signal in header.signals:
        places.append((files.index(signal.file), ends[signal.file]))
        ends[signal.file] += signal.per_frame
    return tuple(places[row] for row in channels.rows)


def _open_signal_files(
    header: WfdbHeader, source: str, beside: Beside
) -> tuple[dict[str, SignalFile | _Differences], int]:
    """Return the signal files by name, and the number of frames, which all of them must have."""
    files: dict[str, SignalFile | _Differences] = {}
    for name in dict.fromkeys(signal.file for signal in header.signals):
        signals = [signal for signal in header.signals if signal.file == name]
        _check_format(signals, name, source)
        if not re.fullmatch(r"\w[-\w.]*", name, re.ASCII):
            raise UnreadableError(source, f"names the signal file {name!r}, which is not a plain file name")
        width = sum(signal.per_frame for signal in signals)
        file = SignalFile(beside(name), signals[0].format, signals[0].offset, width)
        files[name] = _Differences(file, signals) if file.format == DIFFERENCES else file
        there = files[name].count_frames()
        if not there or (header.frames or 0) > there:
            raise UnreadableError(source, f"states {header.frames or 'some'} frames, but {name} has {there}")
    return files, header.frames or min(file.count_frames() for file in files.values())


def _check_format(signals: Sequence[WfdbSignal], name: str, source: str) -> None:
    formats = {signal.format for signal in signals}
    if len(formats) > 1 or len({signal.offset for signal in signals}) > 1:
        raise UnreadableError(source, f"has signals of different formats or offsets in {name}")
    (found,) = formats
    if found in {"508", "516", "524"}:
        raise UnreadableError(source, f"has signals in FLAC compression (format {found}); save them as format 16")
    if found not in FORMATS:
        raise UnreadableError(source, f"has signals of format {found}; known formats are {' '.join(FORMATS)}")
    if any(signal.skew for signal in signals):
        raise UnreadableError(source, "has signals with a skew: they were not sampled at the same time")


def _open_beside(path: Path, name: str) -> ByteSource:
    """Return a signal file, which must be in the folder of the header, after links are followed."""
    folder = path.resolve().parent
    try:
        signal = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        # A system that does not tell capitals apart may have written the header.
        alike = [file for file in folder.iterdir() if file.name.casefold() == name.casefold()]
        if len(alike) != 1:
            raise UnreadableError(path, f"names the signal file {name}, which does not exist") from error
        signal = alike[0].resolve()
    if signal.parent != folder:
        raise UnreadableError(path, f"names the signal file {name}, which is a link out of its folder")
    return FileSource(signal)
