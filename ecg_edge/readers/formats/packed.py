"""Integers of three bytes, which numpy has no type for."""

import numpy as np
from numpy.typing import NDArray


def unpack_24(content: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the signed little-endian integers of three bytes each."""
    low, middle, high = content.reshape(-1, 3).T
    found: NDArray[np.int32] = low | middle.astype(np.int32) << 8 | high.view(np.int8).astype(np.int32) << 16
    return found
