"""What is chosen from out-of-fold logits: epoch, calibration and thresholds."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss, precision_recall_curve
from torch.nn import functional

from ecg_edge.evaluation.question import ENOUGH_POSITIVES

FALLBACK_THRESHOLD = 0.5
# The spec wants thresholds above 0 and below 1, and a probability may be 0 or 1 by rounding.
_LEAST_THRESHOLD = 1e-6
SENSITIVITY = 0.95
"""Goal of the operating point `sensitive`."""
SPECIFICITY = 0.98
"""Goal of the operating point `specific`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How logits become probabilities and decisions, label by label."""

    epoch: int
    """Index of the candidate epoch."""
    slope: NDArray[np.float32]
    """Factor of the window logits, shape (labels,)."""
    intercept: NDArray[np.float32]
    """Added after the factor, shape (labels,)."""
    threshold: NDArray[np.float64]
    """Probability from which a label counts as found, shape (labels,)."""


def compute_probabilities(logits: NDArray[np.float32], choice: Choice) -> NDArray[np.float64]:
    """Return mean calibrated window probabilities.

    Args:
        logits: Shape (epochs, records, windows, labels).
        choice: Epoch and calibration.

    Returns:
        Shape (records, labels).
    """
    scaled = torch.from_numpy(logits[choice.epoch] * choice.slope + choice.intercept)
    mean: NDArray[np.float64] = torch.sigmoid(scaled).double().mean(dim=1).numpy()
    return mean


def choose(logits: NDArray[np.float32], truth: NDArray[np.float32]) -> Choice:
    """Choose the epoch by log-loss, then Platt scaling and the threshold of best F1 for each label.

    A label with fewer than `ENOUGH_POSITIVES` positives takes no part in the choice of the epoch, is not scaled, and
    gets `FALLBACK_THRESHOLD`.

    Args:
        logits: Shape (epochs, records, windows, labels).
        truth: 0 or 1, shape (records, labels).
    """
    learnable = np.flatnonzero(truth.sum(axis=0) >= ENOUGH_POSITIVES)
    candidates = [_choose_scaling(logits, truth, learnable, epoch) for epoch in range(len(logits))]
    losses = [
        _compute_log_loss(compute_probabilities(logits, candidate)[:, learnable], truth[:, learnable])
        for candidate in candidates
    ]
    choice = candidates[int(np.argmin(losses))]
    probability = compute_probabilities(logits, choice)
    for label in learnable:
        choice.threshold[label] = find_best_f1_threshold(truth[:, label], probability[:, label])
    return choice


def choose_for_folds(
    logits: NDArray[np.float32], truth: NDArray[np.float32], folds: NDArray[np.int64], scored: NDArray[np.bool_]
) -> dict[int, Choice]:
    """Return, for each fold, the choice made on the *other* folds.

    Args:
        logits: Shape (epochs, records, windows, labels).
        truth: 0 or 1, shape (records, labels).
        folds: Fold of each record, shape (records,).
        scored: Records that take part in choices, shape (records,).
    """
    others = {int(fold): scored & (folds != fold) for fold in np.unique(folds)}
    return {fold: choose(logits[:, rows], truth[rows]) for fold, rows in others.items()}


def choose_across(
    logits: NDArray[np.float32], truth: NDArray[np.float32], folds: NDArray[np.int64], scored: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probabilities and decisions of each record with the choices made on the *other* folds.

    Args:
        logits: Shape (epochs, records, windows, labels).
        truth: 0 or 1, shape (records, labels).
        folds: Fold of each record, shape (records,).
        scored: Records that take part in choices, shape (records,).

    Returns:
        Probabilities and decisions, both of shape (records, labels).
    """
    probability = np.empty(truth.shape)
    found = np.empty(truth.shape, np.bool_)
    for fold, choice in choose_for_folds(logits, truth, folds, scored).items():
        own = folds == fold
        probability[own] = compute_probabilities(logits[:, own], choice)
        found[own] = probability[own] >= choice.threshold
    return probability, found


