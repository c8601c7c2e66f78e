"""Read NumPy .npy files of any real data type, in C or Fortran order, with their sidecar if there is one.

Without a sidecar, the default is mV, 500 Hz and the standard lead order.
"""

import math
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError, WrongShapeError, WrongTypeError
from ecg_edge.readers.byte_source import ByteSource, BytesSource, FileSource
from ecg_edge.readers.content import describe_content
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.formats.npy_sidecar import Stated, add_sidecar, open_packed, open_sidecar
from ecg_edge.readers.registry import HEAD, Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".npy",)
SUFFIX_PROVES_NOTHING = False
DESCRIPTIONS = (
    FormatDescription(
        name="NumPy array",
        files="`.npy`, with its sidecar `.json` if there is one",
        stated=(
            "rate, units and leads: by the sidecar or the caller; otherwise 500 Hz, mV and the twelve leads in "
            "their usual order"
        ),
        checked="shape (leads, samples), real numbers, the length of the file, and that the sidecar fits the array",
        refused=(
            "pickles, complex numbers, text, arrays that are cut off, a sidecar that is damaged or contradicts "
            "the caller"
        ),
    ),
)
_MAGIC = b"\x93NUMPY"
# By default NumPy refuses longer headers.
_LONGEST_HEADER = 11_000
# Python's own parser would run out of stack on a header that nests deeply.
_ITEM = (
    rb"\s*(?:'(?P<key>descr)'\s*:\s*'(?P<descr>[^']{1,32})'|'(?P<key_>fortran_order)'\s*:\s*(?P<fortran>True|False)"
    rb"|'(?P<key__>shape)'\s*:\s*\((?P<shape>[-\d\s,L]{0,200})\))\s*(?:,|(?=\}))"
)
_VERSIONS = (b"\x01\0", b"\x02\0", b"\x03\0")
_STRUCTURED = rb"'descr'\s*:\s*\["
# Larger files are read in parts: a day of 12 leads takes 2 GB.
_WHOLE_BELOW = 16 * 2**20
_MOST_OF_A_STREAM = 512 * 2**20


