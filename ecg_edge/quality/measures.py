"""Measures whole seconds of recordings of equal length in a few vectorised passes, without state.

NumPy calls on arrays of this size cost more than their arithmetic. So several recordings are measured at once, and a
cheap bound comes first. What it rules out for all of them is not measured.

A block of 0.2 s holds whole periods of 50 Hz and of 60 Hz. A second has five blocks. Noise and hum are measured in the
second quietest block of a second, because a heart beat fills one or two blocks and must not count as noise.
"""

from functools import reduce
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.limb_leads import RELATIONS
from ecg_edge.recording.leads import LEADS

Sample = TypeVar("Sample", bound=np.generic)

RATE = 500
BLOCK = 100
SECOND = 500
BLOCKS_OF_A_SECOND = SECOND // BLOCK
_PLATEAU = 4
# Less than a common converter's step of 1 uV. The filter of resampling leaves small ripples at a rail.
_SAME_MV = 0.0009
_MOVING_BLOCKS = 2
LOOKBACK = _PLATEAU + 1
"""Number of samples before the first second that `measure` needs."""
MAINS_HZ = (50, 60)
SLOPE_STEP = 4
"""Distance of the samples whose differences are `Seconds.slopes`: a slope over 8 ms shows a QRS complex."""

_PHASES = 2 * np.pi / RATE * np.arange(BLOCK)
# Amplitudes in a block: cosine and sine of 50 Hz, then of 60 Hz.
_PROJECTIONS = np.stack([wave(hz * _PHASES) for hz in MAINS_HZ for wave in (np.cos, np.sin)], axis=1)
_PROJECTIONS = (_PROJECTIONS * 2 / BLOCK).astype(np.float32)
# From squared amplitudes to power at 50 Hz, power at 60 Hz, and what hum adds to the energy of the second differences.
_BENDING = [8 * BLOCK * np.sin(2 * np.pi * hz / RATE) ** 4 for hz in MAINS_HZ]
_POWERS = np.array([[1, 0, -_BENDING[0]]] * 2 + [[0, 1, -_BENDING[1]]] * 2, np.float32)
_MEAN = np.full(SECOND, 1 / SECOND, np.float32)
_RELATIONS = RELATIONS.astype(np.float32)
# 25 mV/s, and what float32 may round at 300 mV: many converters have steps of which 0.05 mV is a multiple.
_STEEP_MV = 0.0501
_FAR_MV = 8  # from there on, float32 is too coarse for the squares and sums of a second
_I, _V6 = LEADS.index("I"), LEADS.index("V6")


class Thresholds(NamedTuple):
    """Thresholds above which a measurement is recorded, in millivolts."""

    hum: float
    roughness: float
    spike: float
    limb_residual: float


class Seconds(NamedTuple):
    """Measures of n whole seconds of r recordings. Arrays have shape (r, 12, n) unless stated otherwise.

    A measure is None if it stays below its threshold in all seconds.
    """

    mean: NDArray[np.float64]
    """Millivolts."""
    slopes: NDArray[np.float32]
    """Sums of the second and the fourth powers of the differences between every fourth sample, shape (2, r, 12, n)."""
    arms: NDArray[np.float32]
    """Sums of I squared, of I times V6 and of V6 squared about their means, shape (r, 3, n), mV squared."""
    noise: NDArray[np.float32] | None
    """Amplitude at 50 Hz, amplitude at 60 Hz, and the root mean square of the second differences over 8 ms without the
    part that hum has in it. Millivolts, shape (3, r, 12, n)."""
    clip_edges: NDArray[np.int64] | None
    """Number of places where a steep slope meets a plateau of equal samples."""
    spike: NDArray[np.float32] | None
    """Height of the tallest peak that rises and falls within 8 ms, millivolts."""
    limb_residual: NDArray[np.float64] | None
    """Standard deviation of the largest residual of the four limb lead relations, millivolts, shape (r, n)."""

    def forget(self, missing: NDArray[np.bool_]) -> "Seconds":
        """Return the measures with NaN, or no clip edges, where samples are missing.

        Args:
            missing: In which lead and second, shape (r, 12, n).
        """
        pair, limbs = missing[:, [_I, _V6]].any(axis=1, keepdims=True), missing[:, :6].any(axis=1)
        nan = np.float32("nan")
        return Seconds(
            mean=np.where(missing, np.nan, self.mean),
            slopes=np.where(missing, nan, self.slopes),
            arms=np.where(pair, nan, self.arms),
            noise=None if self.noise is None else np.where(missing, nan, self.noise),
            clip_edges=None if self.clip_edges is None else np.where(missing, 0, self.clip_edges),
            spike=None if self.spike is None else np.where(missing, nan, self.spike),
            limb_residual=None if self.limb_residual is None else np.where(limbs, np.nan, self.limb_residual),
        )


