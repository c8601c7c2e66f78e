"""NumPy's .npy: any real data type, C or Fortran order."""

import io
import math
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.lib import format as npy_format

from ecg_edge.errors import UnreadableError, WrongShapeError, WrongTypeError
from ecg_edge.readers.record_file import RecordFile
from ecg_edge.recording import Recording

SUFFIXES = (".npy",)
MAGIC = b"\x93NUMPY"
_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}
# Above this a file is mapped, not read: a day of 12 leads is 2 GB.
_MAP_FROM = 64 * 2**20
_MOST_OF_A_STREAM = 2 * 2**30


def records(path: Path) -> Iterator[RecordFile]:
    """Yield the one recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path))


def read_stream(stream: BinaryIO, name: str) -> Recording:
    """Read a recording from a stream that cannot seek.

    Raises:
        UnreadableError: It is not an .npy, or larger than 2 GiB.
        InvalidRecordingError: It does not hold a 12-lead recording.
    """
    content = bytearray()
    while piece := stream.read(2**20):
        content += piece
        if len(content) > _MOST_OF_A_STREAM:
            raise UnreadableError(name, "is larger than 2 GiB")
    return parse(bytes(content), name, name)


def parse(content: bytes, name: str, source: str) -> Recording:
    """Read a recording from the bytes of an .npy file.

    Raises:
        UnreadableError: The bytes are not an .npy file, or fewer than its header promises.
        InvalidRecordingError: They do not hold a 12-lead recording.
    """
    file = io.BytesIO(content)
    shape, order, dtype = _header(file, len(content), source)
    signal = np.frombuffer(content, dtype, math.prod(shape), file.tell()).reshape(shape, order=order)
    return Recording(signal, name=name, source=source)


def _read_file(path: Path) -> Recording:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _MAP_FROM:
                return parse(file.read(), path.stem, str(path))
            shape, order, dtype = _header(file, size, str(path))
            signal = np.memmap(file, dtype, "r", file.tell(), shape, order)
    except OSError as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(path, f"cannot be read: {error.strerror or error}") from error
    return Recording(signal, name=path.stem, source=str(path))


def _header(file: BinaryIO, size: int, source: str) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype[np.generic]]:
    """Read and check a header; nothing is allocated for what it claims before the bytes are known to be there."""
    try:
        shape, fortran, dtype = _HEADERS[npy_format.read_magic(file)](file)
    except KeyError as error:
        raise UnreadableError(source, "is an .npy of a version made for structured data only") from error
    except Exception as error:  # a hostile header raises many kinds, from SyntaxError to RecursionError
        raise UnreadableError(source, "is not a sound .npy file: its header cannot be read") from error
    if dtype.kind not in "iuf":
        raise WrongTypeError(str(dtype))
    if len(shape) != 2 or shape[0] != 12 or shape[1] < 1:
        raise WrongShapeError(shape)
    promised, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if promised > there:
        raise UnreadableError(source, f"is cut off: its header promises {promised} bytes, {there} are there")
    return shape, "F" if fortran else "C", dtype
