"""What is measured of each second of a recording: a few vectorised passes, no state.

A block of 0.2 s holds whole periods of 50 and of 60 Hz; a second holds five. Noise and hum are taken from a second's
second quietest block, so that the heart beat, which fills one or two of them, is not taken for noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.limb_leads import RELATIONS
from ecg_edge.recording import LEADS

RATE = 500
BLOCK = 100
SECOND = 500
_PLATEAU = 4
LOOKBACK = _PLATEAU + 1
"""Samples before the first second that `measure` needs."""
MAINS_HZ = (50, 60)

_PHASES = 2 * np.pi / RATE * np.arange(BLOCK)
_PROJECTIONS = np.stack(
    [np.full(BLOCK, 0.5)] + [wave(hz * _PHASES) for hz in MAINS_HZ for wave in (np.cos, np.sin)], axis=1
)
_PROJECTIONS = (_PROJECTIONS * 2 / BLOCK).astype(np.float32)
# Mean square that a sine of amplitude 1 leaves in the second differences.
_HUM_IN_ROUGHNESS = 8 * np.sin(2 * np.pi * np.array(MAINS_HZ)[:, None, None] / RATE) ** 4
_STEEP_MV = 0.05
_SPIKE_STEP_MV = 0.25
_I, _V6 = LEADS.index("I"), LEADS.index("V6")
_ARM_PAIRS = ((_I, _I), (_I, _V6), (_V6, _V6))


@dataclass(frozen=True, slots=True)
class Seconds:
    """Measures of n whole seconds; arrays of shape (12, n) unless they say otherwise."""

    mean: NDArray[np.float32]
    """Millivolts."""
    hum: NDArray[np.float32]
    """Amplitude at 50 and at 60 Hz in millivolts, shape (2, 12, n)."""
    roughness: NDArray[np.float32]
    """Root mean square of the second differences over 8 ms without the hum's, millivolts."""
    clip_edges: NDArray[np.int64]
    """Places where a steep slope meets four or more equal steps of zero."""
    spike: NDArray[np.float32]
    """Height of the tallest peak that rises and falls within 8 ms, millivolts; 0 where none can be of note."""
    limb_residual: NDArray[np.float32]
    """Standard deviation of what the worst of the limb leads' relations leaves over, millivolts, shape (n,)."""
    arms: NDArray[np.float64]
    """Sums of I x I, I x V6 and V6 x V6 about each second's means over all of them, shape (3,)."""


