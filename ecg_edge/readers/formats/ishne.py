"""Read ISHNE Holter files: fixed fields and 16-bit samples, read in parts so that a day needs little memory.

No library is used: the one that reads the other vendors' files holds four copies of the signal in memory, and takes
the mark of a missing sample for a voltage.
"""

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Note
from ecg_edge.readers.byte_source import ByteSource, BytesSource, FileSource
from ecg_edge.readers.channels import find_calibrated_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".ecg",)
SUFFIX_PROVES_NOTHING = True
DESCRIPTIONS = (
    FormatDescription(
        name="ISHNE Holter",
        files="`.ecg`",
        stated="rate, the name of each lead and the value of its step",
        checked="the checksum of the header and the stated number of samples: a wrong one is a warning",
        refused="two places for the samples, more than 12 leads, files without samples",
    ),
)
_MAGIC = b"ISHNE1.0"
_HEADER = 522
_MOST_LEADS = 12
_MOST_COMMENTS = 2**20
_MISSING = -(2**15)
_NAMES = {
    **dict(enumerate(("X", "Y", "Z"), 2)),
    **dict(enumerate(("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6", "ES", "AS", "AI"), 5)),
}


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header of an ISHNE file states."""

    offset: int
    """Position of the first sample, in bytes."""
    n_frames: int
    """Samples of each channel in the file."""
    codes: tuple[int, ...]
    """Code of the name of each channel."""
    nanovolts: tuple[int, ...]
    """Value of a step of each channel."""
    rate: int
    """Samples per second."""
    notes: tuple[Note, ...]
    """What to warn of."""


@dataclass(frozen=True, slots=True, eq=False)
class IshneSamples:
    """The leads of an ISHNE file in millivolts, read in parts."""

    data: ByteSource
    offset: int
    """Position of the first sample, in bytes."""
    n_channels: int
    rows: tuple[int, ...]
    """Channel of each lead."""
    step: NDArray[np.float64]
    """Millivolts of a step, shape (leads, 1)."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic] = field(default_factory=lambda: np.dtype(np.float32))

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` in millivolts, shape (leads, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        frame = 2 * self.n_channels
        (content,) = self.data.read((self.offset + start * frame, max(stop - start, 0) * frame))
        steps = np.frombuffer(content, "<i2").reshape(-1, self.n_channels)[:, list(self.rows)].T
        leads = (steps * self.step).astype(np.float32)
        leads[steps == _MISSING] = np.nan
        return leads


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is an ISHNE file with a signal."""
    return head.startswith(_MAGIC)


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read a recording from the bytes of an ISHNE file.

    Raises:
        UnreadableError: The bytes are not an ISHNE file, or the file is cut off.
        InvalidRecordingError: Leads, calibration or rate are missing.
    """
    return _read_recording(BytesSource(content, source), name, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    return _read_recording(FileSource(path), path.stem, declared)


def _read_recording(data: ByteSource, name: str, declared: Declared) -> Recording:
    header = _read_header(data)
    names = [_NAMES.get(code, f"code {code}") for code in header.codes]
    steps = [max(step, 0) for step in header.nanovolts]
    channels = find_calibrated_channels(data.source, names, ["nV"] * len(names), steps, declared)
    samples = IshneSamples(
        data,
        header.offset,
        len(header.codes),
        channels.rows,
        channels.millivolts,
        (len(channels.rows), header.n_frames),
    )
    rate = declared.rate_of(data.source, header.rate)
    return Recording(samples, rate, channels.leads, name=name, source=data.source, notes=header.notes)


def _read_header(data: ByteSource) -> _Header:
    if data.size < _HEADER or not (fixed := data.read((0, _HEADER))[0]).startswith(_MAGIC):
        raise UnreadableError(data.source, "is not a valid ISHNE file: its header is missing or cut off")
    checksum, n_comments, promised, _, place = struct.unpack_from("<Hiiii", fixed, 8)
    (n_channels,), (rate,) = struct.unpack_from("<h", fixed, 156), struct.unpack_from("<h", fixed, 272)
    if not 0 < n_channels <= _MOST_LEADS:
        raise UnreadableError(data.source, f"is not a valid ISHNE file: it has {n_channels} leads")
    if not 0 <= n_comments <= _MOST_COMMENTS:
        raise UnreadableError(data.source, f"is not a valid ISHNE file: it has {n_comments} bytes of comments")
    offset = _HEADER + n_comments
    if place not in {0, offset}:
        raise UnreadableError(data.source, f"states that its samples begin at byte {place}, but also at {offset}")
    n_frames = (data.size - offset) // (2 * n_channels)
    if n_frames < 1:
        raise UnreadableError(data.source, "is cut off: it has no samples")
    (covered,) = data.read((10, offset - 10))
    notes = tuple(_list_notes(covered, checksum, promised, n_frames, n_channels))
    codes, nanovolts = (struct.unpack_from(f"<{n_channels}h", fixed, place) for place in (158, 206))
    return _Header(offset, n_frames, codes, nanovolts, rate, notes)


def _list_notes(covered: bytes, checksum: int, promised: int, n_frames: int, n_channels: int) -> Iterator[Note]:
    """Yield what to warn of, given the bytes that the checksum covers."""
    # Some writers state more samples than they write, or those of all leads together.
    if promised > n_frames and promised != n_frames * n_channels:
        why = f"the file states {promised} samples of a lead, but has {n_frames}; its end may be missing"
        yield Note("fewer_samples", why)
    found = binascii.crc_hqx(covered, 0xFFFF)
    # The standard does not say in which order the two bytes of the checksum are written.
    if checksum not in {0, found, (found & 0xFF) << 8 | found >> 8}:
        why = "the header does not have the checksum that it states, so the file may be damaged"
        yield Note("wrong_checksum", why)
