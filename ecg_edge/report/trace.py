"""The line of a lead: its gaps, where it is cut, and the fewest corners that show it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]
"""Points of a line in mm, shape (points, 2)."""

TOLERANCE_MM = 0.03
"""Farthest that a drawn line may be from a sample: a ninth of the width of the line."""


class Run(NamedTuple):
    """Successive samples that are drawn as one line."""

    start: int
    stop: int


def find_runs(drawn: NDArray[np.bool_]) -> list[Run]:
    """Return the runs of true values."""
    edges = np.flatnonzero(np.diff(np.r_[False, drawn, False].astype(np.int8)))
    return [Run(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def cut(heights: NDArray[np.float32], below: float, above: float) -> tuple[NDArray[np.float32], list[Run], list[Run]]:
    """Return a trace without what rises over `above` or falls below `-below`, and where it was cut.

    Args:
        heights: Millimetres over the baseline, shape (samples,).
        below: Millimetres.
        above: Millimetres.

    Returns:
        The trace, in which NaN marks the samples that are not drawn, and the runs that were cut above and below.
        The first and last sample of such a run stay, at the limit.
    """
    high, low = heights > above, heights < -below
    if not (high.any() or low.any()):
        return heights, [], []
    kept = np.clip(heights, -below, above)
    for beyond in (high, low):
        inner = beyond.copy()
        inner[1:] &= beyond[:-1]
        inner[:-1] &= beyond[1:]
        kept[inner] = np.nan
    return kept, find_runs(high), find_runs(low)


def simplify(heights: NDArray[np.float32], pieces: Sequence[Run], tolerance: float = TOLERANCE_MM) -> NDArray[np.int64]:
    """Return the samples that are corners of the drawn lines, ascending.

    The lines between them are nowhere farther from a sample than the tolerance. The ends and the highest and lowest
    sample of each piece are corners (Douglas and Peucker's method, all pieces at once).

    Args:
        heights: Millimetres, shape (samples,), finite within the pieces.
        pieces: Runs of at least one sample.
        tolerance: Millimetres.
    """
    is_corner = np.zeros(len(heights), np.bool_)
    segments: list[tuple[int, int]] = []
    for piece in pieces:
        part = heights[piece.start : piece.stop]
        extremes = (piece.start + int(part.argmax()), piece.start + int(part.argmin()))
        corners = sorted({piece.start, *extremes, piece.stop - 1})
        is_corner[corners] = True
        segments += pairwise(corners)
    starts, ends = np.array(segments, np.int64).reshape(-1, 2).T
    while True:
        wide = ends - starts > 1
        starts, ends = starts[wide], ends[wide]
        if not len(starts):
            return np.flatnonzero(is_corner)
        middles, errors = _find_farthest(heights, starts, ends)
        split = errors > tolerance
        starts, middles, ends = starts[split], middles[split], ends[split]
        is_corner[middles] = True
        starts, ends = np.r_[starts, middles], np.r_[middles, ends]


def _find_farthest(
    heights: NDArray[np.float32], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the sample within each segment that is farthest from the line between its ends, and how far it is."""
    inner = ends - starts - 1
    heads = np.cumsum(inner) - inner
    segment = np.repeat(np.arange(len(starts)), inner)
    after_start = np.arange(len(segment)) - heads[segment] + 1
    first, last = heights[starts].astype(np.float64), heights[ends].astype(np.float64)
    slopes = (last - first) / (ends - starts)
    errors = np.abs(heights[starts[segment] + after_start] - first[segment] - after_start * slopes[segment])
    worst = np.maximum.reduceat(errors, heads)
    candidates = np.flatnonzero(errors == worst[segment])
    firsts = candidates[np.diff(segment[candidates], prepend=-1) > 0]
    return starts + after_start[firsts], worst
