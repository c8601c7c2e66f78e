"""The leads on the paper: lines, names, gaps, borders between columns, and marks of quality notes."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.findings import Finding
from ecg_edge.quality.rules import RULES
from ecg_edge.report.choices import Choices
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.layout import Layout, Panel
from ecg_edge.report.marks import Mark, mark_panel
from ecg_edge.report.rows import place_baselines
from ecg_edge.report.shapes import BLACK, GREY, WHITE, Area, Lines, Shape, Words, line
from ecg_edge.report.text import measure, shorten
from ecg_edge.report.trace import Line, Run, cut, find_runs, simplify

LABEL_SIZE = 3.4
_LABEL_X, _LABEL_CLEAR, _CAPITAL = 1.6, 1.6, 2.5
_HIGHEST_LABEL_MM = 18.0
_WORD_SIZE = 2.2
_BAR_MM, _BAR_CLEAR = 2.9, 1.2
_BORDER_MM, _BORDER_CLEAR_MM, _BORDER_NEAR_MM = 3.0, 0.8, 1.0
_MARGIN_MM, _MARGIN_SIZE = 14.8, 2.8
_MOST_MM = 40.0
"""Farthest that a trace is drawn from its baseline."""
_OVERLAP_MM = 25.0
"""A trace may reach this far into its neighbours' rows where there is not enough room for all."""
_SHORTEST_BAR_MM = 0.6
_CUT_MM = 1.6
"""Length of the arrowhead where a trace is cut."""
_SMALLEST_WORD_MM = 12.0
LINE_WIDTH_MM = 0.22


class Trace(NamedTuple):
    """One panel with its samples."""

    panel: Panel
    heights: NDArray[np.float32]
    """Millimetres over the baseline, shape (samples,); not finite where a sample is missing."""
    state: str
    """Why no line is drawn: "flat", "missing", or nothing."""
    marks: list[Mark]
    in_margin: bool
    """Whether the name of the lead stands to the left of all traces."""


class Place(NamedTuple):
    """Where the traces are drawn."""

    left: float
    """Of the first sample, in mm."""
    top: float
    bottom: float
    speed: int


def read_traces(layout: Layout, excerpt: Excerpt, finding: Finding, choices: Choices) -> list[Trace]:
    """Return the samples of each panel."""
    traces = []
    for panel in layout.panels:
        heights = excerpt.lead(panel.lead)[panel.start : panel.stop] * np.float32(choices.gain)
        state = _find_state(heights / np.float32(choices.gain))
        # The word that stands in place of the trace says the same.
        marks = [mark for mark in mark_panel(finding, panel, excerpt) if mark.text != state]
        traces.append(Trace(panel, heights, state, marks, layout.n_columns == 1))
    return traces


def _find_state(millivolts: NDArray[np.float32]) -> str:
    known = millivolts[np.isfinite(millivolts)]
    if not len(known):
        return "missing"
    return "flat" if np.ptp(known) < RULES["flat_lead"].limit else ""


def place_rows(traces: Sequence[Trace], layout: Layout, excerpt: Excerpt, place: Place) -> NDArray[np.float64]:
    """Return the y of each row's baseline, shape (rows,)."""
    above, below = np.zeros((2, layout.n_rows, layout.n_columns))
    for trace in traces:
        for column in range(trace.panel.column, trace.panel.column + trace.panel.n_columns):
            part = slice(*(layout.borders[column : column + 2] - trace.panel.start))
            up, down = _measure_extent(trace.heights[part])
            above[trace.panel.row, column], below[trace.panel.row, column] = up, down
        row, column = trace.panel.row, trace.panel.column
        if not trace.in_margin:
            over = _place_label(trace, excerpt, place)
            above[row, column] = max(above[row, column], over + _CAPITAL)
            below[row, column] = max(below[row, column], -over)
        if trace.marks:
            lowest = below[row, column : column + trace.panel.n_columns].max()
            below[row, column : column + trace.panel.n_columns] = lowest + _BAR_CLEAR + _BAR_MM * len(trace.marks)
    return place.top + place_baselines(above, below, place.bottom - place.top)


def _measure_extent(heights: NDArray[np.float32]) -> tuple[float, float]:
    """Return how far a trace rises and falls, in mm."""
    known = np.clip(heights[np.isfinite(heights)], -_MOST_MM, _MOST_MM)
    return (max(0.0, float(known.max())), max(0.0, -float(known.min()))) if len(known) else (0.0, 0.0)


