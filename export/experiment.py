"""Try other settings of a stage on the same folds: out-of-fold figures, nothing that is shipped."""

from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from ecg_edge.evaluation.question import ENOUGH_POSITIVES
from export.choices import choose_across
from export.crossfit import Report, train_folds
from export.dataset import Dataset
from export.errors import ExportError
from export.stages import Stage


@dataclass(frozen=True, slots=True)
class Scores:
    """Out-of-fold figures: means over the labels with enough positives, on the records that are scored."""

    auroc: float
    average_precision: float
    log_loss: float
    f1: float

    def __str__(self) -> str:
        """Return a line for people."""
        return ", ".join(f"{name} {value:.4f}" for name, value in asdict(self).items())


def change_stage(stage: Stage, changes: dict[str, str]) -> Stage:
    """Return a stage with other settings.

    Args:
        stage: The shipped stage.
        changes: Values by name, such as "network.baseline", "training.augmentation.share" or "teachers".

    Raises:
        ExportError: A name is unknown, or a value does not fit.
    """
    for name, text in changes.items():
        try:
            stage = _change(stage, name.split("."), text)
        except (TypeError, ValueError) as error:
            msg = f"{name}={text}: {error}"
            raise ExportError(msg) from error
    return stage


def _change(settings: Any, path: list[str], text: str) -> Any:  # noqa: ANN401 - a dataclass of any kind, or a number
    name, *inner = path
    if (
        not is_dataclass(settings)
        or isinstance(settings, type)
        or name not in {field.name for field in fields(settings)}
    ):
        msg = f"unknown setting {name!r}"
        raise ValueError(msg)
    value = getattr(settings, name)
    if inner:
        return replace(settings, **{name: _change(value, inner, text)})
    if not isinstance(value, int | float | str):
        msg = "only numbers and words can be changed"
        raise TypeError(msg)
    return replace(settings, **{name: type(value)(text)})


def try_stage(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> Scores:
    """Train the folds of a stage and return their out-of-fold figures.

    Args:
        stage: With the settings to try.
        dataset: All records.
        runs: Folder for the weights of this experiment alone.
        report: Called with one line of progress at a time; must be picklable.
    """
    out_of_fold = train_folds(stage, dataset, runs, report)
    labelled, rows = stage.truth(dataset), stage.select_scored(dataset)
    probability, found = choose_across(out_of_fold.logits, labelled, out_of_fold.folds, rows)
    truth, probability, found = labelled[rows] > 0, probability[rows], found[rows]
    labels = np.flatnonzero(truth.sum(axis=0) >= ENOUGH_POSITIVES)
    both = 2 * (truth & found).sum(axis=0) / np.maximum(truth.sum(axis=0) + found.sum(axis=0), 1)
    columns = [(truth[:, label], probability[:, label]) for label in labels]
    return Scores(
        float(np.mean([roc_auc_score(*column) for column in columns])),
        float(np.mean([average_precision_score(*column) for column in columns])),
        float(np.mean([log_loss(*column, labels=[False, True]) for column in columns])),
        float(both[labels].mean()),
    )
