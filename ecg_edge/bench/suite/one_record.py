"""How long one recording of 10 s takes when everything is warm."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice

import numpy as np

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Cost, repeated, timed, walls
from ecg_edge.model.inference import window_scores
from ecg_edge.recording import Recording

_A_SAMPLE = 50  # calls, each of which counts


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for each extent of the answer."""
    detector = setup.detector
    ways: dict[str, Callable[[Recording], object]] = {
        "detect": detector.detect,
        "detect, all sites": lambda recording: detector.detect(recording, all_sites=True),
        "stage 1 alone": lambda recording: window_scores(detector.infarction, [recording]),
    }
    for name, way in ways.items():
        yield _row(setup, name, way)


def _row(setup: Setup, name: str, way: Callable[[Recording], object]) -> Row:
    costs: list[Cost] = []
    recordings = cycle(setup.recordings)

    def some() -> None:
        costs.extend(timed(partial(way, recording)) for recording in islice(recordings, _A_SAMPLE))

    some()
    costs.clear()
    repeated(some, setup.effort)
    milliseconds = walls(costs, 1e3)
    p50, p95, p99 = (float(value) for value in np.percentile(milliseconds, [50, 95, 99]))
    return Row(name, "ms", milliseconds, {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99})
