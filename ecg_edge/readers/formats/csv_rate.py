"""Find the sampling rate in the times of a table."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.advice import name_option
from ecg_edge.errors import InvalidRecordingError

_DAY_S = 86400.0


def unwrap_days(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return clock times in seconds that do not start again at midnight."""
    with np.errstate(invalid="ignore"):
        midnights = np.diff(times, prepend=times[:1]) < -_DAY_S / 2
    return times + _DAY_S * np.cumsum(midnights)


def compute_rate(times: NDArray[np.float64], second: float, source: str) -> float:
    """Return the sampling rate in Hz from regular times.

    Args:
        times: One for each sample.
        second: Seconds per unit of the times.
        source: Name of the file in error messages.

    Raises:
        InvalidRecordingError: The steps differ: samples are missing or doubled.
    """
    n_missing = int(np.isnan(times).sum())
    if n_missing:
        what = f"has no time in {n_missing} of its {len(times)} rows"
        msg = f"{source}: {what}; correct its time column, or remove it and pass --sampling-rate"
        raise InvalidRecordingError(msg)
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    if not step > 0 or not (np.abs(steps / step - 1) < 0.6).all():
        advice = f"correct it, or remove it and pass {name_option('sampling-rate')}"
        msg = f"{source}: its time column is not regular; {advice}"
        raise InvalidRecordingError(msg)
    length = float(times[-1] - times[0])
    rate = len(steps) / (length * second)
    # Times are rounded to their last digit: prefer a whole number of Hz if it fits equally well.
    line = times[0] + np.arange(len(times)) * (length / len(steps))
    rounding = 2 * float(np.abs(times - line).max()) / length + 1e-6
    return round(rate) if abs(rate - round(rate)) <= rate * rounding else rate
