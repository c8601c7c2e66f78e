"""Read EDF, BDF and their "+" versions: a fixed header and samples of 16 or 24 bits, in parts for little memory.

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
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.formats.edf_header import EdfHeader, find_kind, read_edf_header
from ecg_edge.readers.formats.edf_times import check_times
from ecg_edge.readers.formats.packed import unpack_24
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".edf", ".bdf")
SUFFIX_PROVES_NOTHING = False
DESCRIPTIONS = (
    FormatDescription(
        name="EDF and EDF+",
        files="`.edf`",
        stated="units of each lead, the duration of a data record",
        checked="counts against the length of the file, calibrations, the times of the data records of EDF+D",
        refused=(
            "gaps or overlaps in EDF+D, leads of different rates, leads without calibration, files that are cut off"
        ),
    ),
    FormatDescription(
        name="BDF and BDF+ (24 bits)",
        files="`.bdf`",
        stated="as in EDF",
        checked="as in EDF",
        refused="as in EDF",
    ),
)
# Up to this number of samples, data records are read whole; otherwise only the leads in them are read.
_MOST_TOGETHER = 2**23
_MOST_OTHERS = 1000
"""A data record may hold this many times more samples than the leads in it. Reading would take too long."""


@dataclass(frozen=True, slots=True)
class EdfSamples:
    """The leads of an EDF or BDF file in millivolts, read in parts."""

    data: ByteSource
    width: int
    """Bytes of a sample: 2 in EDF, 3 in BDF."""
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
    """Whether the lowest number is outside the lead's range, and so marks a missing sample, shape (leads, 1)."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` in millivolts, shape (leads, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        n_records = (stop - start) // self.lead_length + 2
        small = n_records * self.data_record <= _MOST_TOGETHER
        digital = self._read_whole_records(start, stop) if small else self._read_parts(start, stop)
        leads: NDArray[np.float32] = (digital * self.gain + self.zero).astype(np.float32)
        missing = (digital == -(1 << (8 * self.width - 1))) & self.marked
        return np.where(missing, np.float32("nan"), leads) if missing.any() else leads

    def _read_whole_records(self, start: int, stop: int) -> NDArray[np.signedinteger]:
        first = start // self.lead_length
        n_records = math.ceil(stop / self.lead_length) - first
        length = self.width * self.data_record
        (content,) = self.data.read((self.offset + first * length, n_records * length))
        records = self._unpack(content).reshape(n_records, self.data_record)
        leads = np.stack([records[:, at : at + self.lead_length].reshape(-1) for at in self.starts])
        return leads[:, start - first * self.lead_length : stop - first * self.lead_length]

    def _read_parts(self, start: int, stop: int) -> NDArray[np.signedinteger]:
        records = range(start // self.lead_length, math.ceil(stop / self.lead_length))
        spans = [self._locate(record, lead, start, stop) for lead in self.starts for record in records]
        return self._unpack(b"".join(self.data.read(*spans))).reshape(len(self.starts), -1)

    def _unpack(self, content: bytes) -> NDArray[np.signedinteger]:
        return np.frombuffer(content, "<i2") if self.width == 2 else unpack_24(np.frombuffer(content, np.uint8))

    def _locate(self, record: int, lead: int, start: int, stop: int) -> tuple[int, int]:
        """Return offset and length, in bytes, of what one data record holds of samples `start` to `stop` of a lead."""
        before = record * self.lead_length
        begin, end = max(start - before, 0), min(stop - before, self.lead_length)
        return self.offset + self.width * (record * self.data_record + lead + begin), self.width * (end - begin)


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is an EDF or a BDF."""
    return find_kind(head) is not None and head[184:192].strip(b"\0 ").isdigit()


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read a recording from the bytes of an EDF or BDF file.

    Raises:
        UnreadableError: The bytes are not such a file, it has gaps, or it is cut off.
        InvalidRecordingError: Leads or units are missing, or the leads have different sampling rates.
    """
    return _read_recording(BytesSource(content, source), name, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    return _read_recording(FileSource(path), path.stem, declared)


def _read_recording(data: ByteSource, name: str, declared: Declared) -> Recording:
    try:
        header = read_edf_header(data)
        samples, leads = _open_samples(header, data, declared)
        rate = declared.rate_of(data.source, _compute_rate(samples.lead_length, header.duration))
    except EcgEdgeError:
        raise
    except (ValueError, ArithmeticError) as error:
        raise UnreadableError(data.source, "is not a valid EDF or BDF file: its header cannot be read") from error
    return Recording(samples, rate, leads, name=name, source=data.source)


def _open_samples(header: EdfHeader, data: ByteSource, declared: Declared) -> tuple[EdfSamples, tuple[str, ...]]:
    columns, lengths = header.columns, header.lengths
    channels = find_channels(data.source, columns["label"], columns["units"], declared)
    lead_length = _require_one_length(data.source, {lengths[row] for row in channels.rows})
    if sum(lengths) > _MOST_OTHERS * lead_length * len(channels.rows):
        why = f"has {sum(lengths)} samples in a data record, but only {lead_length * len(channels.rows)} of the leads"
        raise UnreadableError(data.source, f"{why}; export the leads alone")
    n_records = header.count_records(data)
    gain, zero = _read_calibration(data.source, columns, channels.rows)
    if header.may_have_gaps:
        check_times(header, data, n_records, lead_length)
    lowest = -(1 << (8 * header.width - 1))
    samples = EdfSamples(
        data,
        header.width,
        header.offset,
        sum(lengths),
        tuple(sum(lengths[:row]) for row in channels.rows),
        lead_length,
        gain * channels.millivolts,
        zero * channels.millivolts,
        np.array([[float(columns["digital_min"][row]) > lowest] for row in channels.rows]),
        (len(channels.rows), n_records * lead_length),
        np.dtype(np.float32),
    )
    return samples, channels.leads


def _compute_rate(lead_length: int, duration: float | None) -> float | None:
    """Return the sampling rate in Hz; None if the file does not state the duration of a data record."""
    return lead_length / duration if duration else None


def _require_one_length(source: str, lengths: set[int]) -> int:
    """Return the number of samples of a lead in a data record, the same for all leads."""
    if len(lengths) > 1:
        msg = f"{source}: its leads have different sampling rates; export all leads at the same rate"
        raise InvalidRecordingError(msg)
    return lengths.pop()


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
