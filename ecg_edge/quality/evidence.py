"""What is known of a recording so far: the flags that were raised, and sums that tell their causes."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.flags import BLOCK_ROWS, FLAT_ROWS, GAP_ROWS, LIMITS, SECOND_ROWS, FlagTable
from ecg_edge.quality.limb_leads import compute_covariance
from ecg_edge.quality.measures import BLOCK, BLOCKS_OF_A_SECOND, RATE, SECOND, Seconds
from ecg_edge.quality.rules import LIMB_SHARE
from ecg_edge.recording.leads import LEADS

_AVR, _V2 = LEADS.index("aVR"), LEADS.index("V2")


class Amplitude:
    """Whether the samples are millivolts, judged by the peak-to-peak of the leads in each second."""

    def __init__(self) -> None:
        self._sum_mv, self._n_seconds = 0.0, 0

    def flag(self, extremes: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
        """Return the flags of the next seconds by code; no code if no flag is raised.

        Args:
            extremes: Highest and lowest sample of each block in millivolts, shape (2, 12, 5 n); NaN if samples of the
                lead are missing.
        """
        highest, lowest = extremes.reshape(2, len(LEADS), -1, BLOCKS_OF_A_SECOND)
        # Two quick bounds: one large lead proves "not too small", the farthest samples of all leads "not too large".
        of_one_lead = highest[_V2].max(axis=-1) - lowest[_V2].min(axis=-1)
        if of_one_lead.min() >= LIMITS["too_small"] and highest.max() - lowest.min() <= LIMITS["too_large"]:
            return {}
        spans = highest.max(axis=-1) - lowest.min(axis=-1)
        largest = spans.max(axis=0)
        median = np.sort(spans, axis=0)[len(LEADS) // 2]
        too_large, too_small = median > LIMITS["too_large"], (largest > 0) & (largest < LIMITS["too_small"])
        self._sum_mv += float(median[too_large | too_small].sum(dtype=np.float64))
        self._n_seconds += int(np.count_nonzero(too_large | too_small))
        return {"too_large": too_large, "too_small": too_small}

    def compute_mean(self) -> float:
        """Return the mean over the flagged seconds of the leads' median peak-to-peak, millivolts."""
        return self._sum_mv / self._n_seconds


class LimbLeads:
    """Whether the six limb leads fit each other, and their covariance where they do not."""

    def __init__(self) -> None:
        self._sum, self._n_seconds = np.zeros((6, 6)), 0

    def flag(self, signal: NDArray[np.float32], residual: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return in which of the next seconds the leads contradict each other, shape (n,).

        Args:
            signal: Millivolts, shape (12, n * SECOND).
            residual: As of `Seconds`.
        """
        broken = residual > LIMITS["limb_leads"]
        for second in np.flatnonzero(broken):
            covariance = compute_covariance(signal[:6, second * SECOND : (second + 1) * SECOND])
            rms = np.sqrt(np.trace(covariance) / len(covariance))
            broken[second] = residual[second] > float(LIMITS["limb_leads"] + LIMB_SHARE * rms)
            if broken[second]:
                self._sum += covariance
                self._n_seconds += 1
        return broken

    def compute_mean(self) -> NDArray[np.float64]:
        """Return the mean covariance of the limb leads over the flagged seconds, shape (6, 6), mV squared."""
        mean: NDArray[np.float64] = self._sum / self._n_seconds
        return mean


class Arms:
    """Whether the electrodes of the arms look swapped."""

    def __init__(self) -> None:
        self._sums = np.zeros(4)

    def add(self, found: Seconds, extremes: NDArray[np.float32]) -> None:
        """Add the next seconds.

        Args:
            found: Their measures.
            extremes: As of `Amplitude.flag`.
        """
        middle = extremes[:, _AVR].reshape(2, -1, BLOCKS_OF_A_SECOND).sum(axis=(0, 2)) / BLOCKS_OF_A_SECOND
        of_seconds = np.concatenate([found.arms, [middle - 2 * found.mean[_AVR]]])
        sums = of_seconds.sum(axis=1, dtype=np.float64)
        if np.isnan(sums).any():
            sums = of_seconds[:, ~np.isnan(of_seconds).any(axis=0)].sum(axis=1, dtype=np.float64)
        self._sums += sums

    def look_swapped(self) -> bool:
        """Return whether I runs against V6 and aVR points up."""
        i_i, i_v6, v6_v6, avr_up = self._sums
        return bool(avr_up > 0 and i_v6 < LIMITS["swapped_arms"] * np.sqrt(max(0.0, i_i * v6_v6)))


class Evidence:
    """All that a report is made from."""

    def __init__(self) -> None:
        block_s = BLOCK / RATE
        self.gaps = FlagTable(GAP_ROWS, block_s)
        self.blocks = FlagTable(BLOCK_ROWS, block_s)
        self.flat = FlagTable(FLAT_ROWS, block_s, lead_in=BLOCKS_OF_A_SECOND - 1)
        self.seconds = FlagTable(SECOND_ROWS, 1.0)
        self.highest_mv = 0.0
        """Largest distance from 0 among the samples of stretches in which a sample is beyond a volt or missing."""
        self.amplitude = Amplitude()
        self.limb_leads = LimbLeads()
        self.arms = Arms()
