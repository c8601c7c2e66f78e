"""A report as a page of Markdown."""

from collections.abc import Iterator

from benchmarks.headline import render_table
from ecg_edge.bench.report import Report, show_details, show_figure
from ecg_edge.bench.row import Row

_HEAD = ("benchmark", "figure", "median", "minimum", "IQR", "n", "unit", "provider", "details")


def render_page(report: Report, chart: str | None) -> Iterator[str]:
    """Yield the lines: machine and versions, headline, chart, all rows.

    Args:
        report: At least one row.
        chart: Name of the chart beside the page, if there is one.
    """
    yield "# Benchmarks"
    yield ""
    yield from (f"- {line}" for line in report.describe())
    yield ""
    headline = list(render_table(report))
    if headline:
        yield from (*headline, "")
    if chart is not None:
        yield f"![Charts of the figures below]({chart})"
        yield ""
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    yield from (f"| {' | '.join(_list_cells(row))} |" for row in report.rows)


def _list_cells(row: Row) -> list[str]:
    figures = [show_figure(value) for value in (row.median, row.minimum, row.interquartile_range)]
    return [row.benchmark, row.name, *figures, str(len(row.samples)), row.unit, row.provider, show_details(row.details)]
