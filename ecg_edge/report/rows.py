"""Where the baselines of the rows lie, so that traces of neighbouring rows do not meet."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Heights = NDArray[np.float64]

_CLEAR_MM = 1.0
_STEPS = 50
_MOST_AT_EDGES_MM = 26.0
"""Most room over the first baseline and under the last one if there is not enough for all."""


def place_baselines(above: Heights, below: Heights, height: float) -> Heights:
    """Return the distance of each row's baseline from the upper edge, in mm, shape (rows,).

    Rows are equally far apart if that leaves room for each trace. If not, rows with large amplitudes get more room than
    the others. If there is not enough room for all, the rows that are farthest apart move together, and their traces
    overlap; nothing leaves the edges.

    Args:
        above: How far the traces of each row and column rise over their baseline, shape (rows, columns).
        below: How far they fall below it.
        height: Height of all rows together.
    """
    edges = np.array([above[0].max(), below[-1].max()]) + _CLEAR_MM
    between = (below[:-1] + above[1:]).max(axis=1) + _CLEAR_MM
    if edges.sum() + between.sum() > height:
        edges = np.minimum(edges, _MOST_AT_EDGES_MM)
        rows = _find_level(lambda level: np.minimum(between, level), height - edges.sum())
        return np.cumsum(np.r_[edges[0], rows])
    # Above the first baseline and below the last one, half the distance of two rows looks even.
    needed = np.r_[edges[0], between, edges[1]]
    weights = np.r_[0.5, np.ones(len(between)), 0.5]
    return np.cumsum(_find_level(lambda level: np.maximum(needed, level * weights), height))[:-1]


def _find_level(distances: Callable[[float], Heights], total: float) -> Heights:
    """Return the distances at the level at which their sum is the total."""
    low, high = 0.0, 2 * total
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if distances(middle).sum() < total:
            low = middle
        else:
            high = middle
    return distances(low)
