"""A report as one picture, with a panel for each measured part."""

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from ecg_edge.bench.report import Report, show_figure
from ecg_edge.bench.row import Row

_COLUMNS = 2
_PANEL_INCHES = (6.0, 3.4)


def draw(report: Report, path: Path) -> None:
    """Write an SVG; the same report gives the same file."""
    selected = [(panel, _select_rows(report, benchmark)) for benchmark, panel in _PANELS.items()]
    panels = [(panel, rows) for panel, rows in selected if rows]
    lines = max(1, ceil(len(panels) / _COLUMNS))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ecg_edge", "font.size": 9}):
        picture = Figure((_COLUMNS * _PANEL_INCHES[0], lines * _PANEL_INCHES[1]), layout="constrained")
        for place, (panel, rows) in enumerate(panels, start=1):
            panel(picture.add_subplot(lines, _COLUMNS, place), rows)
        picture.suptitle(report.environment.machine, fontsize=9)
        picture.savefig(path, metadata={"Date": None})


def _select_rows(report: Report, benchmark: str) -> list[Row]:
    return [row for row in report.rows if row.benchmark == benchmark]


def _draw_bars(axes: Axes, rows: Sequence[Row], names: Sequence[str], title: str) -> None:
    # The first row is on top; the whisker shows the middle half of the samples.
    medians = [row.median for row in rows]
    below = [row.median - row.percentile(25) for row in rows]
    above = [row.percentile(75) - row.median for row in rows]
    bars = axes.barh(names, medians, xerr=[below, above], color="#4c78a8", ecolor="#333333")
    axes.bar_label(bars, [show_figure(median) for median in medians], padding=4)
    axes.invert_yaxis()
    axes.set_xmargin(0.15)
    axes.set(title=title, xlabel=rows[0].unit)


def _draw_budget(axes: Axes, rows: list[Row]) -> None:
    process = "warm" if rows[0].benchmark == "full_set" else "cold"
    _draw_bars(axes, rows, [row.name for row in rows], f"Files to findings, {process} process")
    axes.axvline(rows[0].details["budget_s"], color="#e45756", linestyle="--", label="budget")
    axes.legend(frameon=False)


def _draw_original(axes: Axes, rows: list[Row]) -> None:
    ratios = [row for row in rows if "way" in row.details]
    names = [f"{row.details['rule']} rule: {row.details['way']}" for row in ratios]
    _draw_bars(axes, ratios, names, "Time of the original's networks over ours, one record")
    axes.set(xscale="log", xlim=(1, None))
    _use_plain_ticks(axes.xaxis)


def _draw_one_record(axes: Axes, rows: list[Row]) -> None:
    percents = range(101)
    for row in rows:
        axes.plot([row.percentile(percent) for percent in percents], percents, label=row.name)
    axes.set(title="One record, warm", xlabel="ms", ylabel="% of calls")
    axes.legend(frameon=False)


def _draw_cold_start(axes: Axes, rows: list[Row]) -> None:
    times = [row for row in rows if row.unit == "ms"]
    _draw_bars(axes, times, [row.name for row in times], "Cold start")


def _draw_threads(axes: Axes, rows: list[Row]) -> None:
    _draw_bars(axes, rows, [row.name for row in rows], "Records at a time")


def _use_plain_ticks(axis: Axis) -> None:
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _draw_batch(axes: Axes, rows: list[Row]) -> None:
    rows = [row for row in rows if "batch" in row.details]
    for stage, provider in dict.fromkeys((row.details["stage"], row.provider) for row in rows):
        line = [row for row in rows if (row.details["stage"], row.provider) == (stage, provider)]
        axes.plot(
            [row.details["batch"] for row in line], [row.median for row in line], "o-", label=f"{stage}, {provider}"
        )
    axes.set(title="Records in one call", xlabel="records a call", ylabel="records/s", xscale="log", ylim=(0, None))
    _use_plain_ticks(axes.xaxis)
    axes.legend(frameon=False)


def _draw_length(axes: Axes, rows: list[Row]) -> None:
    rows = [row for row in rows if row.unit == "s"]
    seconds = [row.details["length_s"] for row in rows]
    axes.loglog(seconds, [row.median for row in rows], "o-", label="time, s")
    axes.loglog(seconds, [row.details["allocated_mib"] for row in rows], "s--", label="memory, MiB")
    axes.set(title="One recording, both stages", xlabel="its length, s")
    axes.legend(frameon=False)


_PANELS: dict[str, Callable[[Axes, list[Row]], None]] = {
    "full_set": _draw_budget,
    "whole_process": _draw_budget,
    "original": _draw_original,
    "one_record": _draw_one_record,
    "cold_start": _draw_cold_start,
    "length": _draw_length,
    "threads": _draw_threads,
    "batch": _draw_batch,
}
