"""What a network is taught: labels, and what is measured.

The experts' labels are opinions. So a part of each is replaced by an estimate of what they would say, and records that
they have not labelled have the estimate alone. It comes from gradient boosting on what is known of a record: the
measurements of a cardiologist, and PTB-XL's statements, stage, sex and age, which a device does not have.

Beside them, a network learns the measurements themselves. They need no opinion of anybody.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from ecg_edge.evaluation.question import ENOUGH_POSITIVES
from export.dataset import Dataset
from export.measurements.measure import measure_all
from export.stages import SEED, Stage
from export.training import Examples


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of the records of a dataset; NaN where there is none."""

    labelled: NDArray[np.float64]
    """Shape (records, measurements)."""
    coded: NDArray[np.float64]
    """Shape (coded records, measurements)."""


def measure_dataset(dataset: Dataset, report: Callable[[str], None] = lambda _: None) -> Measured:
    """Measure all records; `report` is called with lines of progress."""
    return Measured(measure_all(dataset.signals, report), measure_all(dataset.coded.signals, report))


def make_examples(
    stage: Stage, dataset: Dataset, measured: Measured, rows: NDArray[np.bool_], folds: NDArray[np.int64]
) -> Examples:
    """Return what a network of a stage is fitted to.

    Args:
        stage: Labels, weights and shares.
        dataset: Labelled and coded records.
        measured: Their measurements.
        rows: Labelled records that may be learned from, shape (records,). Patients of the others are left out of the
            coded records too.
        folds: Fold of each labelled record. A record's own label is never part of its estimate.
    """
    known = _Known(stage, dataset, measured, rows, folds)
    taught = rows & stage.select_taught(dataset)
    labels = stage.truth(dataset)
    if stage.estimate_share:
        labels = (1 - stage.estimate_share) * labels + stage.estimate_share * known.estimate_labelled()
    targets = np.hstack([labels, stage.auxiliary(dataset)])
    parts = [(dataset.signals[taught], targets[taught], measured.labelled[taught], stage.weight(dataset)[taught])]
    if stage.coded_weight and len(dataset.coded.patients):
        parts.append(known.make_coded())
    signals, targets, numbers, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Examples(signals, np.hstack([targets, rank(numbers)]), len(stage.labels), weight)


def rank(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the share of each column that is smaller, half of the equal ones counted; one half for NaN.

    So a measurement of any unit and distribution is a target from 0 to 1.
    """
    ranks = np.full(numbers.shape, 0.5, np.float32)
    for column, of_column in zip(numbers.T, ranks.T, strict=True):
        known = ~np.isnan(column)
        _, place, counts = np.unique(column[known], return_inverse=True, return_counts=True)
        of_column[known] = ((np.cumsum(counts) - counts / 2) / max(counts.sum(), 1))[place]
    return ranks


class _Known:
    """What is known of the records that a network may learn from, and estimates from it."""

    def __init__(
        self,
        stage: Stage,
        dataset: Dataset,
        measured: Measured,
        rows: NDArray[np.bool_],
        folds: NDArray[np.int64],
    ) -> None:
        self.stage, self.dataset, self.measured, self.rows, self.folds = stage, dataset, measured, rows, folds
        self.fitted = rows & stage.select_scored(dataset)
        self.labelled = np.hstack([dataset.auxiliary, measured.labelled])
        self.coded = np.hstack([dataset.coded.auxiliary, measured.coded])

    def estimate_labelled(self) -> NDArray[np.float32]:
        """Return the estimates of the labels, shape (records, labels), each fitted without the record's fold."""
        truth = self.stage.truth(self.dataset)
        estimates = truth.copy()
        for fold in np.unique(self.folds[self.rows]):
            fitted, own = self.fitted & (self.folds != fold), self.rows & (self.folds == fold)
            estimates[own] = self._estimate(self.labelled[fitted], truth[fitted], self.labelled[own])
        if self.stage.scored_on_infarctions:
            estimates *= self.dataset.infarction
        return estimates

    def make_coded(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
        """Return signals, targets, measurements and weights of coded records whose patients may be learned from."""
        dataset, stage, coded, rows = self.dataset, self.stage, self.dataset.coded, self.rows
        held_out = {patient for patient, free in zip(dataset.patients, rows, strict=True) if not free}
        free = np.array([patient not in held_out for patient in coded.patients])
        labels = self._estimate(self.labelled[self.fitted], stage.truth(dataset)[self.fitted], self.coded)
        others = stage.auxiliary(dataset)[:, : -dataset.auxiliary.shape[1]]
        other = self._estimate(self.labelled[rows], others[rows], self.coded)
        infarction = (other if stage.scored_on_infarctions else labels).max(axis=1, keepdims=True)
        # Without an infarction there is no site, and such a record weighs less.
        weight = infarction + stage.healthy_weight * (1 - infarction)
        if stage.scored_on_infarctions:
            labels = labels * infarction / weight
        drawn = np.random.default_rng(SEED).random(len(free)) < stage.healthy_share
        free &= drawn | (infarction[:, 0] > 0.5)
        targets = np.hstack([labels, other, coded.auxiliary])
        return coded.signals[free], targets[free], self.measured.coded[free], stage.coded_weight * weight[free, 0]

    def _estimate(
        self, known: NDArray[np.float64], truth: NDArray[np.float32], of: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Fit boosting for each label and return the probabilities of other records, shape (of, labels)."""
        estimates = np.empty((len(of), truth.shape[1]), np.float32)
        for label, column in enumerate(truth.T):
            if len(of) == 0 or column.sum() < ENOUGH_POSITIVES:
                estimates[:, label] = column.mean()
            else:
                model = HistGradientBoostingClassifier(
                    learning_rate=0.08,
                    max_iter=self.stage.trees,
                    max_leaf_nodes=8,
                    min_samples_leaf=10,
                    l2_regularization=1.0,
                    early_stopping=False,
                    random_state=SEED,
                )
                estimates[:, label] = model.fit(known, column).predict_proba(of)[:, 1]
        return estimates
