"""What devices, electrodes and people do to a recording, each as a function of one signal.

A signal has 12 leads in millivolts at 500 Hz, shape (12, samples). What is drawn, is drawn for each lead by itself.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt, sosfilt_zi

from ecg_edge.recording import LEADS, Recording
from ecg_edge.recording.leads import DERIVED
from ecg_edge.recording.resampling import resample

RATE_HZ = 500
_MUSCLE_HZ = (20, 150)
_WANDER_HZ = (0.05, 0.5)
_N_WAVES = 3
_HARMONICS = {1: 1.0, 2: 0.2, 3: 0.3}
"""Amplitudes, relative to that of the first."""
_LONGEST_SHIFT = 99
_BAND_ORDER = 2

Signal = NDArray[np.float32]
Disturbance = Callable[[Signal, np.random.Generator], Signal]


def add_offsets(signal: Signal, random: np.random.Generator, *, largest_mv: float) -> Signal:
    """Return the signal with a constant added to each lead, drawn evenly from -`largest_mv` to `largest_mv`."""
    return _to_signal(signal + random.uniform(-largest_mv, largest_mv, (len(signal), 1)))


def add_wander(signal: Signal, random: np.random.Generator, *, peak_mv: float) -> Signal:
    """Return the signal with a sum of slow sines (0.05 to 0.5 Hz) added to each lead, which reaches `peak_mv`."""
    frequency, phase = _draw_frequencies(random, len(signal)), _draw_phases(random, (len(signal), _N_WAVES, 1))
    waves = np.sin(2 * np.pi * frequency * _seconds(signal) + phase).sum(axis=1)
    return _to_signal(signal + peak_mv * waves / np.abs(waves).max(axis=1, keepdims=True))


def add_hum(signal: Signal, random: np.random.Generator, *, mains_hz: float, amplitude_mv: float) -> Signal:
    """Return the signal with mains hum added: a sine of `amplitude_mv` and its second and third harmonics."""
    phase = _draw_phases(random, (len(signal), 1))
    hum = sum(
        share * np.sin(harmonic * (2 * np.pi * mains_hz * _seconds(signal) + phase))
        for harmonic, share in _HARMONICS.items()
    )
    return _to_signal(signal + amplitude_mv * hum)


def add_muscle_noise(signal: Signal, random: np.random.Generator, *, rms_mv: float) -> Signal:
    """Return the signal with Gaussian noise of 20 to 150 Hz added to each lead, of root mean square `rms_mv`."""
    noise = sosfilt(_design(_MUSCLE_HZ, "bandpass", _BAND_ORDER), random.standard_normal(signal.shape))
    return _to_signal(signal + rms_mv * noise / np.sqrt((noise**2).mean(axis=1, keepdims=True)))


def filter_as_device(signal: Signal, _: np.random.Generator, *, cutoff_hz: float, kind: str, order: int = 2) -> Signal:
    """Return the signal after a causal Butterworth filter that has run since before its start.

    Args:
        signal: What is filtered.
        cutoff_hz: Where 3 dB are lost.
        kind: "lowpass" or "highpass".
        order: 1 is the coupling of a plain amplifier.
    """
    sections = _design(cutoff_hz, kind, order)
    settled = sosfilt_zi(sections)[:, None] * signal[:, :1]
    return _to_signal(sosfilt(sections, signal, zi=settled)[0])


def scale(signal: Signal, _: np.random.Generator, *, gain: float) -> Signal:
    """Return the signal times `gain`."""
    return _to_signal(gain * signal)


def quantise(signal: Signal, _: np.random.Generator, *, step_mv: float) -> Signal:
    """Return the signal in whole steps of `step_mv`."""
    return _to_signal(np.round(signal / step_mv) * step_mv)


def resample_through(signal: Signal, _: np.random.Generator, *, rate_hz: int) -> Signal:
    """Return the signal as a device of `rate_hz` records it and the runtime resamples it."""
    recorded = resample_poly(signal, rate_hz, RATE_HZ, axis=1, padtype="line")
    back = resample(Recording(_to_signal(recorded), sampling_rate=rate_hz), RATE_HZ)
    return back.stretch(0, back.samples)


def lose_lead(signal: Signal, _: np.random.Generator, *, lead: str) -> Signal:
    """Return the signal with one lead at zero."""
    return np.where(np.array(LEADS)[:, None] == lead, np.float32(0), signal)


def derive_limb_leads(signal: Signal, _: np.random.Generator) -> Signal:
    """Return the signal of a device that stores I, II and V1 to V6, as the runtime completes it."""
    stored = tuple(lead for lead in LEADS if lead not in DERIVED)
    rows = [LEADS.index(lead) for lead in stored]
    return Recording(signal[rows], leads=stored).stretch(0, signal.shape[1])


def keep_start(signal: Signal, _: np.random.Generator, *, seconds: float) -> Signal:
    """Return the first seconds of the signal."""
    return signal[:, : round(seconds * RATE_HZ)]


def shift(signal: Signal, random: np.random.Generator) -> Signal:
    """Return the signal from sample 1 to 99 on; what is left is always 99 samples shorter."""
    start = int(random.integers(1, _LONGEST_SHIFT, endpoint=True))
    return signal[:, start : start + signal.shape[1] - _LONGEST_SHIFT]


DISTURBANCES: dict[str, Disturbance] = {
    **{f"offset of each lead, up to ±{mv} mV": partial(add_offsets, largest_mv=mv) for mv in (5, 300)},
    **{f"wander, peak {mv} mV": partial(add_wander, peak_mv=mv) for mv in (0.5, 1)},
    **{
        f"hum of {hz} Hz, {mv} mV": partial(add_hum, mains_hz=hz, amplitude_mv=mv)
        for hz in (50, 60)
        for mv in (0.1, 0.2)
    },
    **{f"muscle noise, {mv} mV rms": partial(add_muscle_noise, rms_mv=mv) for mv in (0.05, 0.1)},
    **{f"low-pass {hz} Hz": partial(filter_as_device, cutoff_hz=hz, kind="lowpass") for hz in (40, 25)},
    **{
        f"high-pass {hz} Hz, order {order}": partial(filter_as_device, cutoff_hz=hz, kind="highpass", order=order)
        for order in (1, 2)
        for hz in (0.5, 0.7)
    },
    **{f"gain {percent:+d}%": partial(scale, gain=1 + percent / 100) for percent in (20, -20, 30, -30)},
    **{f"steps of {microvolts} µV": partial(quantise, step_mv=microvolts / 1000) for microvolts in (5, 10)},
    **{f"through {hz} Hz and back": partial(resample_through, rate_hz=hz) for hz in (1000, 250, 100)},
    **{f"{lead} lost": partial(lose_lead, lead=lead) for lead in LEADS},
    "eight leads": derive_limb_leads,
    "first 5 s": partial(keep_start, seconds=5),
    "shift by 1 to 99 samples": shift,
}
"""By name, in the order of the table."""


def _draw_frequencies(random: np.random.Generator, n_leads: int) -> NDArray[np.float64]:
    return random.uniform(*_WANDER_HZ, (n_leads, _N_WAVES, 1))


def _draw_phases(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return random.uniform(0, 2 * np.pi, shape)


def _seconds(signal: Signal) -> NDArray[np.float64]:
    return np.arange(signal.shape[1]) / RATE_HZ


def _design(cutoff_hz: float | tuple[float, float], kind: str, order: int) -> NDArray[np.float64]:
    sections: NDArray[np.float64] = butter(order, cutoff_hz, kind, fs=RATE_HZ, output="sos")
    return sections


def _to_signal(values: NDArray[np.floating]) -> Signal:
    return np.ascontiguousarray(values, np.float32)
