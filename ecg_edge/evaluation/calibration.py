"""Whether probabilities mean what they say."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.bootstrap import RESAMPLES, SEED, cut_into_blocks

N_BINS = 10
# The out-of-fold probabilities are stored with six decimals: 0.000000 is not impossible.
_LEAST = 1e-6
_Z = 1.96
Values = NDArray[np.float64]


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


def cut_into_bins(truth: NDArray[np.bool_], probability: Values) -> list[Bin]:
    """Return `N_BINS` bins of equal numbers of records, from low to high probability.

    Fewer records than bins make one bin each.
    """
    return [
        Bin(len(rows), float(probability[rows].mean()), *compute_wilson_interval(int(truth[rows].sum()), len(rows)))
        for rows in np.array_split(np.argsort(probability, kind="stable"), N_BINS)
        if len(rows)
    ]


def compute_ece(truth: NDArray[np.bool_], probability: Values, counts: Values) -> Values:
    """Return the expected calibration error: mean distance of probability and share over bins of equal numbers.

    It is never negative, so chance alone makes it larger than 0 in small samples.

    Args:
        truth: Shape (records,).
        probability: Shape (records,).
        counts: How many times each sample has each record, shape (samples, records).

    Returns:
        Shape (samples,).
    """
    order = np.argsort(probability, kind="stable")
    gap = (probability - truth)[order]
    until = np.cumsum(counts[:, order], axis=1)
    gap_until = np.cumsum(counts[:, order] * gap, axis=1)
    ends = _find_bin_ends(until[:, -1])
    # A record that a sample has several times may stand in two bins.
    at_ends = np.array([np.interp(*sample) for sample in zip(ends, _start(until), _start(gap_until), strict=True)])
    error: Values = np.abs(np.diff(at_ends, axis=1)).sum(axis=1) / until[:, -1]
    return error


def _start(sums: Values) -> Values:
    return np.pad(sums, ((0, 0), (1, 0)))


def _find_bin_ends(n: Values) -> Values:
    """Return where the bins of n records begin and end, the larger ones first, shape (samples, bins + 1)."""
    small, larger = np.divmod(n, N_BINS)
    bins = np.arange(N_BINS + 1.0)
    ends: Values = bins * small[:, None] + np.minimum(bins, larger[:, None])
    return ends


def draw_ece_by_chance(probability: Values) -> Values:
    """Return errors that the same probabilities have by chance if they are true, shape (draws,)."""
    return np.concatenate(list(_draw_blocks(probability)))


def _draw_blocks(probability: Values) -> Iterator[Values]:
    random = np.random.default_rng(SEED)
    n, order = len(probability), np.argsort(probability, kind="stable")
    # The last bins of fewer records than bins are empty.
    starts = _find_bin_ends(np.array([float(n)]))[0, : min(n, N_BINS)].astype(np.int64)
    for draws in cut_into_blocks(RESAMPLES, n):
        gap = (probability - (random.random((draws, n)) < probability))[:, order]
        yield np.abs(np.add.reduceat(gap, starts, axis=1)).sum(axis=1) / n


def compute_brier(truth: NDArray[np.bool_], probability: Values, counts: Values) -> Values:
    """Return the Brier score: mean squared distance of probability and truth, shape (samples,)."""
    score: Values = counts @ (probability - truth) ** 2 / counts.sum(axis=1)
    return score


def compute_log_loss(truth: NDArray[np.bool_], probability: Values, counts: Values) -> Values:
    """Return the mean negative log-likelihood of the truth, shape (samples,)."""
    of_truth = np.where(truth, probability, 1 - probability).clip(_LEAST)
    loss: Values = -(counts @ np.log(of_truth)) / counts.sum(axis=1)
    return loss


def compute_wilson_interval(positives: int, n: int) -> tuple[float, float, float]:
    """Return a share and its interval, which has a width even where the share is 0 or 1."""
    share, z2 = positives / n, _Z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    # Rounding could put an end on the wrong side of a share of 0 or 1.
    return share, min(share, float(middle - half)), max(share, float(middle + half))