def measure(samples: NDArray[np.float32]) -> Seconds:
    """Measure whole seconds.

    Args:
        samples: Finite millivolts at 500 Hz, shape (12, LOOKBACK + n * SECOND): the seconds and the samples before.
    """
    signal = samples[:, LOOKBACK:]
    blocks = signal.reshape(len(LEADS), -1, BLOCK)
    projected = blocks @ _PROJECTIONS
    mean = projected[..., 0].reshape(len(LEADS), -1, SECOND // BLOCK).mean(axis=-1)
    waves = projected[..., 1:].reshape(*projected.shape[:2], len(MAINS_HZ), 2)
    hum_power = np.einsum("lbhw,lbhw->hlb", waves, waves)
    # One scratch for both kinds of differences: fresh memory costs more than the arithmetic on it.
    scratch = np.empty((len(LEADS), samples.shape[1] - 1), np.float32)
    slopes = np.subtract(samples[:, 2:], samples[:, :-2], out=scratch[:, :-1])
    noise = _rough_power(slopes, blocks.shape) - (_HUM_IN_ROUGHNESS * hum_power).sum(axis=0)
    quiet = np.sqrt(_quiet(np.concatenate([hum_power, np.maximum(noise, 0)[None]])))
    sizes = np.subtract(samples[:, 1:], samples[:, :-1], out=scratch)
    np.abs(sizes, out=sizes)
    steep = np.flatnonzero(sizes > _STEEP_MV)
    seconds = signal.reshape(len(LEADS), -1, SECOND)
    return Seconds(
        mean=mean,
        hum=quiet[:2],
        roughness=quiet[2],
        clip_edges=_clip_edges(sizes, steep),
        spike=_spikes(samples, steep[sizes.reshape(-1)[steep] > _SPIKE_STEP_MV]),
        limb_residual=_limb_residual(seconds, mean),
        arms=_arms(signal, mean),
    )


def _rough_power(slopes: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the mean square of the second differences over 8 ms in each block from the differences over 4 ms.

    Args:
        slopes: Shape (12, LOOKBACK - 2 + samples).
        shape: Of the blocks, (12, blocks, BLOCK).
    """
    now, before = slopes[:, LOOKBACK - 2 :].reshape(shape), slopes[:, LOOKBACK - 4 : -2].reshape(shape)
    # The square of now - before, term by term: faster than their difference, which must go to memory and back.
    squares = [np.einsum("lbs,lbs->lb", a, b) for a, b in ((now, now), (before, before), (now, before))]
    power: NDArray[np.float32] = (squares[0] + squares[1] - 2 * squares[2]) / np.float32(BLOCK)
    return power


def _quiet(of_blocks: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the second lowest value of each second's blocks."""
    grouped = of_blocks.reshape(*of_blocks.shape[:-1], -1, SECOND // BLOCK)
    quiet: NDArray[np.float32] = np.partition(grouped, 1, axis=-1)[..., 1].astype(np.float32)
    return quiet


def _clip_edges(sizes: NDArray[np.float32], steep: NDArray[np.intp]) -> NDArray[np.int64]:
    """Count the edges of plateaus in each second.

    Args:
        sizes: Of steps, shape (12, `_PLATEAU` + n): they begin so many before the first second's.
        steep: Which of them, counted through all leads, are steep: only beside those plateaus are looked for.
    """
    length, flat = sizes.shape[1], sizes.reshape(-1)
    edges = np.zeros((len(sizes), (length - _PLATEAU) // SECOND), np.int64)
    place = steep % length
    for direction, inside in ((1, place < length - _PLATEAU), (-1, place >= _PLATEAU)):
        found = steep[inside]
        for step in range(1, _PLATEAU + 1):
            found = found[flat[found + direction * step] == 0]
        if len(found):
            first = found if direction > 0 else found - _PLATEAU
            np.add.at(edges, (first // length, first % length // SECOND), 1)
    return edges


def _spikes(samples: NDArray[np.float32], high: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the tallest spike of each second.

    Args:
        samples: As of `measure`.
        high: Which steps, counted through all leads, are large enough for a spike: only peaks beside them count.
    """
    steps = samples.shape[1] - 1
    heights = np.zeros((len(LEADS), steps // SECOND), np.float32)
    lead, step = np.divmod(high, steps)
    for peak in (step + 1, step + 2):
        inside = (peak >= 3) & (peak < samples.shape[1] - 2)
        leads, at = lead[inside], peak[inside]
        rise, fall = samples[leads, at] - samples[leads, at - 2], samples[leads, at] - samples[leads, at + 2]
        height = np.maximum(np.minimum(rise, fall), -np.maximum(rise, fall))
        np.maximum.at(heights, (leads, (at + 2 - LOOKBACK) // SECOND), height)
    return heights


def _limb_residual(seconds: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    relations = RELATIONS.astype(np.float32)
    left = (relations @ seconds[:6].reshape(6, -1)).reshape(len(relations), -1, SECOND)
    square = np.einsum("rns,rns->rn", left, left) / SECOND - (relations @ mean[:6]) ** 2
    worst: NDArray[np.float32] = np.sqrt(np.maximum(square, 0)).max(axis=0)
    return worst


def _arms(signal: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.array([float(signal[a] @ signal[b]) - SECOND * float(mean[a] @ mean[b]) for a, b in _ARM_PAIRS])
