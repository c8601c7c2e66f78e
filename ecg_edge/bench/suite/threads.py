"""Records per second by number of records at a time; the records are already in memory."""

from collections.abc import Iterator
from functools import partial

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import repeat_call
from ecg_edge.detector import Detector
from ecg_edge.recording import Recording

_ALL_UP_TO = 4


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for 1, 2, 3, 4, 8, 16 ... at a time, and the maximum at a time."""
    for threads in list_counts(setup.threads):
        detector = setup.load_detector(threads)
        list(detector.detect_many(setup.recordings[:threads]))
        costs = repeat_call(partial(_answer_all, detector, setup.recordings), setup.effort)
        rates = tuple(len(setup.recordings) / cost.wall for cost in costs)
        yield Row(f"{threads} at a time", "records/s", rates, {"threads": threads}, higher_is_better=True)


def _answer_all(detector: Detector, recordings: list[Recording]) -> None:
    for _ in detector.detect_many(recordings):
        pass


def list_counts(most: int) -> list[int]:
    """Return the thread counts to measure, `most` at most."""
    doubled = (2**power for power in range(most.bit_length()))
    return sorted({count for count in (*range(1, _ALL_UP_TO + 1), *doubled, most) if count <= most})
