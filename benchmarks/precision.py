"""The shipped networks in int8 and float16: speed, accuracy and flipped decisions against float32.

`python -m benchmarks.precision TRAIN RECORDS`. TRAIN is the labelled folder that `python -m export train` takes: on its
first fold the networks that never saw that fold are compared, and int8 is calibrated on records of the other folds.
RECORDS is a folder of recordings, on which decisions of the shipped networks are compared. Needs the export's
requirements.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import quantization
from onnxruntime.transformers.float16 import convert_float_to_float16
from sklearn.metrics import roc_auc_score

from ecg_edge.model.manifest import CheckedFile, read_files
from ecg_edge.model.session import Model
from ecg_edge.package_data import shipped_models
from ecg_edge.readers import find_records
from export.dataset import Dataset, read_dataset
from export.stages import N_FOLDS, SEED, STAGES, Stage

_FOLD0 = Path(__file__).parents[1] / "tests" / "export" / "fold0"
_CALIBRATED_ON = 100
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_Signals = NDArray[np.float32]


class _Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, signals: Sequence[_Signals]) -> None:
        self._remaining = iter(signals)

    def get_next(self) -> dict[str, _Signals] | None:
        signal = next(self._remaining, None)
        return None if signal is None else {"ecg": signal[None]}


def _make_int8_converter(operators: list[str]) -> Callable[[bytes, Sequence[_Signals]], bytes]:
    def convert(content: bytes, signals: Sequence[_Signals]) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            before, after = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
            before.write_bytes(content)
            quantization.quantize_static(
                before, after, _Calibration(signals), op_types_to_quantize=operators, per_channel=True
            )
            return after.read_bytes()

    return convert


def _convert_to_float16(content: bytes, _signals: Sequence[_Signals]) -> bytes:
    model = convert_float_to_float16(onnx.load_from_string(content), keep_io_types=True, disable_shape_infer=True)
    return bytes(model.SerializeToString())


_FORMS = {
    "float32": lambda content, _signals: content,
    "int8 convolutions": _make_int8_converter(["Conv"]),
    "int8 convolutions and matrix products": _make_int8_converter(["Conv", "MatMul"]),
    "float16": _convert_to_float16,
}


@click.command()
@click.argument("train", type=_FOLDER)
@click.argument("records", type=_FOLDER)
def main(train: Path, records: Path) -> None:
    """Print a table of all forms of both stages."""
    logging.disable(logging.WARNING)
    dataset = read_dataset(train)
    recordings = [record.read() for record in find_records(records)]
    signals = [recording.stretch(0, recording.samples) for recording in recordings]
    click.echo(
        "| stage | form | bytes | time of float32 | AUROC out of fold | greatest difference | decisions flipped |"
    )
    click.echo("|---|---|---|---|---|---|---|")
    for stage in STAGES.values():
        for row in _compare_forms(stage, dataset, signals):
            click.echo(row)


def _compare_forms(stage: Stage, dataset: Dataset, signals: Sequence[_Signals]) -> Iterator[str]:
    held_back = dataset.folds(N_FOLDS, SEED) == 0
    calibration = dataset.signals[~held_back][:_CALIBRATED_ON]
    content, of_fold0 = (read_files(folder, "models")[stage.name].content for folder in (shipped_models(), _FOLD0))
    contents = {name: form(content, calibration) for name, form in _FORMS.items()}
    shipped = {name: _load_model(content) for name, content in contents.items()}
    fold0 = {name: _load_model(form(of_fold0, calibration)) for name, form in _FORMS.items()}
    times = _measure_times(list(shipped.values()), signals[:150])
    rows = held_back & stage.select_scored(dataset)
    truth = stage.truth(dataset)[rows]
    reference = _collect_answers(shipped["float32"], signals)
    thresholds = np.array(shipped["float32"].spec.thresholds)
    for (name, model), seconds in zip(shipped.items(), times, strict=True):
        answers = _collect_answers(model, signals)
        flipped = int(((answers >= thresholds) != (reference >= thresholds)).sum())
        yield (
            f"| {stage.name} | {name} | {len(contents[name])} | {seconds / times[0]:.2f} | "
            f"{_compute_auroc(truth, _collect_answers(fold0[name], dataset.signals[rows])):.4f} | "
            f"{np.abs(answers - reference).max():.4f} | {flipped} of {answers.size} |"
        )


def _load_model(content: bytes) -> Model:
    return Model(CheckedFile(Path("model.onnx"), content, ""))


def _measure_times(models: list[Model], signals: Sequence[_Signals]) -> list[float]:
    """Return the median seconds of each model.

    The models take turns, so that a change of the machine's speed affects all of them equally.
    """
    taken: list[list[float]] = [[] for _ in models]
    for signal in signals:
        for model, times in zip(models, taken, strict=True):
            start = time.perf_counter()
            model.window_scores(signal[None])
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]


def _collect_answers(model: Model, signals: Sequence[_Signals]) -> NDArray[np.float64]:
    return np.stack([model.window_scores(signal[None])[0].mean(axis=0, dtype=np.float64) for signal in signals])


def _compute_auroc(truth: NDArray[np.float32], answers: NDArray[np.float64]) -> float:
    """Return the mean over the labels that have enough positives."""
    enough = truth.sum(axis=0) >= 3
    return float(np.mean([roc_auc_score(truth[:, i], answers[:, i]) for i in np.flatnonzero(enough)]))


if __name__ == "__main__":
    main()
