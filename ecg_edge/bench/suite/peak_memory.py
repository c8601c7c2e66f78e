"""The most memory that a whole process ever held."""

import sys
from collections.abc import Iterator

from ecg_edge.bench.child import module, quiet
from ecg_edge.bench.records import example_path
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup

_ENOUGH = 3  # it hardly varies


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for the imports alone, for one file and for all of them; none where the system does not count it."""
    if sys.platform == "win32":
        return
    file = str(example_path("inferior_infarction"))
    folder = quiet(str(setup.folder), "--threads", str(setup.threads), *setup.options)
    yield Row("import numpy, onnxruntime", "MiB", _peaks(setup, []), provider="none")
    yield Row("ecg-edge run FILE", "MiB", _peaks(setup, quiet(file, *setup.options)))
    details = {"records": setup.n_files}
    yield Row(f"ecg-edge run FOLDER, {setup.threads} at a time", "MiB", _peaks(setup, folder), details)


def _peaks(setup: Setup, arguments: list[str]) -> tuple[float, ...]:
    repeat = min(_ENOUGH, setup.effort.repeat)
    return tuple(float(module("ecg_edge.bench.peak", *arguments)) for _ in range(repeat))
