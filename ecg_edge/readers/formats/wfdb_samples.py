"""The leads of a WFDB record, read in parts from its signal files, and the checksums of their samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.formats.wfdb_header import WfdbSignal
from ecg_edge.readers.formats.wfdb_signal import Integers, SignalFile

_MOST_DIFFERENCES = 2**25
# An hour of twelve leads at 500 Hz has 22 million samples. Checking many more would take seconds.
_MOST_CHECKED = 2**26


class Differences:
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
        self.width = file.width

    def count_frames(self) -> int:
        """Return the number of whole frames in the file."""
        return len(self._samples)

    def read(self, first: int, last: int) -> Integers:
        """Return the samples of frames `first` to `last`, shape (frames, width)."""
        return self._samples[first:last]


class Place(NamedTuple):
    """Where the samples of a lead are."""

    file: int
    """Index of its file."""
    column: int
    """Its first column in a frame of this file."""
    skew: int
    """Frames by which it comes late."""


@dataclass(frozen=True, eq=False)
class WfdbSamples:
    """The leads of a WFDB record in millivolts."""

    files: tuple[SignalFile | Differences, ...]
    places: tuple[Place, ...]
    """Where each lead is."""
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
        blocks = {
            key: self._read_block(*key, first, last) for key in {(place.file, place.skew) for place in self.places}
        }
        leads = np.full((len(self.places), (last - first) * self.per_frame), np.nan, np.float32)
        for lead, place in enumerate(self.places):
            samples = blocks[place.file, place.skew][:, place.column : place.column + self.per_frame].reshape(-1)
            found = leads[lead, : len(samples)]
            found[:] = (samples - self.baseline[lead]) * self.gain[lead]
            lowest = self.files[place.file].lowest
            if lowest is not None:
                found[samples == lowest] = np.nan
        return leads

    def _read_block(self, file: int, skew: int, first: int, last: int) -> Integers:
        """Return the frames of a file that hold what was recorded in some frames; fewer at the end of the file."""
        there = self.files[file].count_frames()
        return self.files[file].read(min(first + skew, there), min(last + skew, there))


def find_wrong_checksums(samples: WfdbSamples, signals: Sequence[WfdbSignal], n_frames: int) -> list[bool]:
    """Return of each lead whether its samples do not have the checksum that the header states.

    A checksum that is not stated is not wrong. Leads with a skew, and records of more than 67 million samples, are not
    checked.

    Args:
        samples: The leads.
        signals: Signal line of each lead.
        n_frames: Number of frames.

    Raises:
        UnreadableError: A signal file cannot be read.
    """
    stated = [None if signal.skew else signal.checksum for signal in signals]
    in_frame = sum(file.width for file in samples.files)
    if n_frames * in_frame > _MOST_CHECKED or not any(checksum is not None for checksum in stated):
        return [False] * len(signals)
    sums = [0] * len(signals)
    for first in range(0, n_frames, samples.frames_together):
        blocks = [file.read(first, min(first + samples.frames_together, n_frames)) for file in samples.files]
        for lead, place in enumerate(samples.places):
            columns = slice(place.column, place.column + samples.per_frame)
            sums[lead] += int(blocks[place.file][:, columns].sum(dtype=np.int64))
    return [
        checksum is not None and (found - checksum) % 2**16 != 0 for found, checksum in zip(sums, stated, strict=True)
    ]
