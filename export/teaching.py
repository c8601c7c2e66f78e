"""What a network is taught: the labels of the experts, and estimates of what the experts would say.

The estimates come from a logistic regression on what is known of a record: PTB-XL's statements, stage, sex and age,
which a device does not have, and the answer of teachers, which are networks that have not seen the record. They replace
a part of the labels, which are opinions, and stand for the labels of the records that have none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from export.dataset import Dataset
from export.stages import SEED, Stage
from export.training import Examples


@dataclass(frozen=True, slots=True)
class TeacherAnswers:
    """Mean logits of networks that have not seen the record."""

    labelled: NDArray[np.float32]
    """Shape (records, labels)."""
    coded: NDArray[np.float32]
    """Shape (coded records, labels)."""


def make_examples(
    stage: Stage,
    dataset: Dataset,
    rows: NDArray[np.bool_],
    folds: NDArray[np.int64],
    answers: TeacherAnswers | None = None,
) -> Examples:
    """Return what a network of a stage is fitted to.

    Args:
        stage: Labels, weights and shares.
        dataset: Labelled and coded records.
        rows: Labelled records that may be learned from, shape (records,). Patients of the others are left out of the
            coded records too.
        folds: Fold of each labelled record. A record's own label is never part of its estimate.
        answers: Of the teachers, if there are any.
    """
    known = _Known(stage, dataset, rows, folds, answers)
    taught = rows & stage.select_taught(dataset)
    truth = stage.truth(dataset)[taught]
    if answers is not None:
        truth = (1 - stage.teacher_share) * truth + stage.teacher_share * known.estimate_labelled()[taught]
    parts = [
        (dataset.signals[taught], np.hstack([truth, stage.auxiliary(dataset)[taught]]), stage.weight(dataset)[taught])
    ]
    if stage.coded_weight and len(dataset.coded.patients):
        parts.append(known.make_coded())
    signals, targets, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Examples(signals, targets, len(stage.labels), weight)


class _Known:
    def __init__(
        self,
        stage: Stage,
        dataset: Dataset,
        rows: NDArray[np.bool_],
        folds: NDArray[np.int64],
        answers: TeacherAnswers | None,
    ) -> None:
        self.stage, self.dataset, self.folds = stage, dataset, folds
        self.rows, self.fitted = rows, rows & stage.select_scored(dataset)
        coded = dataset.coded
        self.labelled, self.coded = dataset.auxiliary, coded.auxiliary
        if answers is not None:
            self.labelled = np.hstack([self.labelled, answers.labelled])
            self.coded = np.hstack([self.coded, answers.coded])

    def estimate_labelled(self) -> NDArray[np.float32]:
        """Return the estimates of the labels, shape (records, labels), each fitted without the record's fold."""
        truth = self.stage.truth(self.dataset)
        estimates = truth.copy()
        for fold in np.unique(self.folds[self.rows]):
            fitted, own = self.fitted & (self.folds != fold), self.rows & (self.folds == fold)
            estimates[own] = _estimate(self.labelled[fitted], truth[fitted], self.labelled[own])
        if self.stage.scored_on_infarctions:
            estimates *= self.dataset.infarction
        return estimates

    def make_coded(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return signals, targets and weights of the coded records of patients who may be learned from."""
        dataset, stage, coded = self.dataset, self.stage, self.dataset.coded
        held_out = {patient for patient, free in zip(dataset.patients, self.rows, strict=True) if not free}
        free = np.array([patient not in held_out for patient in coded.patients])
        labels = _estimate(self.labelled[self.fitted], stage.truth(dataset)[self.fitted], self.coded)
        others = stage.auxiliary(dataset)[:, : -dataset.auxiliary.shape[1]]
        other = _estimate(dataset.auxiliary[self.rows], others[self.rows], coded.auxiliary)
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
