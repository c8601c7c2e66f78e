"""What is computed of the truth, the probability and the decision of each record.

Each metric is computed of many samples of the records at once. A sample says how many times it has each record, so the
records are sorted once for all samples. What a sample does not define, such as a share of no records, is NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.calibration import compute_brier, compute_ece, compute_log_loss

Truth = NDArray[np.bool_]
Values = NDArray[np.float64]
# Of truth, probability and decision of each record, and how many times each sample has it, shape (samples, records).
Metric = Callable[[Truth, Values, Truth, Values], Values]


def compute_auroc(truth: Truth, probability: Values, counts: Values) -> Values:
    """Return the chance that a positive record has a higher probability than a negative one; ties count half.

    Args:
        truth: Shape (records,).
        probability: Shape (records,).
        counts: How many times each sample has each record, shape (samples, records).

    Returns:
        Shape (samples,).
    """
    order, starts = _sort(probability)
    counted = counts[:, order]
    positives = _count_ties(counted * truth[order], starts)
    negatives = _count_ties(counted, starts) - positives
    below = np.cumsum(negatives, axis=1) - negatives / 2
    return _divide((positives * below).sum(axis=1), positives.sum(axis=1) * negatives.sum(axis=1))


def compute_average_precision(truth: Truth, probability: Values, counts: Values) -> Values:
    """Return the mean precision over the positive records, shape (samples,); arguments as for `compute_auroc`."""
    order, starts = _sort(-probability)
    counted = counts[:, order]
    positives = _count_ties(counted * truth[order], starts)
    hits, found = np.cumsum(positives, axis=1), np.cumsum(_count_ties(counted, starts), axis=1)
    return _divide((positives * hits / np.maximum(found, 1)).sum(axis=1), hits[:, -1])


def compute_f1(truth: Truth, found: Truth, counts: Values) -> Values:
    """Return the mean F1 of the columns, shape (samples,); one-dimensional arrays are one column.

    The F1 of a column without a positive and without a found record is 0.
    """
    truth, found = (np.atleast_2d(column.T).T for column in (truth, found))
    both, either = counts @ (truth & found), counts @ truth + counts @ found
    mean: Values = (2 * both / np.maximum(either, 1)).mean(axis=1)
    return mean


def compute_share(part: Truth, whole: Truth, counts: Values) -> Values:
    """Return which share of the records of `whole` are in `part`, shape (samples,)."""
    return _divide(counts @ (part & whole), counts @ whole)


def compute_mean(values: NDArray[np.generic], counts: Values) -> Values:
    """Return the mean of some values of each record, shape (samples,)."""
    of_record = values.reshape(len(values), -1).mean(axis=1)
    return _divide(counts @ of_record, counts.sum(axis=1))


def _sort(keys: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of ascending keys, and where in it the first of each group of equal keys stands."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return order, np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def _count_ties(counts: Values, starts: NDArray[np.int64]) -> Values:
    """Return the sums of the groups of equal probability, shape (samples, groups)."""
    return counts if len(starts) == counts.shape[1] else np.add.reduceat(counts, starts, axis=1)


def _divide(part: Values, whole: Values) -> Values:
    share: Values = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return share


METRICS: dict[str, Metric] = {
    "auroc": lambda truth, probability, _, counts: compute_auroc(truth, probability, counts),
    "average_precision": lambda truth, probability, _, counts: compute_average_precision(truth, probability, counts),
    "f1": lambda truth, _, found, counts: compute_f1(truth, found, counts),
    "sensitivity": lambda truth, _, found, counts: compute_share(found, truth, counts),
    "specificity": lambda truth, _, found, counts: compute_share(~found, ~truth, counts),
}
MACRO = {"f1": METRICS["f1"]}
DECISIONS = {name: METRICS[name] for name in ("f1", "sensitivity", "specificity")}
PREDICTIVE: dict[str, Metric] = {
    "positive_predictive_value": lambda truth, _, found, counts: compute_share(truth, found, counts),
    "negative_predictive_value": lambda truth, _, found, counts: compute_share(~truth, ~found, counts),
}
CALIBRATION: dict[str, Metric] = {
    "ece": lambda truth, probability, _, counts: compute_ece(truth, probability, counts),
    "brier": lambda truth, probability, _, counts: compute_brier(truth, probability, counts),
    "log_loss": lambda truth, probability, _, counts: compute_log_loss(truth, probability, counts),
}
