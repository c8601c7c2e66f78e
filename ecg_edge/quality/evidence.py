"""What is known of recordings so far: the flags that were raised, and sums that tell their causes."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.electrodes import EqualLeads, Polarity
from ecg_edge.quality.flags import (
    BEAT_ROWS,
    BLOCK_ROWS,
    FAINT_ROWS,
    FLAT_ROWS,
    GAP_ROWS,
    LIMITS,
    SECOND_ROWS,
    FlagTable,
)
from ecg_edge.quality.limb_leads import compute_covariance
from ecg_edge.quality.measures import BLOCK, BLOCKS_OF_A_SECOND, RATE, SECOND, SLOPE_STEP
from ecg_edge.quality.rules import LIMB_SHARE
from ecg_edge.recording.leads import LEADS

_FAINT_SECONDS = 5
FAINT_LEADS = 2
SECONDS_OF_BEATS = 5


class Amplitude:
    """Whether the amplitudes are those of an ECG in millivolts, judged by the leads' peak-to-peak in each second."""

    def __init__(self, n_recordings: int) -> None:
        self._sum_mv, self._n_seconds = np.zeros(n_recordings), np.zeros(n_recordings, np.int64)

    def flag(self, spans: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
        """Return the flags of the next seconds by code, each of shape (r, 1, n); no code if no flag is raised.

        Args:
            spans: Peak-to-peak of each second in millivolts, shape (r, 12, n); NaN if samples of the lead are missing.
        """
        if spans.min() >= LIMITS["faint_chest_leads"] and spans.max() <= LIMITS["too_large"]:
            return {}
        largest = spans.max(axis=1)
        median = np.sort(spans, axis=1)[:, len(LEADS) // 2]
        too_large, too_small = median > LIMITS["too_large"], (largest > 0) & (largest < LIMITS["too_small"])
        self._sum_mv += np.where(too_large | too_small, median, 0).sum(axis=1, dtype=np.float64)
        self._n_seconds += np.count_nonzero(too_large | too_small, axis=1)
        chest = spans[:, 6:]
        faint, dead = chest < LIMITS["faint_chest_leads"], chest <= LIMITS["flat_lead"]
        # Two dead leads are refused by a rule of their own.
        off = (faint.sum(axis=1) >= FAINT_LEADS) & (faint & ~dead).any(axis=1)
        flags = {"too_large": too_large, "too_small": too_small, "faint_chest_leads": off}
        return {code: where[:, None] for code, where in flags.items()}

    def compute_mean(self, recording: int) -> float:
        """Return the mean over the flagged seconds of the leads' median peak-to-peak, millivolts."""
        return float(self._sum_mv[recording] / self._n_seconds[recording])


def flag_faint(spans: NDArray[np.float32]) -> dict[str, NDArray[np.bool_]]:
    """Return the flags of faint seconds by code; no code if no flag is raised.

    Args:
        spans: As of `Amplitude.flag`.
    """
    chest, largest = spans[:, 6:], spans.max(axis=1, keepdims=True)
    if chest.min() >= LIMITS["faint_chest_lead"] and largest.min() >= LIMITS["low_amplitude"]:
        return {}
    faint = (chest < LIMITS["faint_chest_lead"]) & (chest > LIMITS["flat_lead"])
    return {"faint_chest_lead": faint, "low_amplitude": largest < LIMITS["low_amplitude"]}


class Beats:
    """Whether the slopes have the peaks of QRS complexes, judged by their kurtosis in every five seconds."""

    def __init__(self, n_recordings: int) -> None:
        self._sums = np.zeros((2, n_recordings, len(LEADS), 0), np.float32)

    def flag(self, slopes: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return in which of the five seconds that are now complete most leads have no peaks, shape (r, 1, n).

        Args:
            slopes: As of `Seconds`.
        """
        sums = np.concatenate([self._sums, slopes], axis=3)
        whole = sums.shape[3] // SECONDS_OF_BEATS * SECONDS_OF_BEATS
        self._sums = sums[..., whole:].copy()
        steps = sums[..., :whole].astype(np.float64).reshape(*sums.shape[:3], -1, SECONDS_OF_BEATS).sum(axis=-1)
        n_slopes = SECONDS_OF_BEATS * SECOND // SLOPE_STEP
        # The kurtosis is steps[1] * n_slopes / steps[0]**2. A flat lead has none.
        smooth = steps[1] * n_slopes < LIMITS["no_qrs"] * steps[0] ** 2
        without: NDArray[np.bool_] = np.count_nonzero(smooth, axis=1, keepdims=True) > len(LEADS) // 2
        return without


class LimbLeads:
    """Whether the six limb leads fit each other, and their covariance where they do not."""

    def __init__(self, n_recordings: int) -> None:
        self._sum, self._n_seconds = np.zeros((n_recordings, 6, 6)), np.zeros(n_recordings, np.int64)

    def flag(self, signal: NDArray[np.float32], residual: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return in which of the next seconds the leads contradict each other, shape (r, 1, n).

        Args:
            signal: Millivolts, shape (r, 12, n * SECOND).
            residual: As of `Seconds`.
        """
        broken = residual > LIMITS["limb_leads"]
        for recording, second in np.argwhere(broken):
            covariance = compute_covariance(signal[recording, :6, second * SECOND : (second + 1) * SECOND])
            rms = np.sqrt(np.trace(covariance) / len(covariance))
            broken[recording, second] = residual[recording, second] > float(LIMITS["limb_leads"] + LIMB_SHARE * rms)
            if broken[recording, second]:
                self._sum[recording] += covariance
                self._n_seconds[recording] += 1
        return broken[:, None]

    def compute_mean(self, recording: int) -> NDArray[np.float64]:
        """Return the mean covariance of the limb leads over the flagged seconds, shape (6, 6), mV squared."""
        mean: NDArray[np.float64] = self._sum[recording] / self._n_seconds[recording]
        return mean


class Evidence:
    """All that the reports of recordings of equal length are made from."""

    def __init__(self, n_recordings: int) -> None:
        block_s = BLOCK / RATE
        self.gaps = FlagTable(n_recordings, GAP_ROWS, block_s)
        self.faint = FlagTable(n_recordings, FAINT_ROWS, 1.0, on_end=_FAINT_SECONDS)
        self.no_qrs = FlagTable(n_recordings, BEAT_ROWS, SECONDS_OF_BEATS)
        self.blocks = FlagTable(n_recordings, BLOCK_ROWS, block_s)
        self.flat = FlagTable(n_recordings, FLAT_ROWS, block_s, on_end=BLOCKS_OF_A_SECOND)
        self.seconds = FlagTable(n_recordings, SECOND_ROWS, 1.0)
        self.highest_mv = np.zeros(n_recordings)
        """Largest distance from 0 among the samples of stretches in which a sample is beyond a volt or missing."""
        self.amplitude = Amplitude(n_recordings)
        self.limb_leads = LimbLeads(n_recordings)
        self.beats = Beats(n_recordings)
        self.polarity = Polarity(n_recordings)
        self.equal_leads = EqualLeads(n_recordings)
