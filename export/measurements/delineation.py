"""Where the QRS of a median beat begins and ends, and the waves of each lead in it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import uniform_filter1d

from export.measurements.beats import BEFORE, INDEPENDENT, RATE_HZ, Array, MedianBeat

MS = 1000 / RATE_HZ
_EARLIEST, _LATEST = 75, 90
_ONSET_SHARE, _END_SHARE = 0.05, 0.06
_CALM_SAMPLES = 8
_OVER_NOISE = 2.0
_LEAST_MV = 0.03
_LEAST_OVER_NOISE = 4.0
_LEAST_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Qrs:
    """Samples of a median beat."""

    onset: int
    end: int
    """The J point."""

    @property
    def duration_ms(self) -> float:
        """Time from onset to end."""
        return (self.end - self.onset) * MS


@dataclass(frozen=True, slots=True)
class Waves:
    """Waves of one lead. A wave that is not there has the amplitude 0 and the duration 0."""

    q_mv: float
    """Depth of the negative wave before the first positive one, or of the QS wave; positive."""
    q_ms: float
    r_mv: float
    """Height of the highest positive wave."""
    r_ms: float
    s_mv: float
    """Depth of the deepest negative wave after a positive one; positive."""
    n_waves: int
    is_qs: bool
    """Whether there is a negative wave and no positive one."""


def find_qrs(beat: MedianBeat) -> Qrs:
    """Return where the QRS of all leads together begins and ends.

    It is where the leads change faster than a twentieth of the fastest change, and faster than the noise.
    """
    # A lead that is noisier than the others would hide the ends.
    quiet = beat.noise_mv[list(INDEPENDENT)] <= 3 * np.median(beat.noise_mv[list(INDEPENDENT)])
    leads = beat.millivolts[list(INDEPENDENT)][quiet]
    speed = uniform_filter1d(np.sqrt((np.gradient(leads, axis=1) ** 2).sum(axis=0)), 5)
    floor = _OVER_NOISE * np.percentile(speed, 15)
    near = speed[BEFORE - _EARLIEST : BEFORE + _LATEST]
    fastest = near[_EARLIEST - 30 : _EARLIEST + 30].max()
    before, after = near[: _EARLIEST - 5][::-1], near[_EARLIEST + 5 :]
    onset = BEFORE - 5 - _find_calm(before, max(_ONSET_SHARE * fastest, floor))
    end = BEFORE + 5 + _find_calm(after, max(_END_SHARE * fastest, floor))
    return Qrs(onset, end)


def _find_calm(speed: Array, limit: float) -> int:
    """Return the first sample from which on the speed stays below a limit for a while, or else the slowest sample.

    The speed is low for a moment at the tip of each wave, too.
    """
    fastest_soon = np.lib.stride_tricks.sliding_window_view(speed, _CALM_SAMPLES).max(axis=1)
    calm = np.flatnonzero(fastest_soon < limit)
    return int(calm[0]) if len(calm) else int(fastest_soon.argmin())


def find_waves(lead: Array, qrs: Qrs, noise_mv: float) -> Waves:
    """Return the waves of a lead.

    Args:
        lead: Millivolts from the level before the QRS, shape (samples,).
        qrs: Onset and end.
        noise_mv: Standard error of the lead. A wave must rise above it.
    """
    inside = lead[qrs.onset : qrs.end + 1]
    least = max(_LEAST_MV, _LEAST_OVER_NOISE * noise_mv)
    changes = np.flatnonzero(np.diff(np.signbit(inside))) + 1
    runs = [inside[start:stop] for start, stop in pairwise([0, *changes.tolist(), len(inside)])]
    # What does not rise above the J point at the end of the QRS is a part of the ST segment.
    waves = [run for run in runs if _is_wave(run, least, _get_end_level(run, inside))]
    positive = [run for run in waves if run[0] >= 0]
    first = next((i for i, run in enumerate(waves) if run[0] >= 0), len(waves))
    q = _find_greatest(waves[:first])
    r, s = _find_greatest(positive), _find_greatest([run for run in waves[first:] if run[0] < 0])
    return Waves(*_measure(q), *_measure(r), _measure(s)[0], len(waves), bool(waves) and not positive)


def _get_end_level(run: Array, inside: Array) -> float:
    return abs(float(inside[-1])) if run[-1] == inside[-1] else 0.0


def _is_wave(run: Array, least: float, end_level: float) -> bool:
    return len(run) >= _LEAST_SAMPLES and float(np.abs(run).max()) - end_level >= least


def _find_greatest(runs: list[Array]) -> Array:
    return max(runs, key=lambda run: float(np.abs(run).max()), default=np.empty(0))


def _measure(run: Array) -> tuple[float, float]:
    """Return the amplitude in mV and the duration in ms at a tenth of the amplitude."""
    if len(run) == 0:
        return 0.0, 0.0
    size = np.abs(run)
    inside = np.flatnonzero(size >= 0.1 * size.max())
    return float(size.max()), float(inside[-1] - inside[0] + 1) * MS
