"""Quality notes at the place where they hold: a bar under the lead, or over all leads, with the words of its code."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ecg_edge.findings import Finding, Note
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.layout import Panel

_WORDS = {"no_qrs": "no QRS", "not_finite": "missing", "flat_lead": "flat"}
"""Codes that need other words than their own."""


class Mark(NamedTuple):
    """Samples of the excerpt that a note is about."""

    start: int
    stop: int
    text: str


def mark_panel(finding: Finding, panel: Panel, excerpt: Excerpt) -> list[Mark]:
    """Return the marks under a panel."""
    notes = [note for note in _list_notes(finding) if note.lead == panel.lead]
    return _join(_place(notes, excerpt, panel.start, panel.stop))


def mark_all_leads(finding: Finding, excerpt: Excerpt) -> list[Mark]:
    """Return the marks of notes that are about no single lead."""
    notes = [note for note in _list_notes(finding) if note.lead is None]
    return _join(_place(notes, excerpt, 0, excerpt.millivolts.shape[1]))


def _list_notes(finding: Finding) -> Sequence[Note]:
    return (*finding.reasons, *finding.warnings)


def _place(notes: Sequence[Note], excerpt: Excerpt, first: int, last: int) -> Iterator[Mark]:
    for note in notes:
        if note.start_s is None or note.stop_s is None:
            continue
        times = (note.start_s - excerpt.start_s, note.stop_s - excerpt.start_s)
        start, stop = (min(max(round(time * excerpt.sampling_rate), first), last) for time in times)
        if start < stop or (note.start_s == note.stop_s and first <= start < last):
            yield Mark(start, max(stop, start + 1), _WORDS.get(note.code, note.code.replace("_", " ")))


def _join(marks: Iterator[Mark]) -> list[Mark]:
    """Return one mark for all that hold for the same time."""
    texts: dict[tuple[int, int], dict[str, None]] = {}
    for mark in marks:
        texts.setdefault((mark.start, mark.stop), {})[mark.text] = None
    return [Mark(start, stop, ", ".join(words)) for (start, stop), words in sorted(texts.items())]
