"""The table of out-of-fold answers. Every figure of the model card is computed from it."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.choices import choose_across
from export.crossfit import OutOfFold
from export.dataset import SITES, Dataset
from export.errors import RunsError
from export.stages import STAGES, Stage

FILE = "out_of_fold.csv"
LABELS = ("infarction", *SITES)
_DECIMALS = 6


def read_out_of_fold(stage: Stage, dataset: Dataset, runs: Path) -> OutOfFold:
    """Return the logits of a trained stage.

    Raises:
        RunsError: The stage was not trained, or on other records than the dataset's.
    """
    out_of_fold = OutOfFold.read(runs / f"{stage.name}_out_of_fold.npz")
    if out_of_fold.names != dataset.names:
        msg = f"{runs} has logits of other records than the dataset: train the stages on this dataset first"
        raise RunsError(msg)
    return out_of_fold


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers for each record from networks, epochs, calibrations and thresholds that were chosen without it."""

    names: tuple[str, ...]
    folds: NDArray[np.int64]
    probability: NDArray[np.float64]
    """Shape (records, 7), in the order of `LABELS`. NaN: the label was not answered."""
    found: NDArray[np.bool_]
    """Whether the probability reaches its threshold, shape (records, 7)."""

    @classmethod
    def of_runs(cls, dataset: Dataset, runs: Path) -> "Answers":
        """Return the answers of both trained stages."""
        parts = []
        for stage in STAGES.values():
            out_of_fold = read_out_of_fold(stage, dataset, runs)
            folds = out_of_fold.folds
            parts.append(choose_across(out_of_fold.logits, stage.truth(dataset), folds, stage.select_scored(dataset)))
        probability, found = (np.hstack(of_stages) for of_stages in zip(*parts, strict=True))
        # As in the table, so that its figures are the same to the last digit.
        return cls(dataset.names, folds, probability.round(_DECIMALS), found)

    @classmethod
    def read(cls, path: Path) -> "Answers":
        """Read a table that `save` wrote.

        Raises:
            RunsError: The file is not a table of out-of-fold answers.
        """
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            return cls(
                tuple(row["record"] for row in rows),
                np.array([int(row["fold"]) for row in rows]),
                np.array([[float(row[label] or "nan") for label in LABELS] for row in rows]),
                np.array([[row[f"{label}_found"] == "1" for label in LABELS] for row in rows]),
            )
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{path} is not a table of out-of-fold answers ({error!r})"
            raise RunsError(msg) from error

    def require_all_labels(self) -> "Answers":
        """Return the same answers.

        Raises:
            RunsError: A label was not answered.
        """
        if np.isnan(self.probability).any():
            missing = [
                label for label, column in zip(LABELS, self.probability.T, strict=True) if np.isnan(column).any()
            ]
            msg = f"the table does not answer {', '.join(missing)}; only compare takes such a table"
            raise RunsError(msg)
        return self

    def save(self, path: Path) -> None:
        """Write a CSV with one row per record. Probabilities that are NaN are empty."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["record", "fold", *LABELS, *(f"{label}_found" for label in LABELS)])
            for name, fold, probability, found in zip(
                self.names, self.folds, self.probability, self.found, strict=True
            ):
                cells = ("" if np.isnan(number) else f"{number:.{_DECIMALS}f}" for number in probability)
                writer.writerow([name, fold, *cells, *found.astype(int)])
