"""Signs of exchanged electrodes and of wrong files that only a whole recording shows."""

from itertools import combinations
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.flags import LIMITS
from ecg_edge.quality.measures import BLOCKS_OF_A_SECOND, SECOND, Seconds
from ecg_edge.recording.leads import LEADS

_FACED = [LEADS.index(lead) for lead in ("I", "II", "aVR")]
_PAIRS = np.array(list(combinations(range(len(LEADS)), 2)))


class Polarity:
    """Which way I, II and aVR point, and whether I and V6 point in the same direction."""

    def __init__(self, n_recordings: int) -> None:
        self._sums = np.zeros((n_recordings, 9))

    def add(self, found: Seconds, extremes: NDArray[np.float32]) -> None:
        """Add the next seconds.

        Args:
            found: Their measures.
            extremes: Highest and lowest sample of each block, shape (2, r, 12, 5 n); NaN if samples are missing.
        """
        of_blocks = extremes[:, :, _FACED]
        of_blocks = of_blocks.reshape(*of_blocks.shape[:3], -1, BLOCKS_OF_A_SECOND)
        highest, lowest = (of_blocks - found.mean[:, _FACED, :, None]).sum(axis=-1)
        of_seconds = np.concatenate([found.arms, highest + lowest, highest - lowest], axis=1)
        sums = of_seconds.sum(axis=2, dtype=np.float64)
        if np.isnan(sums).any():
            unknown = np.isnan(of_seconds).any(axis=1, keepdims=True)
            sums = np.where(unknown, 0, of_seconds).sum(axis=2, dtype=np.float64)
        self._sums += sums

    def look_swapped(self, recording: int) -> bool:
        """Return whether the arm electrodes look swapped: I runs against V6, and aVR points up."""
        i_i, i_v6, v6_v6, _, _, avr_up = self._sums[recording, :6].tolist()
        return bool(avr_up > 0 and i_v6 < LIMITS["swapped_arms"] * sqrt(max(0.0, i_i * v6_v6)))

    def look_inverted(self, recording: int) -> bool:
        """Return whether aVR points up, and I and II point down."""
        i_up, ii_up, avr_up, *spans = self._sums[recording, 3:].tolist()
        limit = LIMITS["inverted_leads"]
        return all(up > limit * span for up, span in zip((-i_up, -ii_up, avr_up), spans, strict=True))


class EqualLeads:
    """Which leads are equal throughout, apart from their baselines."""

    def __init__(self, n_recordings: int) -> None:
        self._equal = np.ones((n_recordings, len(_PAIRS)), bool)
        self._compared = np.zeros((n_recordings, len(_PAIRS)), bool)
        self._alive = np.zeros((n_recordings, len(LEADS)), bool)
        self._possible = True

    def add(self, signal: NDArray[np.float32], spans: NDArray[np.float32]) -> None:
        """Add the next seconds.

        Args:
            signal: Millivolts, shape (r, 12, n * SECOND).
            spans: Peak-to-peak of each second, shape (r, 12, n); NaN if samples of the lead are missing.
        """
        if not self._possible:
            return
        apart = np.abs(spans[:, _PAIRS[:, 0]] - spans[:, _PAIRS[:, 1]])
        self._equal &= ~(apart >= 2 * LIMITS["equal_leads"]).any(axis=2)
        for recording, pair in np.argwhere(self._equal):
            one, other = signal[recording, _PAIRS[pair]]
            difference = (one - other).reshape(-1, SECOND)
            farthest = np.abs(difference - difference.mean(axis=1, dtype=np.float64, keepdims=True)).max(axis=1)
            known = np.isfinite(apart[recording, pair])
            self._equal[recording, pair] = (farthest[known] < LIMITS["equal_leads"]).all()
            self._compared[recording, pair] |= known.any()
        self._possible = bool(self._equal.any())
        if self._possible:
            self._alive |= (spans > LIMITS["flat_lead"]).any(axis=2)

    def find(self, recording: int) -> list[str]:
        """Return the leads that equal another one and are not flat."""
        if not self._possible:
            return []
        pairs = _PAIRS[self._equal[recording] & self._compared[recording]]
        pairs = pairs[self._alive[recording, pairs[:, 0]]]
        return [lead for i, lead in enumerate(LEADS) if i in pairs]
