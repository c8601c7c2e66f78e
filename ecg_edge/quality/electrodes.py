"""Signs of exchanged electrodes and of wrong files that only a whole recording shows."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.flags import LIMITS
from ecg_edge.quality.measures import BLOCKS_OF_A_SECOND, SECOND, Seconds
from ecg_edge.recording.leads import LEADS

_FACED = [LEADS.index(lead) for lead in ("I", "II", "aVR")]
_PAIRS = np.array(list(combinations(range(len(LEADS)), 2)))


class Polarity:
    """Which way I, II and aVR point, and whether I and V6 point in the same direction."""

    def __init__(self) -> None:
        self._sums = np.zeros(9)

    def add(self, found: Seconds, extremes: NDArray[np.float32]) -> None:
        """Add the next seconds.

        Args:
            found: Their measures.
            extremes: Highest and lowest sample of each block, shape (2, 12, 5 n); NaN if samples are missing.
        """
        highest, lowest = extremes[:, _FACED].reshape(2, len(_FACED), -1, BLOCKS_OF_A_SECOND).sum(axis=-1)
        ups = highest + lowest - 2 * BLOCKS_OF_A_SECOND * found.mean[_FACED]
        of_seconds = np.concatenate([found.arms, ups, highest - lowest])
        sums = of_seconds.sum(axis=1, dtype=np.float64)
        if np.isnan(sums).any():
            sums = of_seconds[:, ~np.isnan(of_seconds).any(axis=0)].sum(axis=1, dtype=np.float64)
        self._sums += sums

    def look_swapped(self) -> bool:
        """Return whether the arm electrodes look swapped: I runs against V6, and aVR points up."""
        i_i, i_v6, v6_v6, _, _, avr_up = self._sums[:6]
        return bool(avr_up > 0 and i_v6 < LIMITS["swapped_arms"] * np.sqrt(max(0.0, i_i * v6_v6)))

    def look_inverted(self) -> bool:
        """Return whether aVR points up, and I and II point down."""
        ups, spans = self._sums[3:6], self._sums[6:]
        return bool((ups * [-1, -1, 1] > LIMITS["inverted_leads"] * spans).all())


class EqualLeads:
    """Which leads are equal throughout."""

    def __init__(self) -> None:
        self._pairs = _PAIRS
        self._alive = np.zeros(len(LEADS), bool)

    def add(self, signal: NDArray[np.float32], mean: NDArray[np.float32], spans: NDArray[np.float32]) -> None:
        """Add the next seconds.

        Args:
            signal: Millivolts, shape (12, n * SECOND).
            mean: Of each second, shape (12, n); NaN if samples of the lead are missing.
            spans: Peak-to-peak of each second, shape (12, n); NaN if samples of the lead are missing.
        """
        self._drop_pairs(np.abs(mean[self._pairs[:, 0]] - mean[self._pairs[:, 1]]))
        if len(self._pairs):
            one, other = self._pairs.T
            known = np.isfinite(mean[one] - mean[other])
            apart = np.abs(signal[one] - signal[other]).reshape(len(one), -1, SECOND).max(axis=-1)
            self._drop_pairs(apart * known)
            self._alive |= (spans > LIMITS["flat_lead"]).any(axis=1)

    def find(self) -> list[str]:
        """Return the leads that equal another one and are not flat."""
        if not len(self._pairs):
            return []
        alive = np.flatnonzero(self._alive)
        return [lead for i, lead in enumerate(LEADS) if i in self._pairs[np.isin(self._pairs[:, 0], alive)]]

    def _drop_pairs(self, apart: NDArray[np.float32]) -> None:
        self._pairs = self._pairs[~(apart >= LIMITS["equal_leads"]).any(axis=1)]