def find_best_f1_threshold(truth: NDArray[np.float32], probability: NDArray[np.float64]) -> float:
    """Return the threshold of best F1, halfway to the next lower probability so that rounding cannot cross it."""
    precision, recall, thresholds = precision_recall_curve(truth, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    below = thresholds[best - 1] if best else 0.0
    return float((thresholds[best] + below) / 2)


def choose_points(
    truth: NDArray[np.float32], probability: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the thresholds that reach `SENSITIVITY`, and those that reach `SPECIFICITY`, each of shape (labels,).

    A label with too few records of a kind gets `FALLBACK_THRESHOLD`.

    Args:
        truth: 0 or 1, shape (records, labels).
        probability: Shape (records, labels).
    """
    sensitive, specific = (np.full(truth.shape[1], FALLBACK_THRESHOLD) for _ in range(2))
    for label in np.setdiff1d(np.arange(truth.shape[1]), list_unproven(truth)):
        positive = truth[:, label] > 0
        sensitive[label] = find_share_threshold(positive, probability[:, label], SENSITIVITY)
        # The same from the other end: a share of the negative records must stay below.
        specific[label] = 1 - find_share_threshold(~positive, 1 - probability[:, label], SPECIFICITY)
    return sensitive, specific


def list_unproven(truth: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the indices of the labels with fewer than `ENOUGH_POSITIVES` positive or negative records."""
    positives = truth.sum(axis=0)
    return np.flatnonzero(np.minimum(positives, len(truth) - positives) < ENOUGH_POSITIVES)


def find_share_threshold(wanted: NDArray[np.bool_], probability: NDArray[np.float64], share: float) -> float:
    """Return the highest threshold that one more record like the wanted ones reaches with a chance of `share`.

    Of n + 1 such records in random order, the last one is one of the k lowest with a chance of k / (n + 1). So the
    threshold is at the k-th lowest of the n, with the largest k for which this chance is at most 1 - `share`. A
    threshold that just reaches the share on the n would on average miss it by a little on others. Where even the lowest
    of few records promises too little, the threshold is at the lowest.

    Args:
        wanted: Which records should reach it, shape (records,).
        probability: Shape (records,).
        share: 0 to 1.

    Returns:
        Halfway to the next lower probability of any record, so that rounding cannot cross it.
    """
    of_wanted = np.sort(probability[wanted])
    # The share's own rounding must not lower a whole number.
    k = max(1, int((1 - share) * (len(of_wanted) + 1) + 1e-9))
    lowest = of_wanted[k - 1]
    below = probability[probability < lowest].max(initial=0.0)
    return max(float((lowest + below) / 2), _LEAST_THRESHOLD)


def _choose_scaling(
    logits: NDArray[np.float32], truth: NDArray[np.float32], learnable: NDArray[np.int64], epoch: int
) -> Choice:
    labels = truth.shape[1]
    choice = Choice(
        epoch, np.ones(labels, np.float32), np.zeros(labels, np.float32), np.full(labels, FALLBACK_THRESHOLD)
    )
    for label in learnable:
        choice.slope[label], choice.intercept[label] = _fit_platt(logits[epoch, :, :, label], truth[:, label])
    return choice


def _fit_platt(logits: NDArray[np.float32], truth: NDArray[np.float32]) -> tuple[float, float]:
    """Fit slope and intercept of the window logits, shape (records, windows), to the records' truth."""
    x, y = torch.from_numpy(logits), torch.from_numpy(truth)
    log_slope, intercept = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_slope, intercept], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        mean = torch.sigmoid(x * log_slope.exp() + intercept).mean(dim=1).clamp(1e-6, 1 - 1e-6)
        value = functional.binary_cross_entropy(mean, y)
        value.backward()
        return value

    optimizer.step(loss)
    return float(log_slope.exp().detach()), float(intercept.detach())


def _compute_log_loss(probability: NDArray[np.float64], truth: NDArray[np.float32]) -> float:
    return float(np.mean([log_loss(truth[:, i], probability[:, i], labels=[0, 1]) for i in range(truth.shape[1])]))
