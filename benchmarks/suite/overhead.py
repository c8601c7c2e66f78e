"""What everything beside the networks costs: from files to findings, compared with the networks' calls alone."""

from collections.abc import Iterator
from functools import partial
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Cost, Effort, interleave_calls
from ecg_edge.detector import Detector
from ecg_edge.findings import Finding
from ecg_edge.model.inference import read_inputs
from ecg_edge.model.session import Model
from ecg_edge.recording import Recording
from ecg_edge.scheduling import batches, work_side_by_side

TARGET = 1.5
_WARM_UP = Effort(1, 0)

Call = tuple[Model, NDArray[np.float32]]


def measure(setup: Setup) -> Iterator[Row]:
    """Yield the ratio for one record at a time and for the maximum."""
    for threads in sorted({1, setup.threads}):
        yield _measure_threads(setup, threads)


def _measure_threads(setup: Setup, threads: int) -> Row:
    detector = setup.load_detector(threads)
    calls = list(_list_calls(setup, detector, threads))
    both = {"all": partial(_answer_files, setup, detector), "networks": partial(_run_networks, calls, threads)}
    interleave_calls(both, _WARM_UP)
    costs = interleave_calls(both, setup.effort)
    rounds = list(zip(costs["all"], costs["networks"], strict=True))
    ratios = tuple(_choose_clock(setup, one) / _choose_clock(setup, other) for one, other in rounds)
    details = {
        "records": setup.n_files,
        "threads": threads,
        "networks_processor_s": median(cost.processor for cost in costs["networks"]),
        "wall_ratio": median(one.wall / other.wall for one, other in rounds),
        "target": TARGET,
        "met": median(ratios) <= TARGET,
    }
    return Row(f"files to findings / networks alone, {threads} at a time", "x", ratios, details)


def _list_calls(setup: Setup, detector: Detector, threads: int) -> Iterator[list[Call]]:
    """Yield the calls of both networks for the recordings that are answered together."""
    for batch in batches(list(setup.list_files()), setup.provider, threads):
        recordings = [item if isinstance(item, Recording) else item.read() for item in batch]
        yield list(_list_calls_together(detector, recordings, list(detector.detect_many(recordings))))


def _list_calls_together(detector: Detector, recordings: list[Recording], findings: list[Finding]) -> Iterator[Call]:
    spec = detector.infarction.spec
    long = [recording for recording in recordings if recording.samples >= spec.window]
    positive = [
        recording for recording, finding in zip(recordings, findings, strict=True) if finding.status == "detected"
    ]
    for model, together in ((detector.infarction, long), (detector.localization, positive)):
        for model_input in read_inputs(model.spec, together):
            yield model, model_input.ecg


def _run_networks(calls: list[list[Call]], threads: int) -> None:
    for _ in work_side_by_side(_run_batch, calls, threads):
        pass


def _run_batch(calls: list[Call]) -> None:
    for model, ecg in calls:
        model.window_scores(ecg)


def _answer_files(setup: Setup, detector: Detector) -> None:
    for _ in detector.detect_many(list(setup.list_files())):
        pass


def _choose_clock(setup: Setup, cost: Cost) -> float:
    return cost.processor if setup.provider == "cpu" else cost.wall
