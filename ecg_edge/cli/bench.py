"""The command `ecg-edge bench`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.cli.options import FiniteRange, add_session_options, one_line_errors, track_progress

if TYPE_CHECKING:
    from ecg_edge.bench.report import Report
    from ecg_edge.bench.row import Row
    from ecg_edge.bench.setup import Setup

# The time for one figure is this part of the whole time, so that all figures together fit.
_SHARES = 22


@click.command()
@add_session_options
@click.option("--threads", type=click.IntRange(1), help="Maximum records at a time.  [default: number of usable cores]")
@click.option("--format", "rendering", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--seconds", type=FiniteRange(1, "s"), default=20, show_default=True, help="About how long to measure.")
@click.option("--repeat", type=click.IntRange(1), default=20, show_default=True, help="Maximum samples of a figure.")
def bench(  # noqa: PLR0913, PLR0917 - one parameter an option
    models: Path | None, provider: str, threads: int | None, rendering: str, seconds: float, repeat: int
) -> None:
    """Measure speed and memory on this machine, offline, with copies of the example recordings.

    \b
    Examples:
      ecg-edge bench
      ecg-edge bench --seconds 60 --format json
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    import tempfile

    from ecg_edge.bench.setup import Setup
    from ecg_edge.bench.timing import Effort
    from ecg_edge.cores import usable_cores

    with one_line_errors(), tempfile.TemporaryDirectory() as folder:
        effort = Effort(repeat, seconds / _SHARES)
        report = _measure(Setup(Path(folder), effort, provider, threads or usable_cores(), models))
    _show(report, rendering)


def _measure(setup: "Setup") -> "Report":
    from ecg_edge.bench import suite
    from ecg_edge.bench.machine import describe_machine
    from ecg_edge.bench.records import write_records
    from ecg_edge.bench.report import Report
    from ecg_edge.bench.runner import find_benchmarks, run_benchmark

    count = _count_affordable(setup)
    where = describe_machine(setup, f"{count} made from the package's two synthetic examples")
    write_records(setup.folder, count)
    measured: list[Row] = []
    for name, module in track_progress(find_benchmarks(suite).items(), "benchmarks"):
        measured += run_benchmark(name, module, setup)
    return Report(where, tuple(measured))


def _count_affordable(setup: "Setup") -> int:
    """Return how many records, 449 at most, this machine answers in its share of the time."""
    from ecg_edge.bench.records import ONE_IN, read_example
    from ecg_edge.bench.suite.full_set import RECORDS
    from ecg_edge.bench.timing import time_call
    from ecg_edge.recording import Recording

    mix = [Recording(read_example("inferior_infarction")), *[Recording(read_example("normal"))] * (ONE_IN - 1)]
    cost = min(time_call(lambda: list(setup.detector.detect_many(mix))).wall for _ in range(3)) / ONE_IN
    return min(RECORDS, max(10, int(setup.effort.seconds / cost)))


def _show(report: "Report", rendering: str) -> None:
    from ecg_edge.bench.report import render_text

    lines = [report.to_json()] if rendering == "json" else render_text(report)
    for line in lines:
        click.echo(line)
