"""Records per second by records in one model call, for each stage; on a GPU also compared with a CPU core."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import repeat_call
from ecg_edge.detector import Detector
from ecg_edge.model.session import Model
from ecg_edge.recording import Recording

_SIZES = {"cpu": (1, 2, 4, 8, 16, 32, 64), "cuda": (1, 2, 4, 8, 16, 32, 64, 128, 256)}
_A_SAMPLE = 64  # minimum records in a sample, because a single short call is noisy


def measure(setup: Setup) -> Iterator[Row]:
    """Yield the curve of each stage on the provider, and also on a CPU core if the provider is a GPU."""
    sizes = _SIZES[setup.provider]
    for model in _list_models(setup.detector):
        rows = list(_measure_curve(setup, model, sizes))
        yield from rows
        if setup.provider == "cuda":
            yield from _compare_with_core(setup, model.spec.stage, rows)


def _compare_with_core(setup: Setup, stage: str, rows: list[Row]) -> Iterator[Row]:
    beside = next(model for model in _list_models(Detector(setup.models)) if model.spec.stage == stage)
    core = list(_measure_curve(setup, beside, _SIZES["cpu"], "on a CPU core, "))
    yield from core
    best = max(row.median for row in core)
    faster = [float(row.details["batch"]) for row in rows if row.median > best]
    if faster:
        yield Row(f"{stage}: overtakes a CPU core", "records a call", (faster[0],), {"core_rate": best})


def _list_models(detector: Detector) -> tuple[Model, Model]:
    return detector.infarction, detector.localization


def _measure_curve(setup: Setup, model: Model, sizes: tuple[int, ...], where: str = "") -> Iterator[Row]:
    for size in sizes:
        ecg = np.stack(
            [recording.stretch(0, recording.samples) for recording in islice(_cycle_one_length(setup), size)]
        )
        calls = max(1, _A_SAMPLE // size)
        _call(model, ecg, 1)
        costs = repeat_call(partial(_call, model, ecg, calls), setup.effort)
        rates = tuple(calls * size / cost.wall for cost in costs)
        details = {"batch": size, "stage": model.spec.stage, "median_ms": median(1e3 * size / rate for rate in rates)}
        name = f"{model.spec.stage}: {where}{size} a call"
        yield Row(name, "records/s", rates, details, higher_is_better=True, provider=model.provider)


def _cycle_one_length(setup: Setup) -> Iterator[Recording]:
    length = setup.recordings[0].samples
    return cycle([recording for recording in setup.recordings if recording.samples == length])


def _call(model: Model, ecg: NDArray[np.float32], calls: int) -> None:
    for _ in range(calls):
        model.window_scores(ecg)
