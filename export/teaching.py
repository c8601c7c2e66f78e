"""What a network is taught: the labels of the experts, and estimates of what the experts would say.

The estimates come from a logistic regression on what is known of a record: PTB-XL's statements, stage, sex and age,
which a device does not have. They stand for the labels of the records that have none.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from export.dataset import Dataset
from export.stages import SEED, Stage
from export.training import Examples


def make_examples(stage: Stage, dataset: Dataset, rows: NDArray[np.bool_]) -> Examples:
    """Return what a network of a stage is fitted to.

    Args:
        stage: Labels, weights and shares.
        dataset: Labelled and coded records.
        rows: Labelled records that may be learned from, shape (records,). Patients of the others are left out of the
            coded records too.
    """
    taught = rows & stage.select_taught(dataset)
    targets = np.hstack([stage.truth(dataset), stage.auxiliary(dataset)])
    parts = [(dataset.signals[taught], targets[taught], stage.weight(dataset)[taught])]
    if stage.coded_weight and len(dataset.coded.patients):
        parts.append(_make_coded(stage, dataset, rows))
    signals, targets, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Examples(signals, targets, len(stage.labels), weight)


def _make_coded(
    stage: Stage, dataset: Dataset, rows: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return signals, targets and weights of the coded records of patients who may be learned from."""
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
    return coded.signals[free], targets[free], stage.coded_weight * weight[free, 0]


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
