"""Which sampling rate a recording probably has, if the plausibility network refuses the stated one."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.aggregation import mean_probability
from ecg_edge.model.inference import finite_scores
from ecg_edge.model.session import Model
from ecg_edge.recording import Recording

END_S = 30
"""Seconds at the end of a recording that are enough to find its rate."""
# The most usual rates come first.
_USUAL_RATES = (500, 1000, 250, 100, 360, 125, 200, 400, 257, 128, 240, 256, 300, 600, 750, 800, 960, 2000)
# A recording that looks 1.5 times too slow or too fast is not off by less than this.
_LEAST_RATIO = 1.3
# Rates whose log-odds of a wrong time axis differ by less than this look equally right.
_AS_GOOD = 2.0
_LEAST_ODDS = 1e-6


def find_likely_rate(model: Model, recording: Recording, label: str) -> float | None:
    """Return the usual sampling rate at which the time axis of a recording looks right, None if there is none.

    Args:
        model: Of the stage plausibility.
        recording: At the rate that was stated; `END_S` of its seconds are enough.
        label: What the model found: "stretched" or "squeezed".
    """
    signal, stated = recording.stretch(0, recording.samples), recording.sampling_rate
    log_odds = {}
    for rate in _USUAL_RATES:
        ratio = rate / stated if label == "stretched" else stated / rate
        resampled = _resample(signal, rate, model.spec.sampling_rate)
        if ratio >= _LEAST_RATIO and resampled.shape[1] >= model.spec.window:
            log_odds[rate] = _judge(model, resampled)
    # None if no window counts or the time axis looks wrong at this rate too.
    right = {rate: odds for rate, odds in log_odds.items() if odds is not None}
    least = min(right.values(), default=0.0)
    return next((float(rate) for rate, odds in right.items() if odds <= least + _AS_GOOD), None)


def _resample(signal: NDArray[np.float32], from_rate: float, to_rate: float) -> NDArray[np.float32]:
    """Resample linearly, which is enough to judge the time axis and needs no library."""
    duration_s = min(signal.shape[1] / from_rate, END_S)
    wanted = np.arange(int(duration_s * to_rate)) * (from_rate / to_rate)
    stored = np.arange(signal.shape[1])
    return np.stack([np.interp(wanted, stored, lead) for lead in signal]).astype(np.float32)


def _judge(model: Model, signal: NDArray[np.float32]) -> float | None:
    """Return the log-odds that the time axis is wrong, None if the model finds it wrong or cannot tell."""
    spec = model.spec
    (scores,) = finite_scores(model, signal[None])
    scores = scores[np.isfinite(scores).all(axis=1)]
    if not len(scores):
        return None
    probabilities = mean_probability(scores, spec.average)
    found = dict(zip(spec.labels, zip(probabilities.tolist(), spec.thresholds, strict=True), strict=True))
    pairs = [found[label] for label in ("stretched", "squeezed") if label in found]
    if any(probability >= threshold for probability, threshold in pairs):
        return None
    worst = np.clip(max(probability for probability, _ in pairs), _LEAST_ODDS, 1 - _LEAST_ODDS)
    return float(np.log(worst / (1 - worst)))
