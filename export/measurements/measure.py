"""What a cardiologist measures of a recording, as one row of numbers."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording import LEADS
from export.measurements.beats import BEFORE, RATE_HZ, Array, MedianBeat, make_median_beat
from export.measurements.delineation import Qrs, Waves, find_qrs, find_waves
from export.measurements.selvester import count_points

OF_LEAD = (
    "q_ms",
    "q_mv",
    "q_to_r",
    "is_qs",
    "r_mv",
    "r_ms",
    "s_mv",
    "r_to_s",
    "n_waves",
    "early_mv",
    "qrs_mv",
    "st_j_mv",
    "st_60_mv",
    "t_mv",
    "t_sign",
)
"""Measurements of each lead. The ratios a to b are a / (a + b), so that 1 stands for a QS wave, or for no S wave."""
OF_RECORDING = (
    "rate_bpm",
    "irregularity",
    "qrs_ms",
    "axis_cos",
    "axis_sin",
    "t_axis_cos",
    "t_axis_sin",
    "qrs_t_angle",
    "r_slope_v1_v6",
    "r_slope_v1_v4",
    "r_greatest_fall",
    "transition",
    "n_qs_v1_v4",
    "n_q_inferior",
    "n_q_v1_v6",
    "points_inferior",
    "points_anterior",
    "points_lateral",
    "points",
)
"""Measurements of all leads together."""
NAMES = (*(f"{lead}_{name}" for lead in LEADS for name in OF_LEAD), *OF_RECORDING)

_LEAST_LEAD_MV = 0.05
_T_SIGN_MV = 0.05
_INFERIOR, _CHEST = ("II", "III", "aVF"), ("V1", "V2", "V3", "V4", "V5", "V6")
_POINTS = {
    "points_inferior": ("II", "aVF"),
    "points_anterior": ("V1", "V2", "V3", "V4"),
    "points_lateral": ("I", "aVL", "V5", "V6"),
}


def measure(signal: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the measurements of a recording in the order of `NAMES`, shape (measurements,).

    All are NaN if no beat is found; those of a lead are NaN if the lead is flat.

    Args:
        signal: Millivolts at 500 Hz, shape (12, samples).
    """
    beat = make_median_beat(signal)
    if beat is None:
        return np.full(len(NAMES), np.nan)
    found = measure_beat(beat)
    return np.array([found[name] for name in NAMES])


def measure_beat(beat: MedianBeat) -> dict[str, float]:
    """Return the measurements of a median beat by name."""
    qrs = find_qrs(beat)
    # Twenty milliseconds before the QRS, the heart is silent.
    level = beat.millivolts[:, max(qrs.onset - 12, 0) : qrs.onset - 2].mean(axis=1, keepdims=True)
    leads = beat.millivolts - level
    waves = {lead: find_waves(leads[i], qrs, beat.noise_mv[i]) for i, lead in enumerate(LEADS)}
    end_of_t = BEFORE + min(int(0.7 * beat.interval_s * RATE_HZ), leads.shape[1] - BEFORE)
    found: dict[str, float] = {}
    for i, lead in enumerate(LEADS):
        row = _measure_lead(leads[i], qrs, waves[lead], end_of_t)
        if np.ptp(leads[i, qrs.onset : end_of_t]) < _LEAST_LEAD_MV:
            row = dict.fromkeys(row, np.nan)
        found |= {f"{lead}_{name}": value for name, value in row.items()}
    return found | _measure_together(beat, qrs, waves, found)


