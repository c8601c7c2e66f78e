"""Read EDF and EDF+: a header of fixed columns and 16-bit samples, read in parts so that a day needs little memory.

No library is used: existing ones read the whole file or map it into memory, and a mapped file that shrinks crashes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, UnreadableError
from ecg_edge.readers.byte_source import ByteSource, BytesSource, FileSource
from ecg_edge.readers.channels import find_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".edf",)
SUFFIX_PROVES_NOTHING = False
_MOST_SIGNALS = 512
# Columns of the second part of the header, and their widths in bytes.
_COLUMNS = {
    "label": 16,
    "transducer": 80,
    "units": 8,
    "physical_min": 8,
    "physical_max": 8,
    "digital_min": 8,
    "digital_max": 8,
    "prefiltering": 80,
    "samples": 8,
}
# Up to this number of samples, data records are read whole; otherwise only the leads in them are read.
_MOST_TOGETHER = 2**23
_MOST_OTHERS = 1000
"""A data record may hold this many times more samples than the leads in it. Reading would take too long."""
_MISSING = -(2**15)


@dataclass(frozen=True, slots=True)
class EdfSamples:
    """The leads of an EDF file in millivolts, read in parts."""

    data: ByteSource
    offset: int
    """Position of the first data record, in bytes."""
    data_record: int
    """Samples of all signals in one data record."""
    starts: tuple[int, ...]
    """First sample of each lead in a data record."""
    lead_length: int
    """Samples of one lead in a data record."""
    gain: NDArray[np.float64]
    """Millivolts of a digital step, shape (leads, 1)."""
    zero: NDArray[np.float64]
    """Millivolts of the digital value 0, shape (leads, 1)."""
    marked: NDArray[np.bool_]
    """Whether the lowest 16-bit number is outside the lead's range, and so marks a missing sample, shape (leads, 1)."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` in millivolts, shape (leads, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        n_records = (stop - start) // self.lead_length + 2
        small = n_records * self.data_record <= _MOST_TOGETHER
        digital = self._read_whole_records(start, stop) if small else self._read_parts(start, stop)
        leads: NDArray[np.float32] = (digital * self.gain + self.zero).astype(np.float32)
        missing = (digital == _MISSING) & self.marked
        return np.where(missing, np.float32("nan"), leads) if missing.any() else leads

    def _read_whole_records(self, start: int, stop: int) -> NDArray[np.int16]:
        first = start // self.lead_length
        n_records = math.ceil(stop / self.lead_length) - first
        length = 2 * self.data_record
        (content,) = self.data.read((self.offset + first * length, n_records * length))
        records = np.frombuffer(content, "<i2").reshape(n_records, self.data_record)
        leads = np.stack([records[:, at : at + self.lead_length].reshape(-1) for at in self.starts])
        return leads[:, start - first * self.lead_length : stop - first * self.lead_length]

    def _read_parts(self, start: int, stop: int) -> NDArray[np.int16]:
        records = range(start // self.lead_length, math.ceil(stop / self.lead_length))
        spans = [self._locate(record, lead, start, stop) for lead in self.starts for record in records]
        return np.frombuffer(b"".join(self.data.read(*spans)), "<i2").reshape(len(self.starts), -1)

    def _locate(self, record: int, lead: int, start: int, stop: int) -> tuple[int, int]:
        """Return offset and length, in bytes, of what one data record holds of samples `start` to `stop` of a lead."""
        before = record * self.lead_length
        begin, end = max(start - before, 0), min(stop - before, self.lead_length)
        return self.offset + 2 * (record * self.data_record + lead + begin), 2 * (end - begin)


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is an EDF or EDF+."""
    return head[:8].strip(b"\0 ") == b"0" and head[184:192].strip(b"\0 ").isdigit()


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read a recording from the bytes of an EDF file.

    Raises:
        UnreadableError: The bytes are not a continuous EDF file, or the file is cut off.
        InvalidRecordingError: Leads or units are missing, or the leads have different sampling rates.
    """
    return _read_recording(BytesSource(content, source), name, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    return _read_recording(FileSource(path), path.stem, declared)


def _read_recording(data: ByteSource, name: str, declared: Declared) -> Recording:
    try:
        samples, rate, leads = _read_header(data, declared)
    except EcgEdgeError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise UnreadableError(data.source, "is not a valid EDF file: its header cannot be read") from error
    return Recording(samples, declared.rate_of(data.source, rate), leads, name=name, source=data.source)


def _read_header(data: ByteSource, declared: Declared) -> tuple[EdfSamples, float | None, tuple[str, ...]]:
    (first,) = data.read((0, 256))
    if first[192:197] == b"EDF+D":
        raise UnreadableError(data.source, "is an EDF+D file, a recording with gaps; export its parts as EDF+C")
    columns = _read_columns(data, int(_clean(first[252:256])))
    channels = find_channels(data.source, columns["label"], columns["units"], declared)
    lengths = [int(cell) for cell in columns["samples"]]
    if min(lengths) < 0:
        raise UnreadableError(data.source, "is not a valid EDF file: a signal has a negative number of samples")
    lead_length = _require_one_length(data.source, {lengths[row] for row in channels.rows})
    if sum(lengths) > _MOST_OTHERS * lead_length * len(channels.rows):
        why = f"has {sum(lengths)} samples in a data record, but only {lead_length * len(channels.rows)} of the leads"
        raise UnreadableError(data.source, f"{why}; export the leads alone")
    offset = 256 * (1 + len(lengths))
    n_records = _count_records(data, int(_clean(first[236:244])), offset, sum(lengths))
    gain, zero = _read_calibration(data.source, columns, channels.rows)
    samples = EdfSamples(
        data,
        offset,
        sum(lengths),
        tuple(sum(lengths[:row]) for row in channels.rows),
        lead_length,
        gain * channels.millivolts,
        zero * channels.millivolts,
        np.array([[float(columns["digital_min"][row]) > _MISSING] for row in channels.rows]),
        (len(channels.rows), n_records * lead_length),
        np.dtype(np.float32),
    )
    return samples, _compute_rate(lead_length, first[244:252]), channels.leads


def _compute_rate(lead_length: int, duration: bytes) -> float | None:
    """Return the sampling rate in Hz; None if the duration of a data record is not a positive number of seconds."""
    try:
        seconds = float(_clean(duration))
    except ValueError:
        return None
    return lead_length / seconds if seconds > 0 else None


def _clean(cell: bytes) -> str:
    """Return a cell without its padding, with a decimal point."""
    return cell.decode("latin-1").strip("\0 ").replace(",", ".")


def _require_one_length(source: str, lengths: set[int]) -> int:
    """Return the number of samples of a lead in a data record, the same for all leads."""
    if len(lengths) > 1:
        msg = f"{source}: its leads have different sampling rates; export all leads at the same rate"
        raise InvalidRecordingError(msg)
    return lengths.pop()


def _read_columns(data: ByteSource, n_signals: int) -> dict[str, list[str]]:
    if not 0 < n_signals <= _MOST_SIGNALS:
        raise UnreadableError(data.source, f"is not a valid EDF file: it has {n_signals} signals")
    (content,) = data.read((256, 256 * n_signals))
    columns, at = {}, 0
    for name, width in _COLUMNS.items():
        cells = [content[at + i * width : at + (i + 1) * width] for i in range(n_signals)]
        columns[name] = [cell.decode("latin-1").strip("\0 ") for cell in cells]
        at += width * n_signals
    return columns


def _count_records(data: ByteSource, promised: int, offset: int, data_record: int) -> int:
    """Return the number of data records; -1 in the header means that the recorder did not state it."""
    there = (data.size - offset) // (2 * data_record)
    if promised < -1:
        raise UnreadableError(data.source, f"is not a valid EDF file: it has {promised} data records")
    if promised > there:
        raise UnreadableError(data.source, f"is cut off: its header states {promised} data records, found {there}")
    return there if promised < 0 else promised


def _read_calibration(
    source: str, columns: dict[str, list[str]], rows: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high, least, most = (
        np.array([[float(columns[name][row].replace(",", "."))] for row in rows])
        for name in ("physical_min", "physical_max", "digital_min", "digital_max")
    )
    if not ((low != high) & (least != most) & np.isfinite(low + high + least + most)).all():
        raise UnreadableError(source, "has a lead without calibration: its minimum and maximum are equal or not finite")
    gain = (high - low) / (most - least)
    return gain, low - least * gain
