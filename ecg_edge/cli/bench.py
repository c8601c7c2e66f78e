"""The command `ecg-edge bench`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.errors import EcgEdgeError

if TYPE_CHECKING:
    from ecg_edge.bench.report import Report
    from ecg_edge.bench.setup import Setup

# A share of the time for each figure, such that all of them together fit.
_SHARES = 22


@click.command()
@click.option("--models", type=click.Path(exists=True, file_okay=False, path_type=Path), help="As for `run`.")
@click.option("--provider", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Records at a time, at most.  [default: the cores it may use]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=20, show_default=True, help="About how long to measure.")
@click.option("--repeat", type=click.IntRange(1), default=20, show_default=True, help="Samples of a figure, at most.")
def bench(  # noqa: PLR0913, PLR0917 - one parameter an option
    models: Path | None, provider: str, threads: int | None, form: str, seconds: float, repeat: int
) -> None:
    """Measure speed and memory on this machine, offline, with copies of the example recordings."""
    import tempfile

    from ecg_edge.bench.setup import Setup
    from ecg_edge.bench.timing import Effort
    from ecg_edge.scheduling import usable_cores

    try:
        with tempfile.TemporaryDirectory() as folder:
            effort = Effort(repeat, seconds / _SHARES)
            report = _report(Setup(Path(folder), effort, provider, threads or usable_cores(), models))
    except EcgEdgeError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    _show(report, form)


def _report(setup: "Setup") -> "Report":
    from ecg_edge.bench import suite
    from ecg_edge.bench.machine import environment
    from ecg_edge.bench.records import write_records
    from ecg_edge.bench.report import Report
    from ecg_edge.bench.runner import benchmarks, rows

    count = _affordable(setup)
    where = environment(setup, f"{count} made from the package's two synthetic examples")
    write_records(setup.folder, count)
    measured = [row for name, module in benchmarks(suite).items() for row in rows(name, module, setup)]
    return Report(where, tuple(measured))


def _affordable(setup: "Setup") -> int:
    """Return how many records, 449 at most, this machine answers in its share of the time."""
    from ecg_edge.bench.records import ONE_IN, example
    from ecg_edge.bench.suite.full_set import RECORDS
    from ecg_edge.bench.timing import timed
    from ecg_edge.recording import Recording

    mix = [Recording(example("inferior_infarction")), *[Recording(example("normal"))] * (ONE_IN - 1)]
    cost = min(timed(lambda: list(setup.detector.detect_many(mix))).wall for _ in range(3)) / ONE_IN
    return min(RECORDS, max(10, int(setup.effort.seconds / cost)))


def _show(report: "Report", form: str) -> None:
    from ecg_edge.bench.report import text

    lines = [report.to_json()] if form == "json" else text(report)
    for line in lines:
        click.echo(line)
