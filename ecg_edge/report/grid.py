"""Millimetre paper and the calibration pulse."""

from collections.abc import Iterator

import numpy as np

from ecg_edge.report.shapes import Line, Lines, Shape, line

PULSE_S = 0.2
PULSE_MV = 1
_FINE, _BOLD = "#f2cccc", "#e09c9c"
_BOLD_EACH_MM = 5
_WIDE_MM = 8.0


def draw_grid(left: float, top: float, width: int, height: int) -> Iterator[Shape]:
    """Yield the lines of each millimetre, bold ones each 5 mm.

    Args:
        left: Of the first line, in mm.
        top: Of the first line, in mm.
        width: A multiple of 5 mm.
        height: A multiple of 5 mm.
    """
    bottom, right = top + height, left + width
    columns = [line((left + x, top), (left + x, bottom)) for x in range(width + 1)]
    rows = [line((left, top + y), (right, top + y)) for y in range(height + 1)]
    fine = [each for lines in (columns, rows) for x, each in enumerate(lines) if x % _BOLD_EACH_MM]
    yield Lines(fine, 0.1, _FINE, part="grid-1mm")
    yield Lines(columns[::_BOLD_EACH_MM] + rows[::_BOLD_EACH_MM], 0.2, _BOLD, part="grid-5mm")


def draw_pulse(right: float, baseline: float, speed: int, gain: int) -> Line:
    """Return the calibration pulse of 1 mV and 0.2 s, whose line ends at `right`."""
    width, height = PULSE_S * speed, PULSE_MV * gain
    foot = 2.0 if width < _WIDE_MM else 0.5  # the name of a lead may stand to the left
    x = np.array([0, foot, foot, foot + width, foot + width, width + 2 * foot])
    y = np.array([0, 0, height, height, 0, 0])
    return np.stack([right - width - 2 * foot + x, baseline - y], axis=1)
