"""Whether probabilities mean what they say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.figures import RESAMPLES, SEED

N_BINS = 10
# The out-of-fold probabilities are stored with six decimals: 0.000000 is not impossible.
_LEAST = 1e-6
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Bin:
    """Records of similar probability."""

    n: int
    probability: float
    """Their mean probability."""
    share: float
    """Share of them with the label."""
    low: float
    """Lower end of Wilson's 95% interval of the share."""
    high: float
    """Upper end of the interval."""


def cut_into_bins(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> list[Bin]:
    """Return `N_BINS` bins of equal numbers of records, from low to high probability."""
    return [
        Bin(len(rows), float(probability[rows].mean()), *_compute_wilson_interval(int(truth[rows].sum()), len(rows)))
        for rows in np.array_split(np.argsort(probability, kind="stable"), N_BINS)
    ]


def compute_ece(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the expected calibration error: mean distance of probability and share over bins of equal numbers.

    It is never negative, so chance alone makes it larger than 0 in small samples.
    """
    order = np.argsort(probability, kind="stable")
    gap = np.array_split((probability - truth)[order], N_BINS)
    return float(sum(abs(of_bin.sum()) for of_bin in gap) / len(truth))


def draw_ece_by_chance(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return errors that the same probabilities have by chance if they are true, shape (draws,)."""
    random = np.random.default_rng(SEED)
    return np.array([compute_ece(random.random(len(probability)) < probability, probability) for _ in range(RESAMPLES)])


def compute_brier(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the Brier score: mean squared distance of probability and truth."""
    return float(((probability - truth) ** 2).mean())


def compute_log_loss(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """Return the mean negative log-likelihood of the truth."""
    of_truth = np.where(truth, probability, 1 - probability).clip(_LEAST)
    return float(-np.log(of_truth).mean())


def _compute_wilson_interval(positives: int, n: int) -> tuple[float, float, float]:
    """Return a share and its interval, which has a width even where the share is 0 or 1."""
    share, z2 = positives / n, _Z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    # Rounding could put an end on the wrong side of a share of 0 or 1.
    return share, min(share, float(middle - half)), max(share, float(middle + half))
