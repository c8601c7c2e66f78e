"""Peak memory of a whole process."""

import sys
from collections.abc import Iterator

from ecg_edge.bench.child import build_run_arguments, run_module
from ecg_edge.bench.records import find_example
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup

_ENOUGH = 3  # the peak hardly varies


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for the imports alone, for one file and for all files; yield nothing on Windows."""
    if sys.platform == "win32":
        return
    file = str(find_example("inferior_infarction"))
    folder = build_run_arguments(str(setup.folder), "--threads", str(setup.threads), *setup.options)
    yield Row("import numpy, onnxruntime", "MiB", _measure_peaks(setup, []), provider="none")
    yield Row("ecg-edge run FILE", "MiB", _measure_peaks(setup, build_run_arguments(file, *setup.options)))
    details = {"records": setup.n_files}
    yield Row(f"ecg-edge run FOLDER, {setup.threads} at a time", "MiB", _measure_peaks(setup, folder), details)


def _measure_peaks(setup: Setup, arguments: list[str]) -> tuple[float, ...]:
    repeat = min(_ENOUGH, setup.effort.repeat)
    return tuple(float(run_module("ecg_edge.bench.peak", *arguments)) for _ in range(repeat))
