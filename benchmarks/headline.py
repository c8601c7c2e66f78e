"""The most important figures of a report."""

from collections.abc import Callable, Iterator

from ecg_edge.bench.report import Report, show_figure
from ecg_edge.bench.row import Row


def render_table(report: Report) -> Iterator[str]:
    """Yield the lines of a Markdown table; nothing if none of the figures was measured."""
    cells = [cell for name, line in _LINES.items() for row in _select_rows(report, name) for cell in line(row)]
    if cells:
        yield "| | |"
        yield "|---|---|"
        yield from (f"| {name} | {value} |" for name, value in cells)


def _select_rows(report: Report, benchmark: str) -> list[Row]:
    return [row for row in report.rows if row.benchmark == benchmark]


def _show_budget(row: Row) -> Iterator[tuple[str, str]]:
    process = "warm" if row.benchmark == "full_set" else "cold"
    budget, headroom = (show_figure(row.details[key]) for key in ("budget_s", "headroom"))
    value = f"{show_figure(row.median)} s, {headroom} times within the budget of {budget} s"
    yield f"{row.name}, files to findings, {process} process", value


def _show_overhead(row: Row) -> Iterator[tuple[str, str]]:
    value = f"{show_figure(row.median)}, to be {show_figure(row.details['target'])} at most"
    yield f"{row.details['records']} records, {row.name}", value


def _show_original(row: Row) -> Iterator[tuple[str, str]]:
    if row.details.get("way") == "torch, window by window":
        yield (
            f"time of the original's networks over ours, one record, one core, its {row.details['rule']} rule",
            f"{show_figure(row.median)} ({show_figure(row.percentile(25))} to {show_figure(row.percentile(75))})",
        )


def _show_one_record(row: Row) -> Iterator[tuple[str, str]]:
    percentiles = ", ".join(show_figure(row.details[f"p{percent}_ms"]) for percent in (50, 95, 99))
    yield f"one warm record, {row.name}: p50, p95, p99", f"{percentiles} ms"


def _show_cold_start(row: Row) -> Iterator[tuple[str, str]]:
    if "target" in row.details:
        yield f"cold {row.name}", f"{show_figure(row.median)}, to be {show_figure(row.details['target'])} at most"


def _show_length(row: Row) -> Iterator[tuple[str, str]]:
    if row.unit != "s":
        yield f"one long recording: {row.name}", show_figure(row.median)


_LINES: dict[str, Callable[[Row], Iterator[tuple[str, str]]]] = {
    "full_set": _show_budget,
    "whole_process": _show_budget,
    "overhead": _show_overhead,
    "original": _show_original,
    "one_record": _show_one_record,
    "cold_start": _show_cold_start,
    "length": _show_length,
}