class NpySamples(NamedTuple):
    """The array of a large file, read in parts."""

    data: ByteSource
    offset: int
    """Position of the first sample, in bytes."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    fortran: bool

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return samples `start` to `stop`, shape (leads, stop - start)."""
        n_leads, samples = self.shape
        start, stop, _ = slice(start, stop).indices(samples)
        size = self.dtype.itemsize
        if self.fortran:
            (content,) = self.data.read((self.offset + start * n_leads * size, (stop - start) * n_leads * size))
            return np.frombuffer(content, self.dtype).reshape(-1, n_leads).T
        rows = self.data.read(
            *((self.offset + (lead * samples + start) * size, (stop - start) * size) for lead in range(n_leads))
        )
        return np.frombuffer(b"".join(rows), self.dtype).reshape(n_leads, -1)


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is an .npy."""
    return head.startswith(_MAGIC)


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def read_stream(stream: BinaryIO, name: str, declared: Declared = NOTHING) -> Recording:
    """Read a recording from a stream that cannot seek. No more is read than its header states.

    Raises:
        UnreadableError: It is not an .npy, ends too early, or is larger than 512 MiB.
        InvalidRecordingError: It does not hold a 12-lead recording.
    """
    content = stream.read(_LONGEST_HEADER)
    if not content:
        raise UnreadableError(name, "is empty")
    if not recognises(content, name):
        raise UnreadableError(
            name,
            f"is not an .npy file but {describe_content(content[:HEAD])}; for other formats, pass the path of a file",
        )
    header = _parse_head(content)
    shape, _, dtype = _check_header(header, name, declared)
    size = math.prod(shape) * dtype.itemsize
    if size > _MOST_OF_A_STREAM:
        raise UnreadableError(name, f"is larger than {_MOST_OF_A_STREAM} bytes; pass the path of the file instead")
    pieces, missing = [content], len(header) + size - len(content)
    while missing > 0 and (piece := stream.read(min(2**20, missing))):
        pieces.append(piece)
        missing -= len(piece)
    return parse(b"".join(pieces), name, name, declared)


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, beside: Beside | None = None
) -> Recording:
    """Read a recording from the bytes of an .npy file and of its sidecar.

    Raises:
        UnreadableError: The bytes are not an .npy file, the file is cut off, or the sidecar is damaged.
        InvalidRecordingError: The array is not a 12-lead recording, or the sidecar contradicts the caller.
    """
    return _parse(content, name, source, add_sidecar(declared, None if beside is None else open_packed(name, beside)))


def _parse(content: bytes, name: str, source: str, stated: Stated) -> Recording:
    declared = stated.declared
    found = _open_samples(BytesSource(content, source), content[:_LONGEST_HEADER], stated)
    signal = np.frombuffer(content, found.dtype, math.prod(found.shape), found.offset)
    return _make_recording(signal.reshape(found.shape, order="F" if found.fortran else "C"), name, source, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    data, stated = FileSource(path), add_sidecar(declared, open_sidecar(path))
    if data.size < _WHOLE_BELOW:
        return _parse(data.read((0, data.size))[0], path.stem, str(path), stated)
    (head,) = data.read((0, _LONGEST_HEADER))
    return _make_recording(_open_samples(data, head, stated), path.stem, str(path), stated.declared)


def _make_recording(signal: NDArray[np.generic] | NpySamples, name: str, source: str, declared: Declared) -> Recording:
    return Recording(
        signal, declared.sampling_rate or 500.0, declared.leads or LEADS, declared.units or "mV", name, source
    )


def _open_samples(data: ByteSource, head: bytes, stated: Stated) -> NpySamples:
    """Read and check a header. Memory is allocated only after the size of the file is checked."""
    header = _parse_head(head)
    (shape, fortran, dtype), found = _check_header(header, data.source, stated.declared), data.size - len(header)
    if stated.samples not in {None, shape[1]}:
        why = (
            f"has {shape[1]} samples, but {stated.sidecar} states {stated.samples}: it is the sidecar of another array"
        )
        raise UnreadableError(data.source, why)
    promised = math.prod(shape) * dtype.itemsize
    if promised > found:
        raise UnreadableError(data.source, f"is cut off: its header states {promised} bytes, found {found}")
    return NpySamples(data, len(header), shape, dtype, fortran)


def _check_header(header: bytes, source: str, declared: Declared) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Return the shape, whether the order is Fortran, and the data type.

    Raises:
        UnreadableError: The header cannot be read.
        WrongTypeError: The array does not hold real numbers.
        WrongShapeError: The array is not leads by samples.
    """
    if header[6:8] and header[6:8] not in _VERSIONS:
        raise UnreadableError(source, f"has the unknown .npy version {header[6]}; save it again with numpy.save")
    if re.search(_STRUCTURED, header[:_LONGEST_HEADER]):
        raise WrongTypeError("structured")
    found = _parse_header(header)
    if found is None:
        raise UnreadableError(source, "is not a valid .npy file: its header cannot be read")
    shape, _, dtype = found
    if dtype.kind not in "iuf":
        raise WrongTypeError(str(dtype))
    n_leads = len(declared.leads or LEADS)
    if len(shape) != 2 or shape[0] != n_leads or shape[1] < 1:
        raise WrongShapeError(shape, n_leads)
    return found


def _parse_head(head: bytes) -> bytes:
    """Return the header, given the first bytes of a file."""
    size = 2 if head[6:7] == b"\x01" else 4
    return head[: 8 + size + int.from_bytes(head[8 : 8 + size], "little")]


@lru_cache(maxsize=64)
def _parse_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]] | None:
    """Return shape, whether the order is Fortran, and data type. Cached: recordings of one device share a header."""
    start = 10 if header[6:7] == b"\x01" else 12
    text = header[start:].strip().replace(b'"', b"'")
    if not text.startswith(b"{"):
        return None
    found: dict[str, str] = {}
    at = 1
    while item := re.compile(_ITEM).match(text, at):
        found |= {key: value.decode("latin-1") for key, value in item.groupdict().items() if value is not None}
        at = item.end()
    if text[at:].strip() != b"}" or not found.keys() >= {"descr", "fortran", "shape"}:
        return None
    try:
        shape = tuple(int(part) for part in found["shape"].replace("L", "").split(",") if part.strip())
        return shape, found["fortran"] == "True", np.dtype(found["descr"])
    except (TypeError, ValueError):
        return None
