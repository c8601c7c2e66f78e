"""The whole test set, files on disk to findings, inside a process that is warm, against the 5-second budget."""

from collections.abc import Iterator
from statistics import median

from ecg_edge.bench.child import BenchmarkDataError
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import repeated, walls
from ecg_edge.detector import Detector

BUDGET_S = 5.0
RECORDS = 449


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for one record at a time and one for as many as may be, in seconds for 449 records."""
    for threads in sorted({1, setup.threads}):
        yield _row(setup, threads)


def _row(setup: Setup, threads: int) -> Row:
    detector = setup.detector_with(threads)
    detected = _detected(setup, detector)
    costs = repeated(lambda: _detected(setup, detector), setup.effort)
    scale = RECORDS / setup.n_files
    seconds = walls(costs, scale)
    details = {
        "records": setup.n_files,
        "detected": detected,
        "processor_s": median(cost.processor * scale for cost in costs),
        "budget_s": BUDGET_S,
        "headroom": BUDGET_S / median(seconds),
        "threads": threads,
    }
    return Row(f"{RECORDS} records, {threads} at a time", "s", seconds, details)


def _detected(setup: Setup, detector: Detector) -> int:
    """Answer all records and return in how many an infarction was found."""
    statuses = []
    for finding in detector.detect_many(list(setup.files())):
        if finding.status == "error":
            raise BenchmarkDataError(finding.record, finding.error or "")
        statuses.append(finding.status)
    return statuses.count("detected")