def find_extremes(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the highest and the lowest sample of each block, shape (2, r, 12, n).

    Args:
        samples: Millivolts, shape (r, 12, n * BLOCK).
    """
    firsts = np.arange(0, samples.shape[2], BLOCK)
    extremes = np.empty((2, *samples.shape[:2], len(firsts)), np.float32)
    np.maximum.reduceat(samples, firsts, axis=2, out=extremes[0])
    np.minimum.reduceat(samples, firsts, axis=2, out=extremes[1])
    return extremes


def measure_extremes(extremes: NDArray[np.float32], flat_mv: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the peak-to-peak of each second, and whether the lead is at the rail of its amplifier, both (r, 12, n).

    At a rail, all blocks have the same highest or the same lowest sample, though two or more of them move.

    Args:
        extremes: Highest and lowest sample of each block, shape (2, r, 12, 5 n).
        flat_mv: Largest peak-to-peak of a block that does not move.
    """
    # NumPy is slow along so short an axis.
    blocks = np.moveaxis(_cut(extremes, BLOCKS_OF_A_SECOND), -1, 0)
    highest, lowest = reduce(np.maximum, blocks), reduce(np.minimum, blocks)
    at_rail: NDArray[np.bool_] = (highest - lowest <= _SAME_MV).any(axis=0)
    if at_rail.any():
        at_rail &= np.count_nonzero(blocks[:, 0] - blocks[:, 1] > flat_mv, axis=0) >= _MOVING_BLOCKS
    return highest[0] - lowest[1], at_rail


def measure(samples: NDArray[np.float32], extremes: NDArray[np.float32], thresholds: Thresholds) -> Seconds:
    """Measure whole seconds.

    Args:
        samples: Finite millivolts at 500 Hz, shape (r, 12, LOOKBACK + n * SECOND): the seconds and the samples before.
        extremes: As of `measure_extremes`.
        thresholds: What to record.
    """
    seconds = _cut(samples[..., LOOKBACK:], SECOND)
    firsts = extremes[0, ..., ::BLOCKS_OF_A_SECOND]
    baseline = np.where(np.abs(firsts) > _FAR_MV, firsts, np.float32(0))
    local = seconds - baseline[..., None] if baseline.any() else seconds
    local_mean = local @ _MEAN
    slopes = samples[..., 2:] - samples[..., :-2]
    bends = _cut(slopes[..., LOOKBACK - 2 :] - slopes[..., LOOKBACK - 4 : -2], BLOCK)
    bend_energy = np.einsum("...s,...s->...", bends, bends)
    pair = [local[:, lead] - local_mean[:, lead, :, None] for lead in (_I, _V6)]
    return Seconds(
        mean=baseline + local_mean.astype(np.float64),
        slopes=_measure_slopes(samples),
        arms=_multiply(*pair),
        noise=_measure_noise(local.reshape(bends.shape), bend_energy, thresholds),
        spike=_measure_spikes(slopes, bends, bend_energy, thresholds.spike),
        clip_edges=_count_clip_edges(samples, slopes),
        limb_residual=_measure_limb_residual(local[:, :6], thresholds.limb_residual),
    )


def _cut(samples: NDArray[Sample], step: int) -> NDArray[Sample]:
    """Cut the last axis into steps of equal length."""
    return samples.reshape(*samples.shape[:-1], -1, step)


def _measure_slopes(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    every_fourth = samples[..., LOOKBACK - SLOPE_STEP :: SLOPE_STEP]
    slopes = _cut(every_fourth[..., 1:] - every_fourth[..., :-1], SECOND // SLOPE_STEP)
    squares = slopes * slopes
    return np.stack([np.einsum("...s,...s->...", values, values) for values in (slopes, squares)])


def _multiply(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a * a, a * b and b * b, each summed over the last axis, shape (r, 3, n)."""
    return np.stack([np.einsum("...s,...s->...", one, other) for one, other in ((a, a), (a, b), (b, b))], axis=1)


def _measure_noise(
    blocks: NDArray[np.float32], bend_energy: NDArray[np.float32], thresholds: Thresholds
) -> NDArray[np.float32] | None:
    """Return hum and roughness of the second quietest block of each second."""
    amplitudes = blocks @ _PROJECTIONS
    powers = (amplitudes * amplitudes) @ _POWERS
    powers[..., 2] += bend_energy
    quiet = _find_second_lowest(powers.reshape(*powers.shape[:2], -1, BLOCKS_OF_A_SECOND, 3))
    limits = np.array([thresholds.hum**2, thresholds.hum**2, BLOCK * thresholds.roughness**2], np.float32)
    if not (quiet > limits).any():
        return None
    noise: NDArray[np.float32] = np.sqrt(np.maximum(quiet, 0) / np.array([1, 1, BLOCK], np.float32))
    return noise.transpose(3, 0, 1, 2)


def _find_second_lowest(powers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the second lowest value along the last axis but one. For five values this is faster than a partition."""
    first, second, *others = np.moveaxis(powers, -2, 0)
    lowest: NDArray[np.float32] = np.minimum(first, second)
    found: NDArray[np.float32] = np.maximum(first, second)
    for values in others:
        np.minimum(found, np.maximum(lowest, values), out=found)
        np.minimum(lowest, values, out=lowest)
    return found


def _measure_spikes(
    slopes: NDArray[np.float32], bends: NDArray[np.float32], bend_energy: NDArray[np.float32], threshold: float
) -> NDArray[np.float32] | None:
    """Return the tallest spike of each second.

    Args:
        slopes: Differences between samples 4 ms apart.
        bends: Second differences in each block. At a spike they are at least twice its height.
        bend_energy: Sum of their squares.
        threshold: Smallest height of a spike, millivolts.
    """
    # Twice the height, less a margin for rounding.
    bend = 1.98 * threshold
    recordings, leads, blocks = where = np.nonzero(bend_energy > bend**2)
    if not len(leads) or np.abs(bends[where]).max() <= bend:
        return None
    rises, falls = _cut(slopes[..., 1:-2], BLOCK)[where], -_cut(slopes[..., 3:], BLOCK)[where]
    tallest = np.maximum(np.minimum(rises, falls), -np.maximum(rises, falls)).max(axis=1)
    heights = np.zeros((*bend_energy.shape[:2], bend_energy.shape[2] // BLOCKS_OF_A_SECOND), np.float32)
    np.maximum.at(heights, (recordings, leads, blocks // BLOCKS_OF_A_SECOND), tallest)
    return heights


def _count_clip_edges(samples: NDArray[np.float32], slopes: NDArray[np.float32]) -> NDArray[np.int64] | None:
    """Count the edges of plateaus in each second.

    Args:
        samples: As of `measure`.
        slopes: Differences between samples 4 ms apart. Beside a plateau they equal the differences of neighbouring
            samples. They are replaced by their absolute values.
    """
    steep = np.abs(slopes, out=slopes) > _STEEP_MV
    level = samples[..., 1:] == samples[..., :-1]
    pairs = level[..., 1:] & level[..., :-1]
    plateaus = pairs[..., 2:] & pairs[..., :-2]
    into, out_of = steep[..., : 1 - _PLATEAU] & plateaus[..., 1:], plateaus[..., :-1] & steep[..., _PLATEAU - 1 :]
    if not (into | out_of).any():
        return None
    edges = np.zeros((*samples.shape[:2], into.shape[2] // SECOND), np.int64)
    for side in (into, out_of):
        recordings, leads, places = np.nonzero(side)
        np.add.at(edges, (recordings, leads, places // SECOND), 1)
    return edges


def _measure_limb_residual(limbs: NDArray[np.float32], threshold: float) -> NDArray[np.float64] | None:
    left = _cut(_RELATIONS @ limbs.reshape(*limbs.shape[:2], -1), SECOND)
    if np.einsum("...s,...s->...", left, left).max() <= SECOND * threshold**2:
        return None
    worst: NDArray[np.float64] = left.std(axis=-1, dtype=np.float64).max(axis=1)
    return worst
