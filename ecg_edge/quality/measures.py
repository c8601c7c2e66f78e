"""What is measured of each second of a recording: a few vectorised passes, no state.

Calls of NumPy on so few numbers cost more than their arithmetic, so bounds come first: what a bound rules out for the
whole stretch is not measured.

A block of 0.2 s holds whole periods of 50 and of 60 Hz; a second holds five. Noise and hum are taken from a second's
second quietest block, so that the heart beat, which fills one or two of them, is not taken for noise.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.limb_leads import RELATIONS
from ecg_edge.recording.leads import LEADS

RATE = 500
BLOCK = 100
SECOND = 500
_PLATEAU = 4
LOOKBACK = _PLATEAU + 1
"""Samples before the first second that `measure` needs."""
MAINS_HZ = (50, 60)

_PHASES = 2 * np.pi / RATE * np.arange(BLOCK)
# Amplitudes in a block: cosine and sine of 50 Hz, then of 60 Hz.
_PROJECTIONS = np.stack([wave(hz * _PHASES) for hz in MAINS_HZ for wave in (np.cos, np.sin)], axis=1)
_PROJECTIONS = (_PROJECTIONS * 2 / BLOCK).astype(np.float32)
# What squared amplitudes are of: power at 50 Hz, power at 60 Hz, energy left in a block's second differences.
_BENDING = [8 * BLOCK * np.sin(2 * np.pi * hz / RATE) ** 4 for hz in MAINS_HZ]
_POWERS = np.array([[1, 0, -_BENDING[0]]] * 2 + [[0, 1, -_BENDING[1]]] * 2, np.float32)
_MEAN = np.full(SECOND, 1 / SECOND, np.float32)
_RELATIONS = RELATIONS.astype(np.float32)
_BLOCKS = SECOND // BLOCK
_STEEP_MV = 0.05
_I, _V6 = LEADS.index("I"), LEADS.index("V6")


class Noticeable(NamedTuple):
    """From where on measures are of note, in millivolts."""

    hum: float
    roughness: float
    spike: float
    limb_residual: float


class Seconds(NamedTuple):
    """Measures of n whole seconds; arrays of shape (12, n) unless they say otherwise.

    A measure that is of note in none of the seconds is None.
    """

    mean: NDArray[np.float32]
    """Millivolts."""
    arms: NDArray[np.float32]
    """Products of I and V6 with each other about each second's means, summed over all of them, shape (2, 2)."""
    noise: NDArray[np.float32] | None
    """In millivolts, shape (3, 12, n): amplitude at 50 and at 60 Hz, root mean square of the second differences over
    8 ms without the hum's."""
    clip_edges: NDArray[np.int64] | None
    """Places where a steep slope meets four or more equal steps of zero."""
    spike: NDArray[np.float32] | None
    """Height of the tallest peak that rises and falls within 8 ms, millivolts."""
    limb_residual: NDArray[np.float64] | None
    """Standard deviation of what the worst of the limb leads' relations leaves over, millivolts, shape (n,)."""


def measure(samples: NDArray[np.float32], note: Noticeable) -> Seconds:
    """Measure whole seconds.

    Args:
        samples: Finite millivolts at 500 Hz, shape (12, LOOKBACK + n * SECOND): the seconds and the samples before.
        note: What is of note.
    """
    signal = samples[:, LOOKBACK:]
    seconds = signal.reshape(len(LEADS), -1, SECOND)
    mean = seconds @ _MEAN
    slopes = samples[:, 2:] - samples[:, :-2]
    bends = (slopes[:, 2:] - slopes[:, :-2])[:, LOOKBACK - 4 :].reshape(len(LEADS), -1, BLOCK)
    bend_energy = np.einsum("lbs,lbs->lb", bends, bends)
    return Seconds(
        mean=mean,
        arms=_products(signal[_I], signal[_V6]) - SECOND * _products(mean[_I], mean[_V6]),
        noise=_noise(signal.reshape(bends.shape), bend_energy, note),
        spike=_spikes(slopes, bends, bend_energy, note.spike),
        clip_edges=_clip_edges(samples, slopes),
        limb_residual=_limb_residual(signal[:6], note.limb_residual),
    )


