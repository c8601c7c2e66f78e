"""The few figures that a reader wants first."""

from collections.abc import Callable, Iterator

from ecg_edge.bench.report import Report, figure
from ecg_edge.bench.row import Row


def table(report: Report) -> Iterator[str]:
    """Yield the lines of a Markdown table; nothing if none of its figures was measured."""
    cells = [cell for name, line in _LINES.items() for row in _of(report, name) for cell in line(row)]
    if cells:
        yield "| | |"
        yield "|---|---|"
        yield from (f"| {name} | {value} |" for name, value in cells)


def _of(report: Report, benchmark: str) -> list[Row]:
    return [row for row in report.rows if row.benchmark == benchmark]


def _within_budget(row: Row) -> Iterator[tuple[str, str]]:
    process = "warm" if row.benchmark == "full_set" else "cold"
    budget, headroom = (figure(row.details[key]) for key in ("budget_s", "headroom"))
    value = f"{figure(row.median)} s, {headroom} times within the budget of {budget} s"
    yield f"{row.name}, files to findings, {process} process", value


def _original(row: Row) -> Iterator[tuple[str, str]]:
    if row.details.get("way") == "torch, window by window":
        yield (
            f"time of the original's networks over ours, one record, one core, its {row.details['rule']} rule",
            f"{figure(row.median)} ({figure(row.percentile(25))} to {figure(row.percentile(75))})",
        )


def _one_record(row: Row) -> Iterator[tuple[str, str]]:
    percentiles = ", ".join(figure(row.details[f"p{each}_ms"]) for each in (50, 95, 99))
    yield f"one warm record, {row.name}: p50, p95, p99", f"{percentiles} ms"


def _cold_start(row: Row) -> Iterator[tuple[str, str]]:
    if "target" in row.details:
        yield f"cold {row.name}", f"{figure(row.median)}, to be {figure(row.details['target'])} at most"


def _length(row: Row) -> Iterator[tuple[str, str]]:
    if row.unit != "s":
        yield f"one long recording: {row.name}", figure(row.median)


_LINES: dict[str, Callable[[Row], Iterator[tuple[str, str]]]] = {
    "full_set": _within_budget,
    "whole_process": _within_budget,
    "original": _original,
    "one_record": _one_record,
    "cold_start": _cold_start,
    "length": _length,
}
