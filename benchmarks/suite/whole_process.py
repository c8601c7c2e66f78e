"""The test set in a new process: `ecg-edge run FOLDER --format csv`, from process start to the last row."""

from collections.abc import Iterator
from functools import partial
from statistics import median

from ecg_edge.bench.child import build_command, run_python
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.suite.full_set import BUDGET_S, RECORDS
from ecg_edge.bench.timing import list_wall_times, repeat_call


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for one record at a time and one for the maximum."""
    for threads in sorted({1, setup.threads}):
        options = ["--format", "csv", "--threads", str(threads), *setup.options]
        call = partial(run_python, *build_command(str(setup.folder), *options))
        call()
        seconds = list_wall_times(repeat_call(call, setup.effort))
        budget = BUDGET_S * setup.n_files / RECORDS
        details = {"budget_s": budget, "headroom": budget / median(seconds), "threads": threads}
        yield Row(f"{setup.n_files} records, {threads} at a time", "s", seconds, details)
