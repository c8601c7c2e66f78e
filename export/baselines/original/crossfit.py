"""Train the network of each fold, with fewer windows and epochs than the authors of the original system had."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.cores import usable_cores
from export.baselines.original.fold import CurvePoint, Trained, train_fold
from export.baselines.original.plan import Plan
from export.dataset import Dataset
from export.processes import make_pool
from export.stages import N_FOLDS

CURVES = "original_learning_curve.csv"
Report = Callable[[str], None]


def train_original(plan: Plan, dataset: Dataset, runs: Path, report: Report) -> list[Trained]:
    """Train the network of each fold and return what it answers for the records of the fold.

    Writes `original_NAME_fold0.pt` ... into `runs`: after each epoch all that is needed to go on, 0.4 GB, and at the
    end the answers alone. A training that was killed goes on with the epoch that was not finished.

    Args:
        plan: What to train.
        dataset: All records.
        runs: Folder for the files, made if it does not exist.
        report: Called with one line of progress at a time; must be picklable.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    runs.mkdir(parents=True, exist_ok=True)
    workers = min(N_FOLDS, usable_cores())
    if workers == 1:
        return [train_fold(plan, dataset, fold, runs, report) for fold in range(N_FOLDS)]
    with make_pool(workers) as pool:
        jobs = [pool.submit(train_fold, plan, dataset, fold, runs, report) for fold in range(N_FOLDS)]
        return [job.result() for job in jobs]


def join_folds(trained: list[Trained], folds: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the log-odds of all records, shape (records, windows, labels)."""
    logits = np.empty((len(folds), *trained[0].logits.shape[1:]), np.float32)
    for fold, part in enumerate(trained):
        logits[folds == fold] = part.logits
    return logits


def write_curves(path: Path, trained: Mapping[str, list[Trained]]) -> None:
    """Write a CSV with one row for each stage, fold and epoch; `answers` is 1 for the epoch whose weights answer."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["stage", "fold", *(field.name for field in fields(CurvePoint)), "answers"])
        for stage, of_folds in trained.items():
            for fold, part in enumerate(of_folds):
                for point in part.curve:
                    numbers = (f"{number:.6f}" for number in astuple(point)[1:])
                    writer.writerow([stage, fold, point.epoch, *numbers, int(point == part.best)])
