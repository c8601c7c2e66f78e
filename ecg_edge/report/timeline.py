"""The probability of infarction in each window, on the time axis of the traces."""

from collections.abc import Iterator
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from ecg_edge.findings import Finding
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.shapes import BLACK, GREY, Area, Lines, Shape, Words, box, line

HEIGHT_MM = 13.0
AXIS_MM = 4.0
"""Height of the numbers of seconds below."""
_PALE = "#d9d9d9"
_SIZE = 2.4
_DOT = 0.45
_TINY = 1e-9
# Windows farther apart than this many distances are not joined: others between them do not count.
_APART = 1.5


class Frame(NamedTuple):
    """Where the probabilities are drawn."""

    left: float
    """Of the first sample, in mm."""
    top: float
    """Of the probability 1, in mm."""
    width: float
    speed: int

    @property
    def bottom(self) -> float:
        """Of the probability 0, in mm."""
        return self.top + HEIGHT_MM


def draw_axis(frame: Frame, excerpt: Excerpt) -> Iterator[Shape]:
    """Yield the frame, and the seconds of the recording below it."""
    left, top, bottom = frame.left, frame.top, frame.bottom
    seconds = range(ceil(excerpt.start_s - _TINY), floor(excerpt.start_s + frame.width / frame.speed + _TINY) + 1)
    places = [left + (second - excerpt.start_s) * frame.speed for second in seconds]
    yield Lines([line((x, top), (x, bottom)) for x in places], 0.1, _PALE, part="seconds")
    yield Lines([box(left, top, left + frame.width, bottom)[[0, 1, 2, 3, 0]]], 0.15, GREY, part="frame")
    for second, x in zip(seconds, places, strict=True):
        yield Words(x, bottom + 3.0, f"{second} s", _SIZE, anchor="middle", part="second")


def draw_probabilities(frame: Frame, finding: Finding, excerpt: Excerpt, window_s: float) -> Iterator[Shape]:
    """Yield the threshold, and a dot for each window at its middle; a word without an answer.

    Args:
        frame: Where.
        finding: With its timeline.
        excerpt: Windows whose middle lies outside are left out.
        window_s: Length of a window.
    """
    if finding.timeline is None or finding.threshold is None:
        middle = (frame.left + frame.width / 2, frame.bottom - HEIGHT_MM / 2 + 1)
        yield Words(*middle, "no probability", 3.0, anchor="middle", part="no-probability")
        return
    yield from _draw_scale(frame, finding.threshold)
    starts = np.array(finding.timeline.start_s)
    seconds = starts + window_s / 2 - excerpt.start_s
    shown = (seconds >= 0) & (seconds <= excerpt.duration_s)
    x = frame.left + seconds[shown] * frame.speed
    y = frame.bottom - np.array(finding.timeline.probability)[shown] * HEIGHT_MM
    usual = np.median(np.diff(starts)) if len(starts) > 1 else 0.0
    apart = np.flatnonzero(np.diff(starts[shown]) > _APART * usual) + 1
    points = np.stack([x, y], axis=1)
    yield Lines([part for part in np.split(points, apart) if len(part) > 1], 0.2, GREY, part="probability")
    for px, py in points:
        yield Area(line((px - _DOT, py), (px, py - _DOT), (px + _DOT, py), (px, py + _DOT)), BLACK, "window")


def _draw_scale(frame: Frame, threshold: float) -> Iterator[Shape]:
    """Yield the threshold, and what stands to the left of the frame."""
    y = frame.bottom - threshold * HEIGHT_MM
    yield Lines([line((frame.left, y), (frame.left + frame.width, y))], 0.25, BLACK, (1.5, 1), part="threshold")
    right = frame.left - 1
    yield Words(right, frame.top + 0.9, "1", _SIZE, anchor="end")
    yield Words(right, frame.bottom + 0.9, "0", _SIZE, anchor="end")
    y = min(max(y, frame.top + 4.5), frame.bottom - 4.5)
    yield Words(right, y - 0.3, "threshold", _SIZE, anchor="end")
    yield Words(right, y + 2.4, f"{threshold:.3f}", _SIZE, anchor="end")
