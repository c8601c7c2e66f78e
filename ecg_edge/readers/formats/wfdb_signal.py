"""Read the samples of a WFDB signal file, as signal(5) of the WFDB software defines its formats."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.readers.byte_source import ByteSource
from ecg_edge.readers.formats.packed import unpack_24

Integers = NDArray[np.integer]


class _Packing(NamedTuple):
    """How samples are packed into bytes: groups of `samples` samples in `size` bytes."""

    samples: int
    size: int
    lowest: int | None
    """The value that marks a missing sample."""
    unpack: Callable[[NDArray[np.uint8]], Integers]


def _view(dtype: str) -> Callable[[NDArray[np.uint8]], Integers]:
    return lambda content: content.view(dtype)


def _unpack_212(content: NDArray[np.uint8]) -> Integers:
    first, shared, second = content.reshape(-1, 3).T.astype(np.int16)
    return _join(12, first | (shared & 0x0F) << 8, second | (shared & 0xF0) << 4)


def _unpack_310(content: NDArray[np.uint8]) -> Integers:
    a, b, c, d = content.reshape(-1, 4).T.astype(np.int16)
    return _join(10, a >> 1 | (b & 7) << 7, c >> 1 | (d & 7) << 7, b >> 3 | (d >> 3) << 5)


def _unpack_311(content: NDArray[np.uint8]) -> Integers:
    a, b, c, d = content.reshape(-1, 4).T.astype(np.int16)
    return _join(10, a | (b & 3) << 8, b >> 2 | (c & 15) << 6, c >> 4 | (d & 63) << 4)


def _join(bits: int, *samples: NDArray[np.int16]) -> Integers:
    """Return the samples of groups one after the other, from two's complements of a few bits."""
    joined: Integers = np.stack(samples, axis=1).reshape(-1)
    return np.where(joined >= 1 << (bits - 1), joined - (1 << bits), joined)


_PACKINGS = {
    "8": _Packing(1, 1, None, _view("i1")),
    "16": _Packing(1, 2, -(2**15), _view("<i2")),
    "24": _Packing(1, 3, -(2**23), unpack_24),
    "32": _Packing(1, 4, -(2**31), _view("<i4")),
    "61": _Packing(1, 2, -(2**15), _view(">i2")),
    "80": _Packing(1, 1, -(2**7), lambda content: content.astype(np.int16) - 2**7),
    "160": _Packing(1, 2, -(2**15), lambda content: content.view("<u2").astype(np.int32) - 2**15),
    "212": _Packing(2, 3, -(2**11), _unpack_212),
    "310": _Packing(3, 4, -(2**9), _unpack_310),
    "311": _Packing(3, 4, -(2**9), _unpack_311),
}
FORMATS = tuple(_PACKINGS)
DIFFERENCES = "8"
"""The format that stores the differences between samples; it can only be read from the beginning."""


@dataclass(frozen=True, slots=True)
class SignalFile:
    """A file with the interleaved samples of some signals."""

    data: ByteSource
    format: str
    """One of `FORMATS`."""
    offset: int
    """Bytes before the first sample."""
    width: int
    """Samples of all its signals in one frame."""

    @property
    def lowest(self) -> int | None:
        """The value that marks a missing sample, if the format has one."""
        return _PACKINGS[self.format].lowest

    def count_frames(self) -> int:
        """Return the number of whole frames in the file."""
        packing = _PACKINGS[self.format]
        return max(0, self.data.size - self.offset) * packing.samples // packing.size // self.width

    def read(self, first: int, last: int) -> Integers:
        """Return the samples of frames `first` to `last`, shape (frames, width).

        Raises:
            UnreadableError: The file is cut off, or has changed since it was found.
        """
        packing = _PACKINGS[self.format]
        start, stop = first * self.width, last * self.width
        group, end = start // packing.samples, math.ceil(stop / packing.samples)
        begin = self.offset + group * packing.size
        length = min((end - group) * packing.size, self.data.size - begin)
        content = np.frombuffer(self.data.read((begin, length))[0], np.uint8)
        # The last group may be cut off after the last sample that is needed.
        content = np.pad(content, (0, (end - group) * packing.size - length))
        skipped = start - group * packing.samples
        return packing.unpack(content)[skipped : skipped + stop - start].reshape(-1, self.width)