def _measure_lead(lead: Array, qrs: Qrs, waves: Waves, end_of_t: int) -> dict[str, float]:
    t = _find_t(lead, qrs, end_of_t)
    return {
        "q_ms": waves.q_ms,
        "q_mv": waves.q_mv,
        "q_to_r": _compute_share(waves.q_mv, waves.r_mv),
        "is_qs": float(waves.is_qs),
        "r_mv": waves.r_mv,
        "r_ms": waves.r_ms,
        "s_mv": waves.s_mv,
        "r_to_s": _compute_share(waves.r_mv, waves.s_mv),
        "n_waves": float(waves.n_waves),
        "early_mv": float(lead[qrs.onset : qrs.onset + 20].mean()),
        "qrs_mv": float(lead[qrs.onset : qrs.end + 1].mean()),
        "st_j_mv": float(lead[qrs.end - 1 : qrs.end + 2].mean()),
        "st_60_mv": float(lead[qrs.end + 26 : qrs.end + 35].mean()),
        "t_mv": t,
        "t_sign": float(np.sign(t)) if abs(t) >= _T_SIGN_MV else 0.0,
    }


def _find_t(lead: Array, qrs: Qrs, end: int) -> float:
    """Return the greatest deflection from 80 ms after the QRS on, with its sign."""
    start = min(qrs.end + 40, end - 1)
    part = lead[start:end]
    return float(part[np.abs(part).argmax()])


def _compute_share(part: float, other: float) -> float:
    return part / (part + other) if part + other > 0 else 0.0


def _measure_together(
    beat: MedianBeat, qrs: Qrs, waves: dict[str, Waves], of_leads: dict[str, float]
) -> dict[str, float]:
    axis, t_axis = (_compute_axis(of_leads, name) for name in ("qrs_mv", "t_mv"))
    r = np.array([waves[lead].r_mv for lead in _CHEST])
    points = count_points(waves)
    has_q = [lead for lead in LEADS if waves[lead].q_ms >= 30]
    return {
        "rate_bpm": 60 / beat.interval_s,
        "irregularity": beat.irregularity,
        "qrs_ms": qrs.duration_ms,
        "axis_cos": float(np.cos(axis)),
        "axis_sin": float(np.sin(axis)),
        "t_axis_cos": float(np.cos(t_axis)),
        "t_axis_sin": float(np.sin(t_axis)),
        "qrs_t_angle": float(np.abs(np.angle(np.exp(1j * (axis - t_axis))))),
        "r_slope_v1_v6": float(np.polyfit(np.arange(6), r, 1)[0]),
        "r_slope_v1_v4": float(np.polyfit(np.arange(4), r[:4], 1)[0]),
        "r_greatest_fall": float((np.maximum.accumulate(r[:4]) - r[:4]).max()),
        "transition": _find_transition(waves),
        "n_qs_v1_v4": float(sum(waves[lead].is_qs for lead in _CHEST[:4])),
        "n_q_inferior": float(sum(lead in has_q for lead in _INFERIOR)),
        "n_q_v1_v6": float(sum(lead in has_q for lead in _CHEST)),
        **{name: float(sum(points[lead] for lead in leads)) for name, leads in _POINTS.items()},
        "points": float(sum(points.values())),
    }


def _compute_axis(of_leads: dict[str, float], name: str) -> float:
    """Return the angle in the frontal plane in radians: 0 to the left, positive to the feet."""
    return float(np.arctan2(of_leads[f"aVF_{name}"] * 2 / np.sqrt(3), of_leads[f"I_{name}"]))


def _find_transition(waves: dict[str, Waves]) -> float:
    """Return the first chest lead, 1 to 6, whose R wave is as high as its Q or S wave is deep; 7 if none is."""
    for number, lead in enumerate(_CHEST, 1):
        if waves[lead].r_mv > 0 and waves[lead].r_mv >= max(waves[lead].q_mv, waves[lead].s_mv):
            return float(number)
    return 7.0


def measure_all(signals: NDArray[np.float32], report: Callable[[str], None] = lambda _: None) -> NDArray[np.float64]:
    """Return the measurements of many recordings, shape (records, measurements).

    Args:
        signals: Millivolts at 500 Hz, shape (records, 12, samples).
        report: Called with a line after each hundred recordings.
    """
    rows = np.empty((len(signals), len(NAMES)))
    for i, signal in enumerate(signals):
        rows[i] = measure(signal)
        if (i + 1) % 100 == 0:
            report(f"measured {i + 1} of {len(signals)} records")
    return rows
