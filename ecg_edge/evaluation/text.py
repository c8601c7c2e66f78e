"""The report as text."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ecg_edge.evaluation.question import Row
from ecg_edge.evaluation.report import Mistake, Mistakes, Report, Unanswered
from ecg_edge.evaluation.wording import (
    HEADINGS,
    Section,
    describe_method,
    describe_records,
    list_groups,
    list_notes,
    list_sections,
    show_figure,
)

_CELL = 24
_NAME = 15
_MOST_UNANSWERED = 10


def render_text(report: Report) -> Iterator[str]:
    """Yield the lines of the report; names of records and columns are as they are in the files."""
    yield from describe_records(report)
    yield from describe_method(report)
    first, *others = list_sections(report)
    yield from _render_section(first)
    for section in others:
        yield from _render_section(replace(section, rows=tuple(row for row in section.rows if row.figures)))
    for section in list_groups(report):
        yield from _render_section(_leave_out_small_sites(section))
    yield from _render_mistakes(report.mistakes)
    yield from _render_unanswered(report.unanswered)
    yield ""
    yield from (f"- {note}" for note in list_notes(report))


def _leave_out_small_sites(section: Section) -> Section:
    rows = tuple(row for row in section.rows if row.figures or row.name.endswith(": infarction"))
    title = section.title
    if len(rows) < len(section.rows):
        title += " (sites with insufficient data are left out; json and html have them)"
    return replace(section, title=title, rows=rows)


def _render_section(section: Section) -> Iterator[str]:
    if not section.rows:
        return
    width = max(_NAME, *(len(row.name) for row in section.rows)) + 1
    yield ""
    yield section.title
    if section.note:
        yield f"  {section.note}"
    heads = "".join(f"{HEADINGS[name]:<{_CELL}}" for name in section.names)
    yield f"  {'':<{width}}{'n':>6}{'positive':>10}  {heads}".rstrip()
    for row in section.rows:
        yield _render_row(row, section.names, width)


def _render_row(row: Row, names: Iterable[str], width: int) -> str:
    cells = "".join(f"{show_figure(row, name):<{_CELL}}" for name in names)
    return f"  {row.name:<{width}}{row.n:>6}{row.positives:>10}  {cells}".rstrip()


def _render_mistakes(mistakes: Iterable[Mistakes]) -> Iterator[str]:
    shown = [of_label for of_label in mistakes if of_label.missed or of_label.false_alarms]
    if not shown:
        return
    yield ""
    yield "Worst mistakes: name and probability"
    for of_label in shown:
        for what, n, some in (
            ("missed", of_label.n_missed, of_label.missed),
            ("false alarms", of_label.n_false_alarms, of_label.false_alarms),
        ):
            if some:
                yield f"  {of_label.label}, {n} {what}: {_join(some)}"


def _join(mistakes: Iterable[Mistake]) -> str:
    return ", ".join(f"{mistake.record} {mistake.probability:.3f}" for mistake in mistakes)


def _render_unanswered(unanswered: tuple[Unanswered, ...]) -> Iterator[str]:
    if not unanswered:
        return
    yield ""
    yield "Labelled records without an answer"
    for record in unanswered[:_MOST_UNANSWERED]:
        yield f"  {record.record} ({'infarction' if record.infarction else 'no infarction'}): {record.why}"
    if len(unanswered) > _MOST_UNANSWERED:
        yield f"  and {len(unanswered) - _MOST_UNANSWERED} more; json and html have all"