def _place_label(trace: Trace, excerpt: Excerpt, place: Place) -> float:
    """Return how far the name of a lead stands over the baseline: clear of its own trace.

    A name over a tall beat would stand in the row above; it goes under the trace, where the result is negative.
    """
    width = _LABEL_X + measure(trace.panel.lead, LABEL_SIZE, bold=True) + 0.5
    beneath = trace.heights[: int(width / place.speed * excerpt.sampling_rate) + 1]
    up, down = (extent + _LABEL_CLEAR for extent in _measure_extent(beneath))
    # Under a trace are the bars of its notes.
    is_under = up > _HIGHEST_LABEL_MM and down + _CAPITAL < up and not trace.marks
    return -down - _CAPITAL if is_under else up


def draw_traces(
    traces: Sequence[Trace], baselines: NDArray[np.float64], excerpt: Excerpt, place: Place
) -> tuple[list[Shape], list[str]]:
    """Return the shapes of all panels, and the leads that had to be cut."""
    strokes = [_cut_to_room(trace, baselines, place) for trace in traces]
    corners = _simplify_all([stroke.heights for stroke in strokes])
    step = place.speed / excerpt.sampling_rate
    shapes: list[Shape] = []
    for before, trace, stroke, kept in zip((traces[-1], *traces), traces, strokes, corners, strict=False):
        baseline = float(baselines[trace.panel.row])
        left = place.left + trace.panel.start * step
        if trace.state:
            shapes += _draw_state(trace, left, baseline, step)
        else:
            lines = _draw_lines(stroke.heights, kept, left, baseline, step)
            shapes.append(Lines(lines, LINE_WIDTH_MM, BLACK, part="trace", lead=trace.panel.lead))
            shapes += _draw_gaps(trace, left, baseline, step)
            shapes += _draw_cuts(stroke.high, left, max(baseline - stroke.above, place.top + _CUT_MM), step, -1)
            shapes += _draw_cuts(stroke.low, left, min(baseline + stroke.below, place.bottom - _CUT_MM), step, 1)
        shapes += _draw_name(trace, excerpt, left, baseline, place)
        if trace.panel.column:
            shapes += _draw_border(trace, before, (left, baseline), place, step)
        shapes += _draw_marks(trace, left, baseline, place, step)
    cut_leads = [trace.panel.lead for trace, stroke in zip(traces, strokes, strict=True) if stroke.high or stroke.low]
    return shapes, list(dict.fromkeys(cut_leads))


class _Stroke(NamedTuple):
    """A trace as far as there is room for it."""

    heights: NDArray[np.float32]
    above: float
    """Room over the baseline in mm."""
    below: float
    high: list[Run]
    """Samples beyond that room."""
    low: list[Run]


def _cut_to_room(trace: Trace, baselines: NDArray[np.float64], place: Place) -> _Stroke:
    if trace.state:
        return _Stroke(np.full(len(trace.heights), np.nan, np.float32), 0, 0, [], [])
    row = trace.panel.row
    to_above, to_below = np.diff(np.r_[place.top, baselines, place.bottom])[row : row + 2].tolist()
    above = min(max(to_above, _OVERLAP_MM), _MOST_MM, float(baselines[row]) - place.top)
    below = min(max(to_below, _OVERLAP_MM), _MOST_MM, place.bottom - float(baselines[row]))
    heights, high, low = cut(trace.heights, below, above)
    return _Stroke(heights, above, below, high, low)


def _simplify_all(strokes: Sequence[NDArray[np.float32]]) -> list[NDArray[np.int64]]:
    """Return the corners of each stroke; one call for all of them is faster."""
    ends = np.cumsum([len(stroke) for stroke in strokes])
    pieces = [
        Run(run.start + start, run.stop + start)
        for stroke, start in zip(strokes, ends - [len(stroke) for stroke in strokes], strict=True)
        for run in find_runs(np.isfinite(stroke))
    ]
    corners = simplify(np.concatenate(strokes), pieces)
    parts = np.split(corners, np.searchsorted(corners, ends[:-1]))
    return [part - end + len(stroke) for part, end, stroke in zip(parts, ends, strokes, strict=True)]


def _draw_lines(
    heights: NDArray[np.float32], corners: NDArray[np.int64], left: float, baseline: float, step: float
) -> list[Line]:
    lines = []
    for run in find_runs(np.isfinite(heights)):
        kept = corners[np.searchsorted(corners, run.start) : np.searchsorted(corners, run.stop)]
        kept = np.repeat(kept, 2) if len(kept) == 1 else kept  # a dot
        lines.append(np.stack([left + kept * step, baseline - heights[kept].astype(np.float64)], axis=1))
    return lines


