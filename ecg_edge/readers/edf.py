"""EDF and EDF+ by edfio: the header by the library, the samples in stretches, so that a day fits in little memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, MissingExtraError, UnreadableError
from ecg_edge.readers.channels import Channels, find_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.record_file import RecordFile
from ecg_edge.readers.stored import Stored, StoredBytes, StoredFile
from ecg_edge.recording import Recording

SUFFIXES = (".edf",)
SUFFIX_PROVES_NOTHING = False
_VERSION = b"0       "
_BYTES_OF_A_HEADER = 256
_MOST_SIGNALS = 512
# Data records up to this size are read whole; of larger ones only the leads' parts.
_SMALL_DATA_RECORD = 2**18


@dataclass(frozen=True, slots=True)
class EdfSamples:
    """The leads of an EDF file in millivolts, read in stretches."""

    stored: Stored
    offset: int
    """Where the data records begin, in bytes."""
    record_length: int
    """Samples of all signals in one data record."""
    starts: tuple[int, ...]
    """First sample of each lead in a data record."""
    each: int
    """Samples of one lead in a data record."""
    gain: NDArray[np.float64]
    """Millivolts of a digital step, shape (leads, 1)."""
    zero: NDArray[np.float64]
    """Millivolts of the digital value 0, shape (leads, 1)."""
    shape: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the samples."""
        return np.dtype(np.float32)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop`, shape (leads, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        first, last = start // self.each, -(-stop // self.each)
        if self.record_length <= _SMALL_DATA_RECORD:
            digital = self._whole_records(first, last)[:, start - first * self.each : stop - first * self.each]
        else:
            digital = self._parts(start, stop)
        return (digital * self.gain + self.zero).astype(np.float32)

    def _whole_records(self, first: int, last: int) -> NDArray[np.int16]:
        length = 2 * self.record_length
        (content,) = self.stored.read((self.offset + first * length, (last - first) * length))
        records = np.frombuffer(content, "<i2").reshape(last - first, self.record_length)
        return np.stack([records[:, at : at + self.each].reshape(-1) for at in self.starts])

    def _parts(self, start: int, stop: int) -> NDArray[np.int16]:
        spans = []
        for lead in self.starts:
            for record in range(start // self.each, -(-stop // self.each)):
                begin, end = max(start - record * self.each, 0), min(stop - record * self.each, self.each)
                spans.append((self.offset + 2 * (record * self.record_length + lead + begin), 2 * (end - begin)))
        return np.frombuffer(b"".join(self.stored.read(*spans)), "<i2").reshape(len(self.starts), -1)


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is an EDF or EDF+."""
    return head.startswith(_VERSION) and head[184:192].strip().isdigit()


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the one recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(content: bytes, name: str, source: str, declared: Declared = NOTHING) -> Recording:
    """Read a recording from the bytes of an EDF file.

    Raises:
        UnreadableError: The bytes are not a continuous EDF file, or fewer than its header promises.
        InvalidRecordingError: It does not hold twelve leads of one rate.
        MissingExtraError: edfio is not installed.
    """
    return _recording(StoredBytes(content, source), name, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    return _recording(StoredFile(path), path.stem, declared)


def _recording(stored: Stored, name: str, declared: Declared) -> Recording:
    try:
        samples, rate, leads = _opened(stored, declared)
    except EcgEdgeError:
        raise
    except Exception as error:  # a damaged header raises many kinds
        raise UnreadableError(stored.source, f"is not a sound EDF file: {error}") from error
    return Recording(samples, declared.rate_of(stored.source, rate), leads, name=name, source=stored.source)


def _opened(stored: Stored, declared: Declared) -> tuple[EdfSamples, float, tuple[str, ...]]:
    raw = _header(stored)
    header = _parsed(raw)
    signals = header.signals
    # edfio hides EDF+'s annotations among the signals' places; their samples count all the same.
    hidden = [each for each in header._signals if each.label == "EDF Annotations"]  # noqa: SLF001 - no public way
    everything = [each for each in header._signals]  # noqa: C416, SLF001 - no public way
    del hidden, signals
    channels = find_channels(
        stored.source, [each.label for each in everything], [each.physical_dimension for each in everything], declared
    )
    lengths = [each.samples_per_data_record for each in everything]
    each, rate = _common(everything, channels)
    n_records = _n_records(stored, len(raw), sum(lengths), int(raw[236:244]))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    gain, zero = _calibration([everything[row] for row in channels.rows])
    samples = EdfSamples(
        stored,
        len(raw),
        sum(lengths),
        tuple(int(starts[row]) for row in channels.rows),
        each,
        gain * channels.millivolts,
        zero * channels.millivolts,
        (len(channels.rows), n_records * each),
    )
    return samples, rate, channels.leads
