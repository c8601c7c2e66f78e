"""A report as a page of Markdown."""

from collections.abc import Iterator

from ecg_edge.bench.report import Report, figure, said
from ecg_edge.bench.row import Row

_HEAD = ("benchmark", "figure", "median", "minimum", "IQR", "n", "unit", "provider", "details")
_AS_THE_ORIGINAL = "torch, window by window"


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
    if headline := [line for row in report.rows for line in _headline(row)]:
        yield from (f"- **{line}**" for line in headline)
        yield ""
    if chart is not None:
        yield f"![Charts of the figures below]({chart})"
        yield ""
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    yield from (f"| {' | '.join(_cells(row))} |" for row in report.rows)


def _headline(row: Row) -> Iterator[str]:
    if row.details.get("way") == _AS_THE_ORIGINAL:
        rule = row.details["rule"]
        yield f"one record takes the original {figure(row.median)} times as long, windows by its {rule} rule"
    if "headroom" in row.details:
        yield (
            f"{row.benchmark.replace('_', ' ')}: {row.name} in {figure(row.median)} s, "
            f"{figure(row.details['headroom'])} times within the budget of {figure(row.details['budget_s'])} s"
        )


def _cells(row: Row) -> list[str]:
    figures = [figure(each) for each in (row.median, row.minimum, row.interquartile_range)]
    return [row.benchmark, row.name, *figures, str(len(row.samples)), row.unit, row.provider, said(row.details)]
