"""Where the time of one record goes: reading, laying out, each stage, rendering."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import repeated, walls
from ecg_edge.cli import rendering
from ecg_edge.detector import Detector
from ecg_edge.model.inference import window_scores
from ecg_edge.model.session import Model
from ecg_edge.readers import RecordFile
from ecg_edge.recording import Recording


def measure(setup: Setup) -> Iterator[Row]:
    """Yield milliseconds a record; both stages answer all records."""
    listing = repeated(lambda: list(setup.files()), setup.effort)
    yield Row("find the files", "ms", walls(listing, 1e3 / setup.n_files), {"records": setup.n_files}, provider="none")
    count = len(setup.recordings)
    for name, step in _steps(setup).items():
        step()
        yield Row(name, "ms", walls(repeated(step, setup.effort), 1e3 / count), {"records": count})


def _steps(setup: Setup) -> dict[str, Callable[[], object]]:
    detector, recordings = setup.detector, setup.recordings
    files = list(islice(setup.files(), len(recordings)))
    findings = [detector.detect(each) for each in recordings]
    sites = detector.localization.spec.labels
    return {
        "read": partial(_read, files),
        "lay out as float32": partial(_lay_out, recordings),
        "stage 1, laying out included": partial(_answer, detector.infarction, recordings),
        "stage 2, laying out included": partial(_answer, detector.localization, recordings),
        "detect, stage 2 where stage 1 asks for it": partial(_detect, detector, recordings),
        "render as csv": lambda: _consume(rendering.csv_table(findings, sites)),
        "render as json": lambda: _consume(rendering.json_array(findings)),
        "render as text": lambda: _consume(rendering.text(findings)),
    }


def _read(files: list[RecordFile]) -> None:
    for each in files:
        each.read()


def _lay_out(recordings: list[Recording]) -> None:
    for each in recordings:
        each.stretch(0, each.samples)


def _answer(model: Model, recordings: list[Recording]) -> None:
    for each in recordings:
        window_scores(model, [each])


def _detect(detector: Detector, recordings: list[Recording]) -> None:
    for each in recordings:
        detector.detect(each)


def _consume(pieces: Iterable[str]) -> None:
    for _ in pieces:
        pass
