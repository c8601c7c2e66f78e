"""Points for Q waves and lost R waves by lead, after the idea of the QRS score of Selvester and Wagner.

The limits are those of the simplified score as far as the waves that are measured here allow. It is not the published
score: criteria for notches, for posterior infarctions and for conduction blocks are left out.
"""

from collections.abc import Mapping

from export.measurements.delineation import Waves

# Points for a Q wave that lasts so many milliseconds; the first limit that is reached counts.
_Q_MS: dict[str, tuple[tuple[float, int], ...]] = {
    "I": ((30, 1),),
    "II": ((40, 2), (30, 1)),
    "aVL": ((30, 1),),
    "aVF": ((50, 3), (40, 2), (30, 1)),
    "V1": ((8, 1),),
    "V2": ((8, 1),),
    "V3": ((8, 1),),
    "V4": ((20, 1),),
    "V5": ((30, 1),),
    "V6": ((30, 1),),
}
# Points for an R wave that is so many times the Q wave, or in V4 to V6 the S wave, or less.
_R_RATIO: dict[str, tuple[tuple[float, int], ...]] = {
    "I": ((1, 1),),
    "aVL": ((1, 1),),
    "aVF": ((1, 2), (2, 1)),
    "V4": ((0.5, 2), (1, 1)),
    "V5": ((1, 2), (2, 1)),
    "V6": ((1, 2), (3, 1)),
}
_CHEST = frozenset({"V4", "V5", "V6"})
# Points for an R wave of so many millivolts or less.
_R_MV = {"V2": 0.1, "V3": 0.2}


def count_points(waves: Mapping[str, Waves]) -> dict[str, int]:
    """Return the points of each lead that has criteria.

    Args:
        waves: Of each lead by name.
    """
    return {lead: _count(lead, waves[lead]) for lead in _Q_MS}


def _count(lead: str, waves: Waves) -> int:
    points = next((points for limit, points in _Q_MS[lead] if waves.q_ms >= limit), 0)
    other = max(waves.q_mv, waves.s_mv) if lead in _CHEST else waves.q_mv
    if other > 0:
        points += next((more for limit, more in _R_RATIO.get(lead, ()) if waves.r_mv <= limit * other), 0)
    if points == 0 and waves.r_mv <= _R_MV.get(lead, -1):
        points = 1
    return points
