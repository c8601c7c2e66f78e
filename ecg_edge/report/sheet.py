"""Puts everything in its place on sheets of A4."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.findings import Finding
from ecg_edge.report import timeline
from ecg_edge.report.choices import PAPER_MM, Choices
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.grid import draw_grid, draw_pulse
from ecg_edge.report.layout import arrange
from ecg_edge.report.marks import Mark, mark_all_leads
from ecg_edge.report.shapes import BLACK, Lines, Shape, Sheet, Words, box
from ecg_edge.report.text import measure, shorten, wrap
from ecg_edge.report.traces import Place, draw_bar, draw_traces, place_rows, read_traces
from ecg_edge.report.words import Told, describe, list_sites

_LEFT, _GRID_MM, _TOP = 16.0, 265, 26.0
_RIGHT = _LEFT + _GRID_MM
_TRACES = _RIGHT - PAPER_MM
_BOTTOM = 194.0
"""Of the text below the traces."""
_FOOTER = 197.5
_STRIP = 1.0 + timeline.HEIGHT_MM + timeline.AXIS_MM + 2.0
_SIZE, _LINE = 2.8, 3.5
_SMALL, _SMALL_LINE = 2.2, 2.8
_SITES_MM, _NOTES = 92.0, 114.0
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
    """Return the sheet with the ECG and, if there is too much text for it, a second one with the text."""
    told = content.told
    highest = int((_BOTTOM - _TOP - _STRIP) // 5 * 5)
    room = _BOTTOM - _TOP - _STRIP - _LOWEST[content.choices.layout]
    sites, notes = _write_sites(content.finding), _write_notes(told.notes, _RIGHT - _NOTES)
    needed = max(len(sites), len(notes)) * _LINE
    fits = needed <= room
    height = int((_BOTTOM - _TOP - _STRIP - needed) // 5 * 5) if fits else highest
    picture, cut_leads = _draw_picture(content, height)
    if cut_leads:
        remark = f"Cut at the arrowheads for want of room: {', '.join(cut_leads)}; a lower gain shows all."
        notes = [*notes, *_write_notes([remark], _RIGHT - _NOTES)]
        fits = fits and len(notes) * _LINE <= _BOTTOM - _TOP - _STRIP - height
    shapes = [*_draw_header(told), *picture]
    text_top = _TOP + height + _STRIP + _LINE
    if fits:
        shapes += _draw_text(sites, notes, text_top)
    elif sites or notes:
        shapes.append(Words(_RIGHT, _FOOTER, "sites and notes: next sheet", _SIZE, bold=True, anchor="end"))
    shapes += _draw_footer(told)
    description = describe(told, content.finding, content.choices)
    sheets = [Sheet(tuple(shapes), f"ECG {told.record}", description)]
    if not fits and (sites or notes):
        more = [*_draw_header(told), *_draw_text(sites, notes, _TOP + 6), *_draw_footer(told)]
        sheets.append(Sheet(tuple(more), f"ECG {told.record}, sites and notes", f"Sites and notes of {told.record}."))
    return sheets


def _draw_header(told: Told) -> Iterator[Shape]:
    review = measure(told.review, 3.2, bold=True)
    width = _GRID_MM - review - 8
    yield Words(_LEFT, 12, shorten(told.record, 4.2, width, bold=True), 4.2, bold=True, part="record")
    yield Words(_LEFT, 18, shorten(told.statement, 4.2, _GRID_MM, bold=True), 4.2, bold=True, part="statement")
    yield Words(_LEFT, 23, told.answer or "No probability", 3.0, part="answer")
    yield Words(_RIGHT, 23, told.recording, _SIZE, anchor="end", part="recording")
    frame = box(_RIGHT - review - 2, 7.4, _RIGHT, 13.2)
    yield Lines([frame[[0, 1, 2, 3, 0]]], 0.4, BLACK, part="review")
    yield Words(_RIGHT - review / 2 - 1, 11.5, told.review, 3.2, bold=True, anchor="middle", part="review")


def _draw_footer(told: Told) -> Iterator[Shape]:
    yield Words(_LEFT, _FOOTER, told.settings, _SIZE, bold=True, part="settings")
    for number, text in enumerate(wrap(told.provenance, _SMALL, _GRID_MM), 1):
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
    shapes += _draw_pulses(baselines, choices)
    shapes += lines
    shapes += _draw_marks(marks, excerpt, choices.speed)
    frame = timeline.Frame(_TRACES, _TOP + height + 1.0, PAPER_MM, choices.speed)
    shapes += timeline.draw_axis(frame, excerpt)
    shapes += timeline.draw_probabilities(frame, finding, excerpt, content.window_s)
    return shapes, cut_leads


def _draw_pulses(baselines: NDArray[np.float64], choices: Choices) -> Iterator[Shape]:
    """Yield a pulse before each row that has room for it, and before the last one anyway."""
    above = np.diff(np.r_[_TOP, baselines])
    chosen = [row for row in range(len(baselines)) if above[row] > choices.gain or row == len(baselines) - 1]
    pulses = [draw_pulse(_TRACES, float(baselines[row]), choices.speed, choices.gain) for row in chosen]
    yield Lines(pulses, 0.28, BLACK, part="pulse")


def _draw_marks(marks: Sequence[Mark], excerpt: Excerpt, speed: int) -> Iterator[Shape]:
    step = speed / excerpt.sampling_rate
    for number, mark in enumerate(marks):
        y = _TOP + 1.0 + number * _MARK_MM
        yield from draw_bar(_TRACES + mark.start * step, _TRACES + mark.stop * step, y, mark.text, _RIGHT)


def _write_sites(finding: Finding) -> list[tuple[str, str, str, bool]]:
    sites = list_sites(finding)
    return [("Site", "Probability", "Threshold", False), *sites] if sites else []


def _write_notes(notes: Sequence[str], width: float) -> list[str]:
    return list(chain.from_iterable(wrap(note, _SIZE, width) for note in notes))


def _draw_text(sites: Sequence[tuple[str, str, str, bool]], notes: Sequence[str], top: float) -> Iterator[Shape]:
    """Yield the table of sites and, beside it, the notes."""
    for number, (name, probability, threshold, found) in enumerate(sites):
        y = top + number * _LINE
        bold = found or not number
        yield Words(_LEFT, y, shorten(name, _SIZE, 27, bold=bold), _SIZE, bold=bold, part="site")
        yield Words(_LEFT + 48, y, probability, _SIZE, bold=bold, anchor="end", part="site")
        yield Words(_LEFT + 70, y, threshold, _SIZE, bold=bold, anchor="end", part="site")
        if found:
            yield Words(_LEFT + 74, y, "found", _SIZE, bold=True, part="site")
    for number, text in enumerate(notes):
        yield Words(_NOTES, top + number * _LINE, text, _SIZE, part="note")
