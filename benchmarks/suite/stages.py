"""Time of each step of one record: reading, laying out, both stages, rendering."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from ecg_edge import rendering
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import list_wall_times, repeat_call
from ecg_edge.detector import Detector
from ecg_edge.model.inference import window_scores
from ecg_edge.model.session import Model
from ecg_edge.readers import RecordFile
from ecg_edge.recording import Recording


def measure(setup: Setup) -> Iterator[Row]:
    """Yield milliseconds a record; both stages answer all records."""
    listing = repeat_call(lambda: list(setup.list_files()), setup.effort)
    yield Row(
        "find the files",
        "ms",
        list_wall_times(listing, 1e3 / setup.n_files),
        {"records": setup.n_files},
        provider="none",
    )
    count = len(setup.recordings)
    for name, step in _list_steps(setup).items():
        step()
        yield Row(name, "ms", list_wall_times(repeat_call(step, setup.effort), 1e3 / count), {"records": count})


def _list_steps(setup: Setup) -> dict[str, Callable[[], object]]:
    detector, recordings = setup.detector, setup.recordings
    files = list(islice(setup.list_files(), len(recordings)))
    findings = [detector.detect(recording) for recording in recordings]
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
    for file in files:
        file.read()


def _lay_out(recordings: list[Recording]) -> None:
    for recording in recordings:
        recording.stretch(0, recording.samples)


def _answer(model: Model, recordings: list[Recording]) -> None:
    for recording in recordings:
        window_scores(model, [recording])


def _detect(detector: Detector, recordings: list[Recording]) -> None:
    for recording in recordings:
        detector.detect(recording)


def _consume(pieces: Iterable[str]) -> None:
    for _ in pieces:
        pass
