"""Where the baselines of the rows lie, so that traces of neighbouring rows do not meet."""

import numpy as np
from numpy.typing import NDArray

Heights = NDArray[np.float64]

_CLEAR_MM = 1.0
_STEPS = 50


def place_baselines(above: Heights, below: Heights, height: float) -> Heights:
    """Return the distance of each row's baseline from the upper edge, in mm, shape (rows,).

    Rows are equally far apart if that leaves room for each trace. If not, rows with large amplitudes get more room than
    the others. If there is not enough room for all, those that need most get less than they need.

    Args:
        above: How far the traces of each row and column rise over their baseline, shape (rows, columns).
        below: How far they fall below it.
        height: Height of all rows together.
    """
    needed = np.concatenate(
        [
            [above[0].max()],
            (below[:-1] + above[1:]).max(axis=1),
            [below[-1].max()],
        ]
    )
    needed += _CLEAR_MM
    # Above the first baseline and below the last one, half the distance of two rows looks even.
    weights = np.r_[0.5, np.ones(len(needed) - 2), 0.5]
    level, share = (np.maximum, np.minimum)[int(needed.sum() > height)], weights
    low, high = 0.0, height * 4
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if level(needed, middle * share).sum() < height:
            low = middle
        else:
            high = middle
    distances: Heights = level(needed, low * share)
    return np.cumsum(distances)[:-1]
