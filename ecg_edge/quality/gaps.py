"""In which blocks and seconds samples are missing."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.measures import BLOCK, LOOKBACK, SECOND


def find_gaps_in_blocks(missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return in which blocks samples are missing, shape (r, 12, n).

    Args:
        missing: Whether each sample is missing, shape (r, 12, n * BLOCK).
    """
    return _find_any(missing, BLOCK)


def find_gaps_in_seconds(missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return in which seconds samples are missing that `measure` needs, shape (r, 12, n).

    Args:
        missing: Whether each sample is missing, shape (r, 12, LOOKBACK + n * SECOND).
    """
    before = missing[..., :-LOOKBACK].reshape(*missing.shape[:2], -1, SECOND)[..., :LOOKBACK]
    found: NDArray[np.bool_] = _find_any(missing[..., LOOKBACK:], SECOND) | np.logical_or.reduce(before, axis=-1)
    return found


def _find_any(marks: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.logical_or.reduce(marks.reshape(*marks.shape[:2], -1, step), axis=-1)
    return found
