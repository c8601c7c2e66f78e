"""The probability of infarction in each window, on the time axis of the traces."""

from collections.abc import Iterator
from math import ceil, floor

import numpy as np

from ecg_edge.findings import Finding
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.shapes import BLACK, GREY, Area, Lines, Shape, Words, box, line

HEIGHT_MM = 13.0
AXIS_MM = 4.0
"""Height of the numbers of seconds below."""
_PALE = "#d9d9d9"
_SIZE = 2.4
_DOT_MM = 0.45
# Windows farther apart than this many distances are not joined: others between them do not count.
_APART = 1.5


def draw_axis(left: float, top: float, speed: int, width: float, excerpt: Excerpt) -> Iterator[Shape]:
    """Yield the frame, and the seconds of the recording below it."""
    bottom = top + HEIGHT_MM
    seconds = range(ceil(excerpt.start_s - 1e-9), floor(excerpt.start_s + width / speed + 1e-9) + 1)
    places = [left + (second - excerpt.start_s) * speed for second in seconds]
    yield Lines([line((x, top), (x, bottom)) for x in places], 0.1, _PALE, part="seconds")
    yield Lines([box(left, top, left + width, bottom)[[0, 1, 2, 3, 0]]], 0.15, GREY, part="frame")
    for second, x in zip(seconds, places, strict=True):
        yield Words(x, bottom + 3.0, f"{second} s", _SIZE, anchor="middle", part="second")


def draw_probabilities(
    left: float, top: float, speed: int, width: float, finding: Finding, excerpt: Excerpt, window_s: float
) -> Iterator[Shape]:
    """Yield the threshold, and a dot for each window at its middle; nothing without an answer.

    Args:
        left: Of the first sample, in mm.
        top: Of the probability 1, in mm.
        speed: Millimetres per second.
        width: Of the frame, in mm.
        finding: With its timeline.
        excerpt: Windows whose middle lies outside are left out.
        window_s: Length of a window.
    """
    if finding.timeline is None or finding.threshold is None:
        return
    bottom = top + HEIGHT_MM
    threshold = bottom - finding.threshold * HEIGHT_MM
    yield Lines([line((left, threshold), (left + width, threshold))], 0.25, BLACK, (1.5, 1), part="threshold")
    starts = np.array(finding.timeline.start_s)
    seconds = starts + window_s / 2 - excerpt.start_s
    shown = (seconds >= 0) & (seconds <= excerpt.duration_s)
    x = left + seconds[shown] * speed
    y = bottom - np.array(finding.timeline.probability)[shown] * HEIGHT_MM
    apart = np.flatnonzero(np.diff(starts[shown]) > _APART * np.median(np.diff(starts))) + 1 if len(x) > 1 else []
    points = np.stack([x, y], axis=1)
    yield Lines([part for part in np.split(points, apart) if len(part) > 1], 0.2, GREY, part="probability")
    for px, py in points:
        yield Area(
            line((px - _DOT_MM, py), (px, py - _DOT_MM), (px + _DOT_MM, py), (px, py + _DOT_MM)), BLACK, "window"
        )


def label_axis(right: float, top: float, finding: Finding) -> Iterator[Shape]:
    """Yield what stands to the left of the frame."""
    bottom = top + HEIGHT_MM
    yield Words(right, top + 2.0, "1", _SIZE, anchor="end")
    yield Words(right, bottom, "0", _SIZE, anchor="end")
    if finding.threshold is not None:
        y = min(max(bottom - finding.threshold * HEIGHT_MM + 0.8, top + 4.5), bottom - 2.6)
        yield Words(right, y, f"threshold {finding.threshold:.3f}", 1.9, anchor="end")