def _draw_state(trace: Trace, left: float, baseline: float, step: float) -> Iterator[Shape]:
    """Yield a dotted line and a word in place of a trace."""
    right = left + len(trace.heights) * step
    yield Lines(
        [line((left, baseline), (right, baseline))], 0.25, GREY, (0.5, 1), part=trace.state, lead=trace.panel.lead
    )
    yield from _write_on_white((left + right) / 2, baseline + 0.8, trace.state, "state")


def _draw_gaps(trace: Trace, left: float, baseline: float, step: float) -> Iterator[Shape]:
    """Yield a dotted line for missing samples, and a word if there is room."""
    for run in find_runs(~np.isfinite(trace.heights)):
        first, last = left + (run.start - 1) * step, left + run.stop * step
        yield Lines(
            [line((first, baseline), (last, baseline))], 0.25, GREY, (0.5, 1), part="missing", lead=trace.panel.lead
        )
        if last - first >= _SMALLEST_WORD_MM:
            yield from _write_on_white((first + last) / 2, baseline + 0.8, "missing", "state")


def _write_on_white(x: float, y: float, text: str, part: str) -> Iterator[Shape]:
    half = measure(text, _WORD_SIZE) / 2 + 0.3
    corners = line((x - half, y - 2), (x + half, y - 2), (x + half, y + 0.7), (x - half, y + 0.7))
    yield Area(corners, WHITE)
    yield Words(x, y, text, _WORD_SIZE, anchor="middle", part=part)


def _draw_cuts(runs: Sequence[Run], left: float, edge: float, step: float, direction: int) -> Iterator[Shape]:
    """Yield an arrowhead where a trace goes on beyond the edge of its room."""
    for run in runs:
        x = left + (run.start + run.stop - 1) / 2 * step
        yield Area(line((x - 0.9, edge), (x + 0.9, edge), (x, edge + direction * _CUT_MM)), BLACK, "cut")


def _draw_name(trace: Trace, excerpt: Excerpt, left: float, baseline: float, place: Place) -> Iterator[Shape]:
    if trace.in_margin:
        yield Words(left - _MARGIN_MM, baseline - 0.9, trace.panel.lead, _MARGIN_SIZE, bold=True, part="lead")
        return
    y = baseline - _place_label(trace, excerpt, place)
    y = min(max(y, place.top + _CAPITAL + 0.3), place.bottom - 0.3)
    yield Words(left + _LABEL_X, y, trace.panel.lead, LABEL_SIZE, bold=True, part="lead")


def _draw_border(
    trace: Trace, before: Trace, origin: tuple[float, float], place: Place, step: float
) -> Iterator[Shape]:
    """Yield marks over and under the place where one lead ends and the next begins, clear of both."""
    near = int(_BORDER_NEAR_MM / step) + 1
    extents = [_measure_extent(part) for part in (before.heights[-near:], trace.heights[:near])]
    above, below = (max(both) + _BORDER_CLEAR_MM for both in zip(*extents, strict=True))
    left, baseline = origin
    # A trace that fills its room leaves none, and the marks stand on it.
    upper = max(baseline - above - _BORDER_MM, place.top)
    lower = min(baseline + below + _BORDER_MM, place.bottom)
    lines = [
        line((left, upper + _BORDER_MM), (left, upper)),
        line((left, lower - _BORDER_MM), (left, lower)),
    ]
    yield Lines(lines, 0.35, BLACK, part="border")


def _draw_marks(trace: Trace, left: float, baseline: float, place: Place, step: float) -> Iterator[Shape]:
    """Yield a bar and words for each quality note, below the trace."""
    if not trace.marks:
        return
    lowest = max(_measure_extent(trace.heights[slice(*_shift(mark, trace))])[1] for mark in trace.marks)
    right = left + len(trace.heights) * step
    first = min(baseline + lowest + _BAR_CLEAR, place.bottom - _BAR_MM * len(trace.marks))
    for number, mark in enumerate(trace.marks):
        start, stop = _shift(mark, trace)
        y = first + number * _BAR_MM
        yield from draw_bar(left + start * step, left + stop * step, y, mark.text, right)


def _shift(mark: Mark, trace: Trace) -> tuple[int, int]:
    return mark.start - trace.panel.start, mark.stop - trace.panel.start


def draw_bar(start: float, stop: float, y: float, text: str, right: float) -> Iterator[Shape]:
    """Yield the bar of a quality note with its words below, which end at `right` at the latest."""
    stop = max(stop, start + _SHORTEST_BAR_MM)
    yield Lines([line((start, y), (stop, y))], 0.5, GREY, part="mark")
    shown = shorten(text, _WORD_SIZE, max(right - start, _SMALLEST_WORD_MM))
    yield Words(start + _BAR_CLEAR, y + 2.3, shown, _WORD_SIZE, part="mark")
