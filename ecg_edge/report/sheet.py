"""Puts everything in its place on sheets of A4."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.findings import Finding
from ecg_edge.report import timeline
from ecg_edge.report.choices import PAPER_MM, Choices
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.grid import draw_grid, draw_pulse
from ecg_edge.report.layout import arrange
from ecg_edge.report.legend import LINE_MM, draw_columns, draw_lines, fill_columns, fill_lines
from ecg_edge.report.marks import Mark, mark_all_leads
from ecg_edge.report.shapes import BLACK, Lines, Shape, Sheet, Words, box
from ecg_edge.report.text import measure, shorten, wrap
from ecg_edge.report.traces import LINE_WIDTH_MM, Place, draw_bar, draw_traces, place_rows, read_traces
from ecg_edge.report.words import Told, describe

_LEFT, _GRID_MM, _TOP = 16.0, 265, 26.0
_RIGHT = _LEFT + _GRID_MM
_ANSWER = 23.0
_TRACES = _RIGHT - PAPER_MM
_BOTTOM = 194.0
"""Of the text below the traces."""
_FOOTER = 197.5
_STRIP = 1.0 + timeline.HEIGHT_MM + timeline.AXIS_MM + 2.0
_SIZE = 2.8
_SMALL, _SMALL_LINE = 2.2, 2.8
_FOOTER_LINES = 3
_LOWEST = {"3x4": 115, "6x2": 120, "12x1": 140}
"""Least height of the grid of each layout; text that leaves less goes to the next sheet."""
_MARK_MM = 2.9


class Content(NamedTuple):
    """What is drawn."""

    finding: Finding
    excerpt: Excerpt
    choices: Choices
    told: Told
    window_s: float


def draw_sheets(content: Content) -> list[Sheet]:
    """Return the sheet with the ECG and, if there is too much text for it, more sheets with the text."""
    told, room, notes = content.told, _BOTTOM - _TOP - _STRIP, content.told.notes
    height = _choose_height(content, notes)
    picture, cut_leads = _draw_picture(content, height)
    if cut_leads:
        notes = (f"Cut at the arrowheads for want of room: {', '.join(cut_leads)}. A lower gain shows all.", *notes)
        height = _choose_height(content, notes)
        picture, _ = _draw_picture(content, height)
    columns, lines = _fill(told, notes)
    top = _TOP + height + _STRIP + LINE_MM
    rest: list[list[Shape]] = []
    text: list[Shape] = []
    if columns <= room - height:
        text += draw_columns(*fill_columns(told.sites, notes, _GRID_MM), _LEFT, top)
    elif lines <= room - height:
        text += draw_lines(fill_lines(told.sites, notes, _GRID_MM), _LEFT, top)
    else:
        text.append(Words(_RIGHT, _ANSWER, "Sites and notes: next sheet", _SIZE, bold=True, anchor="end"))
        rest = list(_draw_rest(told, notes))
    first = [*_draw_header(told), *picture, *text, *_draw_footer(told)]
    sheets = [Sheet(tuple(first), f"ECG {told.record}", describe(told, content.choices))]
    for shapes in rest:
        whole = (*_draw_header(told), *shapes, *_draw_footer(told))
        sheets.append(Sheet(whole, f"ECG {told.record}, sites and notes", f"Sites and notes of {told.record}."))
    return sheets


def _choose_height(content: Content, notes: Sequence[str]) -> int:
    """Return the height of the grid in mm: what the text leaves, or all if that is too little."""
    room = _BOTTOM - _TOP - _STRIP
    for needed in _fill(content.told, notes):
        if needed <= room - _LOWEST[content.choices.layout]:
            return int((room - needed) // 5 * 5)
    return int(room // 5 * 5)


def _fill(told: Told, notes: Sequence[str]) -> tuple[float, float]:
    """Return the height that the sites and notes need as columns, and as lines of the whole width."""
    rows, beside = fill_columns(told.sites, notes, _GRID_MM)
    lines = fill_lines(told.sites, notes, _GRID_MM)
    return max(len(rows), len(beside)) * LINE_MM, len(lines) * LINE_MM


def _draw_rest(told: Told, notes: Sequence[str]) -> Iterator[list[Shape]]:
    """Yield what stands on each further sheet."""
    top = _TOP + LINE_MM
    most = int((_BOTTOM - top) // LINE_MM)
    rows, lines = fill_columns(told.sites, notes, _GRID_MM)
    for start in range(0, max(1, len(lines)), most):
        yield [*draw_columns(rows, lines[start : start + most], _LEFT, top)]


def _draw_header(told: Told) -> Iterator[Shape]:
    review = measure(told.review, 3.2, bold=True)
    width = _GRID_MM - review - 8
    yield Words(_LEFT, 12, shorten(told.record, 4.2, width, bold=True), 4.2, bold=True, part="record")
    size = max(_SMALL, min(4.2, _GRID_MM / measure(told.statement, 1, bold=True)))
    yield Words(_LEFT, 18, shorten(told.statement, size, _GRID_MM, bold=True), size, bold=True, part="statement")
    yield Words(_LEFT, _ANSWER, told.answer or "No probability of infarction", 3.0, part="answer")
    frame = box(_RIGHT - review - 2, 7.4, _RIGHT, 13.2)
    yield Lines([frame[[0, 1, 2, 3, 0]]], 0.4, BLACK, part="review")
    yield Words(_RIGHT - review / 2 - 1, 11.5, told.review, 3.2, bold=True, anchor="middle", part="review")


def _draw_footer(told: Told) -> Iterator[Shape]:
    yield Words(_LEFT, _FOOTER, told.settings, _SIZE, bold=True, part="settings")
    yield Words(_RIGHT, _FOOTER, told.recording, _SIZE, anchor="end", part="recording")
    lines = [*wrap(told.provenance, _SMALL, _GRID_MM)][:_FOOTER_LINES]
    for number, text in enumerate(lines, 1):
        yield Words(_LEFT, _FOOTER + 0.4 + number * _SMALL_LINE, text, _SMALL, part="provenance")


def _draw_picture(content: Content, height: int) -> tuple[list[Shape], list[str]]:
    """Return the grid with the traces and the probabilities, and the leads that had to be cut."""
    finding, excerpt, choices = content.finding, content.excerpt, content.choices
    layout = arrange(choices, excerpt)
    traces = read_traces(layout, excerpt, finding, choices)
    marks = mark_all_leads(finding, excerpt)
    place = Place(_TRACES, _TOP + len(marks) * _MARK_MM + bool(marks), _TOP + height, choices.speed)
    baselines = place_rows(traces, layout, excerpt, place)
    lines, cut_leads = draw_traces(traces, baselines, excerpt, place)
    shapes: list[Shape] = [*draw_grid(_LEFT, _TOP, _GRID_MM, height)]
    shapes += _draw_pulses(baselines, choices, single=layout.n_columns == 1)
    shapes += lines
    shapes += _draw_marks(marks, excerpt, choices.speed)
    frame = timeline.Frame(_TRACES, _TOP + height + 1.0, PAPER_MM, choices.speed)
    shapes += timeline.draw_axis(frame, excerpt)
    shapes += timeline.draw_probabilities(frame, finding, excerpt, content.window_s)
    return shapes, cut_leads


def _draw_pulses(baselines: NDArray[np.float64], choices: Choices, *, single: bool) -> Iterator[Shape]:
    """Yield a pulse before each row that has room for it; only one, before the last row, beside names of leads."""
    above = np.diff(np.r_[_TOP, baselines])
    last = len(baselines) - 1
    chosen = [row for row in range(last) if above[row] > choices.gain and not single] + [last]
    pulses = [draw_pulse(_TRACES, float(baselines[row]), choices.speed, choices.gain) for row in chosen]
    yield Lines(pulses, LINE_WIDTH_MM, BLACK, part="pulse")


def _draw_marks(marks: Sequence[Mark], excerpt: Excerpt, speed: int) -> Iterator[Shape]:
    step = speed / excerpt.sampling_rate
    for number, mark in enumerate(marks):
        y = _TOP + 1.0 + number * _MARK_MM
        yield from draw_bar(_TRACES + mark.start * step, _TRACES + mark.stop * step, y, mark.text, _RIGHT)
