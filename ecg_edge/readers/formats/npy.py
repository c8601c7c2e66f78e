"""Read NumPy .npy files of any real data type, in C or Fortran order; default is mV, 500 Hz, standard lead order."""

import io
import math
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError, WrongShapeError, WrongTypeError
from ecg_edge.readers.byte_source import ByteSource, BytesSource, FileSource
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.recording import Recording
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".npy",)
SUFFIX_PROVES_NOTHING = False
_MAGIC = b"\x93NUMPY"
_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}
# By default NumPy refuses longer headers.
_LONGEST_HEADER = 11_000
# Larger files are read in parts: a day of 12 leads takes 2 GB.
_WHOLE_BELOW = 16 * 2**20
_MOST_OF_A_STREAM = 2 * 2**30


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
    """Read a recording from a stream that cannot seek.

    Raises:
        UnreadableError: It is not an .npy, or is larger than 2 GiB.
        InvalidRecordingError: It does not hold a 12-lead recording.
    """
    content = bytearray()
    while piece := stream.read(2**20):
        content += piece
        if len(content) > _MOST_OF_A_STREAM:
            raise UnreadableError(name, "is larger than 2 GiB")
    return parse(bytes(content), name, name, declared)


def parse(content: bytes, name: str, source: str, declared: Declared = NOTHING) -> Recording:
    """Read a recording from the bytes of an .npy file.

    Raises:
        UnreadableError: The bytes are not an .npy file, or the file is cut off.
        InvalidRecordingError: The array is not a 12-lead recording.
    """
    found = _open_samples(BytesSource(content, source), content[:_LONGEST_HEADER], declared)
    signal = np.frombuffer(content, found.dtype, math.prod(found.shape), found.offset)
    return _make_recording(signal.reshape(found.shape, order="F" if found.fortran else "C"), name, source, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    data = FileSource(path)
    if data.size < _WHOLE_BELOW:
        return parse(data.read((0, data.size))[0], path.stem, str(path), declared)
    (head,) = data.read((0, _LONGEST_HEADER))
    return _make_recording(_open_samples(data, head, declared), path.stem, str(path), declared)


def _make_recording(signal: NDArray[np.generic] | NpySamples, name: str, source: str, declared: Declared) -> Recording:
    return Recording(
        signal, declared.sampling_rate or 500.0, declared.leads or LEADS, declared.units or "mV", name, source
    )


def _open_samples(data: ByteSource, head: bytes, declared: Declared) -> NpySamples:
    """Read and check a header. Memory is allocated only after the size of the file is checked."""
    header = _parse_head(head)
    try:
        shape, fortran, dtype = _parse_header(header)
    except KeyError as error:
        raise UnreadableError(
            data.source, "has an .npy version for structured data; save it as a plain array"
        ) from error
    except Exception as error:  # a hostile header raises many kinds of errors, from SyntaxError to RecursionError
        raise UnreadableError(data.source, "is not a valid .npy file: its header cannot be read") from error
    if dtype.kind not in "iuf":
        raise WrongTypeError(str(dtype))
    n_leads = len(declared.leads or LEADS)
    if len(shape) != 2 or shape[0] != n_leads or shape[1] < 1:
        raise WrongShapeError(shape, n_leads)
    promised, found = math.prod(shape) * dtype.itemsize, data.size - len(header)
    if promised > found:
        raise UnreadableError(data.source, f"is cut off: its header states {promised} bytes, found {found}")
    return NpySamples(data, len(header), shape, dtype, fortran)


def _parse_head(head: bytes) -> bytes:
    """Return the header, given the first bytes of a file."""
    size = 2 if head[6:7] == b"\x01" else 4
    return head[: 8 + size + int.from_bytes(head[8 : 8 + size], "little")]


@lru_cache(maxsize=64)
def _parse_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Return shape, whether the order is Fortran, and data type. Cached: recordings of one device share a header."""
    file = io.BytesIO(header)
    return _HEADERS[npy_format.read_magic(file)](file)
