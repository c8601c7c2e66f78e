"""What a network is taught: the labels of the experts, and estimates of what the experts would say.

The estimates come from a logistic regression on what is known of a record: PTB-XL's statements, stage, sex and age,
which a device does not have. They stand for the labels of the records that have none.

Beside them, a network learns what a cardiologist measures of a record. It needs no opinion of anybody.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

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


def make_examples(stage: Stage, dataset: Dataset, measured: Measured, rows: NDArray[np.bool_]) -> Examples:
    """Return what a network of a stage is fitted to.

    Args:
        stage: Labels, weights and shares.
        dataset: Labelled and coded records.
        measured: Their measurements.
        rows: Labelled records that may be learned from, shape (records,). Patients of the others are left out of the
            coded records too.
    """
    taught = rows & stage.select_taught(dataset)
    targets = np.hstack([stage.truth(dataset), stage.auxiliary(dataset)])
    parts = [(dataset.signals[taught], targets[taught], measured.labelled[taught], stage.weight(dataset)[taught])]
    if stage.coded_weight and len(dataset.coded.patients):
        parts.append(_make_coded(stage, dataset, measured, rows))
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


def _make_coded(
    stage: Stage, dataset: Dataset, measured: Measured, rows: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
    """Return signals, targets, measurements and weights of the coded records of patients who may be learned from."""
    coded, known = dataset.coded, dataset.auxiliary
    held_out = {patient for patient, free in zip(dataset.patients, rows, strict=True) if not free}
    free = np.array([patient not in held_out for patient in coded.patients])
    fitted = rows & stage.select_scored(dataset)
    labels = _estimate(known[fitted], stage.truth(dataset)[fitted], coded.auxiliary)
    others = stage.auxiliary(dataset)[:, : -known.shape[1]]
    other = _estimate(known[rows], others[rows], coded.auxiliary)
    infarction = (other if stage.scored_on_infarctions else labels).max(axis=1, keepdims=True)
    # Without an infarction there is no site, and such a record weighs less.
    weight = infarction + stage.healthy_weight * (1 - infarction)
    if stage.scored_on_infarctions:
        labels = labels * infarction / weight
    drawn = np.random.default_rng(SEED).random(len(free)) < stage.healthy_share
    free &= drawn | (infarction[:, 0] > 0.5)
    targets = np.hstack([labels, other, coded.auxiliary])
    return coded.signals[free], targets[free], measured.coded[free], stage.coded_weight * weight[free, 0]


def _estimate(known: NDArray[np.float32], truth: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fit a logistic regression for each label and return the probabilities of other records, shape (of, labels)."""
    estimates = np.empty((len(of), truth.shape[1]), np.float32)
    for label, column in enumerate(truth.T):
        if len(of) == 0 or len(np.unique(column)) == 1:
            estimates[:, label] = column[0]
        else:
            model = LogisticRegression(C=0.3, max_iter=3000).fit(known, column)
            estimates[:, label] = model.predict_proba(of)[:, 1]
    return estimates
