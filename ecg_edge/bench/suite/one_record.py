"""How long one recording of 10 s takes when everything is warm."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice

import numpy as np

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Cost, list_wall_times, repeat_call, time_call
from ecg_edge.model.inference import window_scores
from ecg_edge.recording import Recording

_A_SAMPLE = 50  # calls; the time of each call is kept


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for each kind of answer."""
    detector = setup.detector
    ways: dict[str, Callable[[Recording], object]] = {
        "detect": detector.detect,
        "detect, all sites": lambda recording: detector.detect(recording, all_sites=True),
        "stage 1 alone": lambda recording: window_scores(detector.infarction, [recording]),
    }
    for name, way in ways.items():
        yield _measure_way(setup, name, way)


def _measure_way(setup: Setup, name: str, way: Callable[[Recording], object]) -> Row:
    costs: list[Cost] = []
    recordings = cycle(setup.recordings)

    def answer_some() -> None:
        costs.extend(time_call(partial(way, recording)) for recording in islice(recordings, _A_SAMPLE))

    answer_some()
    costs.clear()
    repeat_call(answer_some, setup.effort)
    milliseconds = list_wall_times(costs, 1e3)
    p50, p95, p99 = (float(value) for value in np.percentile(milliseconds, [50, 95, 99]))
    return Row(name, "ms", milliseconds, {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99})
