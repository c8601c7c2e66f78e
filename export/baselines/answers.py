"""From the log-odds of a baseline to a table of out-of-fold answers, by the same choices as those of our networks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.baselines.classifiers import Boosting, Classifiers, Logistic, Score
from export.baselines.original.crossfit import CURVES, join_folds, train_original, write_curves
from export.baselines.original.plan import Plan
from export.choices import choose_across
from export.dataset import Dataset
from export.measurements.measure import measure_all
from export.out_of_fold import Answers
from export.stages import N_FOLDS, SEED, STAGES

CLASSICAL: dict[str, Score] = {"logistic": Logistic(), "boosting": Boosting()}


def answer_classical(
    kind: str, stages: Sequence[str], dataset: Dataset, report: Callable[[str], None]
) -> dict[str, NDArray[np.float32]]:
    """Return the log-odds for each stage, from measurements.

    Args:
        kind: Name of one of `CLASSICAL`.
        stages: Names of the stages to answer.
        dataset: All records.
        report: Called with one line of progress at a time.

    Returns:
        Log-odds of shape (records, 1, labels) for each stage.
    """
    measurements = measure_all(dataset.signals, report)
    classifiers = Classifiers(CLASSICAL[kind], report)
    return {name: classifiers.answer(STAGES[name], dataset, measurements) for name in stages}


def answer_original(
    stages: Sequence[str], settings: Mapping[str, str], dataset: Dataset, runs: Path, report: Callable[[str], None]
) -> dict[str, NDArray[np.float32]]:
    """Return the log-odds for each stage, from the original networks, and write their learning curves into `runs`.

    Args:
        stages: Names of the stages to train and answer.
        settings: Changed settings by name, the same for all stages.
        dataset: All records.
        runs: Folder for the files of the training.
        report: Called with one line of progress at a time; must be picklable.

    Returns:
        Log-odds of shape (records, windows, labels) for each stage.
    """
    trained = {name: train_original(Plan.of_stage(name, settings), dataset, runs, report) for name in stages}
    write_curves(runs / CURVES, trained)
    folds = dataset.folds(N_FOLDS, SEED)
    return {name: join_folds(of_folds, folds) for name, of_folds in trained.items()}


def make_answers(dataset: Dataset, logits: Mapping[str, NDArray[np.float32]]) -> Answers:
    """Return probabilities and decisions: calibration and threshold of a fold are chosen on the other folds.

    Args:
        dataset: All records.
        logits: For each stage that was answered, shape (records, windows, labels). The labels of other stages are NaN.
    """
    folds = dataset.folds(N_FOLDS, SEED)
    probability, found = [], []
    for name, stage in STAGES.items():
        truth = stage.truth(dataset)
        of_stage = np.full(truth.shape, np.nan), np.zeros(truth.shape, np.bool_)
        if name in logits:
            of_stage = choose_across(logits[name][None], truth, folds, stage.select_scored(dataset))
        probability.append(of_stage[0])
        found.append(of_stage[1])
    return Answers(dataset.names, folds, np.hstack(probability), np.hstack(found))
