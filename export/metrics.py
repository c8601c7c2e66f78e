"""What is computed of the truth, the probability and the decision of each record."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from export.calibration import compute_brier, compute_ece, compute_log_loss

# Of truth, probability and decision of each record.
Metric = Callable[[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]], float]


def compute_auroc(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the chance that a positive record has a higher probability than a negative one; ties count half.

    As scikit-learn's `roc_auc_score`, in a tenth of the time, which the bootstrap needs.
    """
    positives, negatives = np.count_nonzero(truth), np.count_nonzero(~truth)
    return float((rankdata(probability)[truth].sum() / positives - (positives + 1) / 2) / negatives)


def compute_average_precision(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the mean precision over the positive records, as scikit-learn's `average_precision_score`."""
    order = np.argsort(-probability, kind="stable")
    hits, ends = np.cumsum(truth[order]), np.flatnonzero(np.diff(probability[order], append=np.nan) != 0)
    hits = hits[ends]
    return float((np.diff(hits, prepend=0) * hits / (ends + 1)).sum() / hits[-1])


def compute_f1(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """Return the mean F1 of the columns; one-dimensional arrays are one column."""
    both = 2 * (truth & found).sum(axis=0)
    return float(np.mean(both / np.maximum(truth.sum(axis=0) + found.sum(axis=0), 1)))


def _compute_share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return float((part & whole).sum() / max(whole.sum(), 1))


METRICS: dict[str, Metric] = {
    "auroc": lambda truth, probability, _: compute_auroc(truth, probability),
    "average_precision": lambda truth, probability, _: compute_average_precision(truth, probability),
    "f1": lambda truth, _, found: compute_f1(truth, found),
    "sensitivity": lambda truth, _, found: _compute_share(found, truth),
    "specificity": lambda truth, _, found: _compute_share(~found, ~truth),
}
MACRO = {"f1": METRICS["f1"]}
DECISIONS = {name: METRICS[name] for name in ("f1", "sensitivity", "specificity")}
CALIBRATION: dict[str, Metric] = {
    "ece": lambda truth, probability, _: compute_ece(truth, probability),
    "brier": lambda truth, probability, _: compute_brier(truth, probability),
    "log_loss": lambda truth, probability, _: compute_log_loss(truth, probability),
}
