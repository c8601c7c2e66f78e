"""Answers from measurements: a logistic regression or gradient boosting for each label."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from ecg_edge.evaluation.question import ENOUGH_POSITIVES
from export.dataset import Dataset
from export.measurements.beats import Array
from export.stages import N_FOLDS, SEED, Stage

Truth = NDArray[np.float32]
Score = Callable[[Array, Truth, Array], Array]
"""Fit to measurements (records, measurements) and truth (records,), and return the log-odds of other measurements for
each candidate setting, shape (candidates, others)."""

_FARTHEST = 4.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression on standardised measurements."""

    strengths: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    """Candidates of the inverse of the penalty."""

    def __call__(self, known: Array, truth: Truth, others: Array) -> Array:
        """Return the log-odds for each strength, shape (strengths, others)."""
        mean, deviation = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
        deviation[deviation == 0] = 1
        known, others = (_standardise(rows, mean, deviation) for rows in (known, others))
        models = [LogisticRegression(C=strength, max_iter=3000).fit(known, truth) for strength in self.strengths]
        return np.stack([model.decision_function(others) for model in models])


def _standardise(rows: Array, mean: Array, deviation: Array) -> Array:
    """Return deviations from the mean. Outliers are cut off, and what is missing is as the mean."""
    return np.nan_to_num((rows - mean) / deviation).clip(-_FARTHEST, _FARTHEST)


@dataclass(frozen=True, slots=True)
class Boosting:
    """Gradient boosting of small trees. It takes missing measurements as they are."""

    trees: tuple[int, ...] = (50, 100, 200, 400)
    """Candidates of the number of trees, in ascending order."""
    learning_rate: float = 0.05
    leaves: int = 8
    features: float = 0.3
    """Share of the measurements that each split may choose from."""

    def __call__(self, known: Array, truth: Truth, others: Array) -> Array:
        """Return the log-odds for each number of trees, shape (numbers, others)."""
        model = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=max(self.trees),
            max_leaf_nodes=self.leaves,
            l2_regularization=1.0,
            max_features=self.features,
            early_stopping=False,
            random_state=SEED,
        ).fit(known, truth)
        staged = [logits.ravel() for logits in islice(model.staged_decision_function(others), max(self.trees))]
        return np.stack([staged[n - 1] for n in self.trees])


@dataclass(frozen=True, slots=True)
class Classifiers:
    """One classifier for each label of a stage, fitted for each fold to the other folds."""

    score: Score
    report: Callable[[str], None] = field(default=lambda _: None)

    def answer(self, stage: Stage, dataset: Dataset, measurements: Array) -> NDArray[np.float32]:
        """Return the log-odds of all records, from classifiers that have not seen them.

        The sites are learned from the records with infarction.

        Args:
            stage: Labels.
            dataset: All records.
            measurements: Of the same records, shape (records, measurements).

        Returns:
            Shape (records, 1, labels): a record is one window.
        """
        folds, truth, rows = dataset.folds(N_FOLDS, SEED), stage.truth(dataset), stage.select_scored(dataset)
        logits = np.empty((len(truth), 1, truth.shape[1]), np.float32)
        for fold in range(N_FOLDS):
            own, known = folds == fold, rows & (folds != fold)
            for label, name in enumerate(stage.labels):
                self.report(f"{name}: fold {fold}")
                logits[own, 0, label] = _answer_label(
                    self.score, measurements[known], truth[known, label], folds[known], measurements[own]
                )
        return logits


def _answer_label(score: Score, known: Array, truth: Truth, folds: NDArray[np.int64], others: Array) -> Array:
    """Choose the setting of the least log-loss on the folds that are known, and answer the others with it."""
    if truth.sum() < ENOUGH_POSITIVES:
        rate = (truth.sum() + 1) / (len(truth) + 2)
        return np.full(len(others), np.log(rate / (1 - rate)))
    parts = {fold: score(known[folds != fold], truth[folds != fold], known[folds == fold]) for fold in np.unique(folds)}
    held_out = np.empty((len(next(iter(parts.values()))), len(truth)))
    for fold, part in parts.items():
        held_out[:, folds == fold] = part
    losses = [log_loss(truth, 1 / (1 + np.exp(-logits))) for logits in held_out]
    answered: Array = score(known, truth, others)[int(np.argmin(losses))]
    return answered