def _products(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.array([[a @ a, a @ b], [b @ a, b @ b]])


def _noise(
    blocks: NDArray[np.float32], bend_energy: NDArray[np.float32], note: Noticeable
) -> NDArray[np.float32] | None:
    """Return hum and roughness of each second's second quietest block."""
    amplitudes = blocks @ _PROJECTIONS
    powers = (amplitudes * amplitudes) @ _POWERS
    powers[..., 2] += bend_energy
    powers = powers.reshape(len(LEADS), -1, _BLOCKS, 3)
    over = powers > np.array([note.hum**2, note.hum**2, BLOCK * note.roughness**2], np.float32)
    # The second quietest block is over where all blocks but one are.
    if np.count_nonzero(over, axis=2).max() < _BLOCKS - 1:
        return None
    quiet = np.partition(powers, 1, axis=2)[:, :, 1]
    noise: NDArray[np.float32] = np.sqrt(np.maximum(quiet, 0) / np.array([1, 1, BLOCK], np.float32)).transpose(2, 0, 1)
    return noise


def _spikes(
    slopes: NDArray[np.float32], bends: NDArray[np.float32], bend_energy: NDArray[np.float32], of_note: float
) -> NDArray[np.float32] | None:
    """Return the tallest spike of each second.

    Args:
        slopes: Differences between samples 4 ms apart.
        bends: Second differences of each block: at a spike they are twice its height or more.
        bend_energy: Sum of their squares.
        of_note: Height of spikes.
    """
    # A little less, for what rounding does.
    bend = 1.98 * of_note
    leads, blocks = np.nonzero(bend_energy > bend**2)
    if not len(leads) or np.abs(bends[leads, blocks]).max() <= bend:
        return None
    cut = (len(LEADS), -1, BLOCK)
    rises, falls = slopes[:, 1:-2].reshape(cut)[leads, blocks], -slopes[:, 3:].reshape(cut)[leads, blocks]
    tallest = np.maximum(np.minimum(rises, falls), -np.maximum(rises, falls)).max(axis=1)
    heights = np.zeros((len(LEADS), bend_energy.shape[1] // _BLOCKS), np.float32)
    np.maximum.at(heights, (leads, blocks // _BLOCKS), tallest)
    return heights


def _clip_edges(samples: NDArray[np.float32], slopes: NDArray[np.float32]) -> NDArray[np.int64] | None:
    """Count the edges of plateaus in each second.

    Args:
        samples: As of `measure`.
        slopes: Differences between samples 4 ms apart, which beside a plateau are those of neighbours; they
            lose their signs.
    """
    steep = np.abs(slopes, out=slopes) > _STEEP_MV
    level = samples[:, 1:] == samples[:, :-1]
    pairs = level[:, 1:] & level[:, :-1]
    plateaus = pairs[:, 2:] & pairs[:, :-2]
    into, out_of = steep[:, : 1 - _PLATEAU] & plateaus[:, 1:], plateaus[:, :-1] & steep[:, _PLATEAU - 1 :]
    if not (into | out_of).any():
        return None
    seconds = (len(LEADS), -1, SECOND)
    edges: NDArray[np.int64] = np.add(*(np.count_nonzero(each.reshape(seconds), axis=-1) for each in (into, out_of)))
    return edges


def _limb_residual(limbs: NDArray[np.float32], of_note: float) -> NDArray[np.float64] | None:
    left = (_RELATIONS @ limbs).reshape(len(_RELATIONS), -1, SECOND)
    if np.einsum("rns,rns->rn", left, left).max() <= SECOND * of_note**2:
        return None
    worst: NDArray[np.float64] = left.std(axis=-1, dtype=np.float64).max(axis=0)
    return worst
