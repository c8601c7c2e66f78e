"""What a network is taught: labels, and what is measured.

The experts' labels are opinions. So a part of each is replaced by an estimate of what they would say, and records that
they have not labelled have the estimate alone. It comes from gradient boosting on what is known of a record: the
measurements of a cardiologist, and PTB-XL's statements, stage, sex and age, which a device does not have.

Beside them, a network learns the measurements themselves. They need no opinion of anybody.

Mixed recordings (`export/mixing.py`) have measurements alone. All else of them is estimated from these.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ecg_edge.evaluation.question import ENOUGH_POSITIVES
from export.dataset import Dataset
from export.measurements.measure import measure_all
from export.mixing import MixedRecordings, mix_recordings
from export.stages import SEED, Stage
from export.training import Examples

Array = NDArray[np.float32]
# Signals, targets, measurements and weights of some records.
_Part = tuple[Array, Array, NDArray[np.float64], Array]
# Nearly two thirds of the pairs have nobody in a fifth of the people that is held out.
_MADE_PER_USED = 1.6
_BOOSTING = {
    "learning_rate": 0.08,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 10,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": SEED,
}
_TREES_OF_AUXILIARY = 40


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of the records of a dataset, NaN where there is none, and what was mixed from the records."""

    labelled: NDArray[np.float64]
    """Shape (records, measurements)."""
    coded: NDArray[np.float64]
    """Shape (coded records, measurements)."""
    mixed: MixedRecordings


def measure_dataset(stage: Stage, dataset: Dataset, report: Callable[[str], None] = lambda _: None) -> Measured:
    """Measure all records, and mix as many as a stage needs; `report` is called with lines of progress."""
    mixed = mix_recordings(dataset, round(_MADE_PER_USED * stage.mixed), SEED, report)
    return Measured(measure_all(dataset.signals, report), measure_all(dataset.coded.signals, report), mixed)


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
    if stage.mixed:
        parts.append(known.make_mixed())
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
        self.held_out = {patient for patient, free in zip(dataset.patients, rows, strict=True) if not free}

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

    def make_coded(self) -> _Part:
        """Return the coded records whose patients may be learned from."""
        coded = self.dataset.coded
        targets, weight, drawn = self._estimate_targets(self.labelled, self.coded, coded.auxiliary)
        free = drawn & [patient not in self.held_out for patient in coded.patients]
        return coded.signals[free], targets[free], self.measured.coded[free], self.stage.coded_weight * weight[free]

    def make_mixed(self) -> _Part:
        """Return mixed recordings of patients who may be learned from."""
        mixed = self.measured.mixed
        learned = {*self.dataset.patients, *self.dataset.coded.patients} - self.held_out
        rows = mixed.select(learned, self.stage.mixed)
        auxiliary = self._estimate_auxiliary(mixed.measured[rows])
        targets, weight, drawn = self._estimate_targets(self.measured.labelled, mixed.measured[rows], auxiliary)
        rows = rows[drawn]
        return mixed.signals(rows), targets[drawn], mixed.measured[rows], self.stage.mixed_weight * weight[drawn]

    def _estimate_targets(
        self, known: NDArray[np.float64], of: NDArray[np.float64], auxiliary: Array
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return targets and weights of records without label, and which of them the stage learns from.

        Args:
            known: What is known of the labelled records, shape (records, numbers).
            of: The same of the others.
            auxiliary: Their auxiliary targets.
        """
        dataset, stage = self.dataset, self.stage
        labels = self._estimate(known[self.fitted], stage.truth(dataset)[self.fitted], of)
        others = stage.auxiliary(dataset)[:, : -dataset.auxiliary.shape[1]]
        other = self._estimate(known[self.rows], others[self.rows], of)
        infarction = (other if stage.scored_on_infarctions else labels).max(axis=1, keepdims=True)
        # Without an infarction there is no site, and such a record weighs less.
        weight = infarction + stage.healthy_weight * (1 - infarction)
        if stage.scored_on_infarctions:
            labels = labels * infarction / weight
        drawn = np.random.default_rng(SEED).random(len(of)) < stage.healthy_share
        drawn |= infarction[:, 0] > 0.5
        return np.hstack([labels, other, auxiliary]), weight[:, 0], drawn

    def _estimate_auxiliary(self, of: NDArray[np.float64]) -> Array:
        """Return the auxiliary targets of the dataset as measurements let expect them, shape (of, targets)."""
        known = self.measured.labelled[self.rows]
        estimates = np.empty((len(of), self.dataset.auxiliary.shape[1]), np.float32)
        for target, column in enumerate(self.dataset.auxiliary[self.rows].T):
            model = HistGradientBoostingRegressor(max_iter=_TREES_OF_AUXILIARY, **_BOOSTING)
            estimates[:, target] = model.fit(known, column).predict(of).clip(0, 1) if len(of) else 0
        return estimates

    def _estimate(self, known: NDArray[np.float64], truth: Array, of: NDArray[np.float64]) -> Array:
        """Fit boosting for each label and return the probabilities of other records, shape (of, labels)."""
        estimates = np.empty((len(of), truth.shape[1]), np.float32)
        for label, column in enumerate(truth.T):
            if len(of) == 0 or column.sum() < ENOUGH_POSITIVES:
                estimates[:, label] = column.mean()
            else:
                model = HistGradientBoostingClassifier(max_iter=self.stage.trees, **_BOOSTING)
                estimates[:, label] = model.fit(known, column).predict_proba(of)[:, 1]
        return estimates
