"""Records per second against records at a time; the records are in memory already."""

from collections.abc import Iterator
from functools import partial

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import repeated
from ecg_edge.detector import Detector
from ecg_edge.recording import Recording

_ALL_UP_TO = 4


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for 1, 2, 3, 4, 8, 16 ... at a time, and for as many as may be."""
    for threads in counts(setup.threads):
        detector = setup.detector_with(threads)
        list(detector.detect_many(setup.recordings[:threads]))
        costs = repeated(partial(_answer_all, detector, setup.recordings), setup.effort)
        rates = tuple(len(setup.recordings) / cost.wall for cost in costs)
        yield Row(f"{threads} at a time", "records/s", rates, {"threads": threads}, higher_is_better=True)


def _answer_all(detector: Detector, recordings: list[Recording]) -> None:
    for _ in detector.detect_many(recordings):
        pass


def counts(most: int) -> list[int]:
    """Return the numbers to measure up to `most`."""
    doubled = (2**power for power in range(most.bit_length()))
    return sorted({count for count in (*range(1, _ALL_UP_TO + 1), *doubled, most) if count <= most})
