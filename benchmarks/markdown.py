"""A report as a page of Markdown."""

from collections.abc import Iterator

from benchmarks.headline import table
from ecg_edge.bench.report import Report, figure, said
from ecg_edge.bench.row import Row

_HEAD = ("benchmark", "figure", "median", "minimum", "IQR", "n", "unit", "provider", "details")


def page(report: Report, chart: str | None) -> Iterator[str]:
    """Yield the lines: what was measured on and with, the headline, the chart, all rows.

    Args:
        report: At least one row.
        chart: Name of the chart beside the page, if there is one.
    """
    yield "# Benchmarks"
    yield ""
    yield from (f"- {line}" for line in report.heading())
    yield ""
    if headline := list(table(report)):
        yield from (*headline, "")
    if chart is not None:
        yield f"![Charts of the figures below]({chart})"
        yield ""
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    yield from (f"| {' | '.join(_cells(row))} |" for row in report.rows)


def _cells(row: Row) -> list[str]:
    figures = [figure(each) for each in (row.median, row.minimum, row.interquartile_range)]
    return [row.benchmark, row.name, *figures, str(len(row.samples)), row.unit, row.provider, said(row.details)]
