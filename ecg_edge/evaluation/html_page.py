"""The report as one HTML file that loads nothing."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ecg_edge.evaluation.reliability import draw_reliability
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

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ecg_edge: local validation</title>
<style>
body { font-family: sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: white }
h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-size: 0.9rem; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ccc; padding: 0.25rem 0.75rem; text-align: left; overflow-wrap: anywhere }
td.number { text-align: right; font-variant-numeric: tabular-nums }
svg { max-width: 100%; height: auto }
</style>
</head>
<body>
<h1>Local validation of ecg_edge</h1>
"""


def render_html(report: Report) -> Iterator[str]:
    """Yield the page piece by piece. All text from files is escaped."""
    yield _HEAD
    yield from _list_items((*describe_records(report), *describe_method(report)))
    yield "<h2>What to know before reading the figures</h2>\n"
    yield from _list_items(list_notes(report))
    for section in list_sections(report):
        yield from _render_section(section)
    yield "<h2>Reliability</h2>\n"
    yield "<p>Points: bins of equal numbers of records, with 95% intervals. Bars: records, logarithmic.</p>\n"
    yield draw_reliability(report.calibration)
    for section in list_groups(report):
        yield from _render_section(section)
    for of_label in report.mistakes:
        yield from _render_mistakes(of_label)
    yield from _render_unanswered(report.unanswered)
    for title, names in (
        ("Records without a label", report.source.without_label),
        ("Labels without a record", report.source.without_record),
        (f"Records without a row in {report.source.about}", report.source.without_about),
    ):
        if names:
            yield f"<h2>{escape(title)}</h2>\n<p>{escape(', '.join(names))}</p>\n"
    yield "</body>\n</html>\n"


def _list_items(lines: Iterable[str]) -> Iterator[str]:
    yield "<ul>\n"
    yield from (f"<li>{escape(line)}</li>\n" for line in lines)
    yield "</ul>\n"


def _render_section(section: Section) -> Iterator[str]:
    heads = ["", "n", "positive", *(HEADINGS[name] for name in section.names)]
    rows = [
        [row.name, row.n, row.positives, *(show_figure(row, name) for name in section.names)] for row in section.rows
    ]
    yield from _render_table(section.title, heads, rows)
    if section.note:
        yield f"<p>{escape(section.note)}</p>\n"


def _render_mistakes(of_label: Mistakes) -> Iterator[str]:
    for what, n, some in (
        ("missed", of_label.n_missed, of_label.missed),
        ("false alarms", of_label.n_false_alarms, of_label.false_alarms),
    ):
        if some:
            title = f"{of_label.label}: the worst {len(some)} of {n} {what}"
            yield from _render_table(title, ["record", "probability", "source"], [_list_cells(one) for one in some])


def _list_cells(mistake: Mistake) -> list[str]:
    return [mistake.record, f"{mistake.probability:.3f}", mistake.source]


def _render_unanswered(unanswered: tuple[Unanswered, ...]) -> Iterator[str]:
    if unanswered:
        rows = [[one.record, one.status, "yes" if one.infarction else "no", one.why, one.source] for one in unanswered]
        heads = ["record", "status", "infarction", "why", "source"]
        yield from _render_table("Labelled records without an answer", heads, rows)


def _render_table(title: str, heads: list[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"<h2>{escape(title)}</h2>\n<table>\n<tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>\n"
    yield from (f"<tr>{''.join(map(_render_cell, cells))}</tr>\n" for cells in rows)
    yield "</table>\n"


def _render_cell(cell: object) -> str:
    return f'<td class="number">{cell}</td>' if isinstance(cell, int) else f"<td>{escape(str(cell))}</td>"
