"""The line of a lead: its gaps, where it is cut, and the fewest corners that show it."""

from collections.abc import Iterator, Sequence
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
        pieces: Runs of at least one sample, ascending.
        tolerance: Millimetres.
    """
    values = np.where(np.isfinite(heights), heights, 0).astype(np.float64)
    corners = np.unique([corner for piece in pieces for corner in _list_first_corners(values, piece)])
    if len(corners) < 2:
        return corners.astype(np.int64)
    corners = corners.astype(np.int64)
    first = int(corners[0])
    values = values[first : corners[-1] + 1]
    inside = _mark(pieces, len(values), first)
    places = np.arange(len(values))
    corners -= first
    while True:
        lengths = np.diff(corners)
        slopes = np.diff(values[corners]) / lengths
        segment = np.repeat(np.arange(len(lengths)), lengths)
        starts = corners[:-1]
        chords = values[starts][segment] + (places[:-1] - starts[segment]) * slopes[segment]
        errors = np.abs(values[:-1] - chords) * inside[:-1]
        worst = np.maximum.reduceat(errors, starts)
        candidates = np.flatnonzero((errors == worst[segment]) & (worst > tolerance)[segment])
        if not len(candidates):
            return corners + first
        _, firsts = np.unique(segment[candidates], return_index=True)
        corners = np.union1d(corners, candidates[firsts])


def _list_first_corners(values: NDArray[np.float64], piece: Run) -> Iterator[int]:
    part = values[piece.start : piece.stop]
    yield from (piece.start, piece.stop - 1)
    yield from (piece.start + int(part.argmax()), piece.start + int(part.argmin()))


def _mark(pieces: Sequence[Run], n_samples: int, first: int) -> NDArray[np.bool_]:
    """Return whether each sample lies in a piece."""
    inside = np.zeros(n_samples, np.bool_)
    for piece in pieces:
        inside[piece.start - first : piece.stop - first] = True
    return inside
