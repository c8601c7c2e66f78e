"""Find the beats of a recording and make the median beat of each lead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, grey_closing, grey_opening, maximum_filter1d, uniform_filter1d
from scipy.signal import butter, find_peaks, sosfiltfilt

RATE_HZ = 500
BEFORE, AFTER = 150, 250
"""Samples of a median beat before and after its fiducial point: 0.3 s and 0.5 s."""
INDEPENDENT = (0, 1, 6, 7, 8, 9, 10, 11)
"""I, II and V1 to V6. The other limb leads follow from them."""

Array = NDArray[np.float64]

_BASELINE = butter(2, 0.5, "highpass", fs=RATE_HZ, output="sos")
_QRS = butter(2, (8, 25), "bandpass", fs=RATE_HZ, output="sos")
# Standard deviation of the smoothing, in samples: 3 ms, which makes no ringing beside a steep R wave.
_SMOOTHING = 1.5
_SPIKE_MV = 0.2
_SPIKE_SAMPLES, _WAVE_SAMPLES = 5, 21
_LEAST_DISTANCE = 120
_ALIKE = 0.8
_MOST_SHIFT = 8
_QRS_SAMPLES = np.arange(-40, 60)
# From here to there before the fiducial point, beats are brought to one level.
_LEVEL = slice(BEFORE - 50, BEFORE - 25)


@dataclass(frozen=True, slots=True)
class MedianBeat:
    """The median of the beats of one shape."""

    millivolts: Array
    """Shape (12, BEFORE + AFTER). The fiducial point, the greatest deflection of the QRS, is sample `BEFORE`."""
    noise_mv: Array
    """Standard error of the median, shape (12,)."""
    interval_s: float
    """Median time between beats of any shape."""
    irregularity: float
    """Standard deviation of these times, divided by their mean."""
    n_beats: int
    """Number of beats in the median."""


def centre(signal: NDArray[np.floating]) -> Array:
    """Return a signal in double precision, each lead less its median, shape (12, samples)."""
    exact = signal.astype(np.float64)
    centred: Array = exact - np.median(exact, axis=1, keepdims=True)
    return centred


def clean(signal: NDArray[np.floating]) -> Array:
    """Remove the baseline and pacing spikes, and smooth.

    Args:
        signal: Millivolts at 500 Hz, shape (12, samples).
    """
    without_spikes = remove_spikes(signal.astype(np.float64))
    level = sosfiltfilt(_BASELINE, without_spikes, axis=1)
    smooth: Array = gaussian_filter1d(level, _SMOOTHING, axis=1)
    return smooth


def remove_spikes(signal: Array) -> Array:
    """Cut off deflections that are as narrow as a pacing spike, 8 ms or less, and have no wider base.

    Args:
        signal: Millivolts at 500 Hz, shape (12, samples).
    """
    for cut in (grey_opening, grey_closing):
        without = cut(signal, (1, _SPIKE_SAMPLES))
        narrow = np.abs(signal - without)
        wide = np.abs(signal - cut(signal, (1, _WAVE_SAMPLES)))
        spikes = (narrow > _SPIKE_MV) & (narrow > 0.7 * wide)
        signal = np.where(maximum_filter1d(spikes, 3, axis=1), without, signal)
    return signal


def find_beats(signal: Array) -> NDArray[np.int64]:
    """Return the sample of the greatest deflection of each QRS, in ascending order.

    Args:
        signal: Cleaned, shape (12, samples).
    """
    leads = signal[list(INDEPENDENT)]
    steep = np.abs(np.gradient(sosfiltfilt(_QRS, leads, axis=1), axis=1))
    steep /= np.maximum(np.sqrt((steep**2).mean(axis=1, keepdims=True)), 1e-9)
    # Clipped, so that an artefact in one lead is not taken for a beat.
    activity = uniform_filter1d(steep.clip(max=4).mean(axis=0), 50)
    stretches = np.array_split(activity, max(len(activity) // 750, 1))
    usual = np.median([stretch.max() for stretch in stretches])
    peaks, _ = find_peaks(activity, height=0.45 * usual, distance=_LEAST_DISTANCE)
    size = np.sqrt((leads**2).sum(axis=0))
    middle = [max(peak - 30, 0) + int(np.argmax(size[max(peak - 30, 0) : peak + 30])) for peak in peaks]
    beats: NDArray[np.int64] = np.unique(np.array(middle, np.int64))
    return beats


def make_median_beat(signal: NDArray[np.floating]) -> MedianBeat | None:
    """Return the median of the beats that have the most common shape, or None if no beat is found.

    Args:
        signal: Millivolts at 500 Hz, shape (12, samples).
    """
    cleaned = clean(signal)
    found = find_beats(cleaned)
    whole = found[(found >= BEFORE + _MOST_SHIFT) & (found < cleaned.shape[1] - AFTER - _MOST_SHIFT)]
    if len(whole) == 0:
        return None
    aligned = _align(cleaned, whole)
    beats = cleaned[:, aligned[:, None] + np.arange(-BEFORE, AFTER)].swapaxes(0, 1)
    beats = beats - beats[..., _LEVEL].mean(axis=2, keepdims=True)
    middle = np.median(beats, axis=0)
    # The mean over time of the spread of the beats; 1.25 is for the median, 1.48 makes a deviation of the MAD.
    spread = 1.48 * np.median(np.abs(beats - middle), axis=0).mean(axis=1)
    intervals = np.diff(found) / RATE_HZ
    return MedianBeat(
        middle,
        1.25 * spread / np.sqrt(len(beats)),
        float(np.median(intervals)) if len(intervals) else 1.0,
        float(intervals.std() / intervals.mean()) if len(intervals) else 0.0,
        len(beats),
    )


def _align(signal: Array, beats: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the beats whose QRS is alike, moved by a few samples so that they match best."""
    own = _cut_qrs(signal, beats)
    alike = own @ own.T
    model = own[np.lexsort((alike.mean(axis=1), (alike > _ALIKE).sum(axis=1)))[-1]]
    shifts = np.arange(-_MOST_SHIFT, _MOST_SHIFT + 1)
    for _ in range(2):
        match = np.stack([_cut_qrs(signal, beats + shift) @ model for shift in shifts], axis=1)
        best, taken = beats + shifts[match.argmax(axis=1)], match.max(axis=1) > _ALIKE
        model = _cut_qrs(signal, best[taken]).mean(axis=0)
        model /= np.linalg.norm(model)
    alike_beats: NDArray[np.int64] = best[taken]
    return alike_beats


def _cut_qrs(signal: Array, beats: NDArray[np.int64]) -> Array:
    """Return the samples around each beat as a vector of length 1, shape (beats, leads x samples)."""
    cut = signal[list(INDEPENDENT)][:, beats[:, None] + _QRS_SAMPLES].swapaxes(0, 1)
    flat = (cut - cut.mean(axis=2, keepdims=True)).reshape(len(beats), -1)
    unit: Array = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    return unit
