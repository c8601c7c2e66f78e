"""The whole test set, files on disk to findings, in a warm process, compared with the 5-second budget."""

from collections.abc import Iterator
from statistics import median

from ecg_edge.bench.child import BenchmarkDataError
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import list_wall_times, repeat_call
from ecg_edge.detector import Detector

BUDGET_S = 5.0
RECORDS = 449


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for one record at a time and one for the maximum, in seconds for 449 records."""
    for threads in sorted({1, setup.threads}):
        yield _measure_threads(setup, threads)


def _measure_threads(setup: Setup, threads: int) -> Row:
    detector = setup.load_detector(threads)
    detected = _count_detected(setup, detector)
    costs = repeat_call(lambda: _count_detected(setup, detector), setup.effort)
    scale = RECORDS / setup.n_files
    seconds = list_wall_times(costs, scale)
    details = {
        "records": setup.n_files,
        "detected": detected,
        "processor_s": median(cost.processor * scale for cost in costs),
        "budget_s": BUDGET_S,
        "headroom": BUDGET_S / median(seconds),
        "threads": threads,
    }
    return Row(f"{RECORDS} records, {threads} at a time", "s", seconds, details)


def _count_detected(setup: Setup, detector: Detector) -> int:
    """Answer all records and return in how many an infarction was found."""
    statuses = []
    for finding in detector.detect_many(list(setup.list_files())):
        if finding.status == "error":
            raise BenchmarkDataError(finding.record, finding.error or "")
        statuses.append(finding.status)
    return statuses.count("detected")
