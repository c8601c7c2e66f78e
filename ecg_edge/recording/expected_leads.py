"""What some leads let expect of the others in an ECG without infarction.

The six limb leads are two signals, so one of them alone cannot be replaced: the other five would still show it. A limb
lead is a direction in the frontal plane. So what lies along this direction is replaced, and what is perpendicular to it
is kept. All six limb leads follow from the two.
"""

from collections.abc import Collection
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording.leads import DERIVED, LEADS

INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The leads that do not follow from others."""
COVARIANCE = np.array(
    [
        [0.0504, 0.0140, -0.0184, -0.0069, 0.0076, 0.0220, 0.0275, 0.0227],
        [0.0140, 0.0279, -0.0142, -0.0052, 0.0143, 0.0301, 0.0306, 0.0242],
        [-0.0184, -0.0142, 0.0472, 0.0468, 0.0244, -0.0056, -0.0235, -0.0235],
        [-0.0069, -0.0052, 0.0468, 0.1116, 0.0752, 0.0303, -0.0060, -0.0150],
        [0.0076, 0.0143, 0.0244, 0.0752, 0.1076, 0.0649, 0.0278, 0.0112],
        [0.0220, 0.0301, -0.0056, 0.0303, 0.0649, 0.0934, 0.0594, 0.0386],
        [0.0275, 0.0306, -0.0235, -0.0060, 0.0278, 0.0594, 0.0757, 0.0489],
        [0.0227, 0.0242, -0.0235, -0.0150, 0.0112, 0.0386, 0.0489, 0.0533],
    ]
)
"""Mean covariance of `INDEPENDENT` in 1349 records without infarction, each lead about its median, mV squared.
`python -m benchmarks.explain DATA --covariance` prints it."""
_PERPENDICULAR = {"I": "aVF", "aVF": "I", "II": "aVL", "aVL": "II", "III": "aVR", "aVR": "III"}
_LIMBS, _CHEST = LEADS[:6], LEADS[6:]


def _write_in_independent() -> NDArray[np.float64]:
    """Return the factors of `INDEPENDENT` that give each of the twelve leads, shape (12, 8)."""
    factors = np.zeros((len(LEADS), len(INDEPENDENT)))
    for column, lead in enumerate(INDEPENDENT):
        factors[LEADS.index(lead), column] = 1
    for lead, of_first_and_second in DERIVED.items():
        factors[LEADS.index(lead), :2] = of_first_and_second
    return factors


_FACTORS = _write_in_independent()


@cache
def make_replacement(limb: str | None, chest: frozenset[str], lost: frozenset[str]) -> NDArray[np.float32]:
    """Return the matrix that replaces leads by what the other leads let expect.

    The product with a signal of the twelve leads is the signal with the leads replaced. The matrix holds for each
    sample alone, so a stretch of a recording is replaced as the whole is. Offsets of leads only add offsets.

    Args:
        limb: Limb lead whose direction is replaced; None leaves the limb leads as they are.
        chest: Chest leads that are replaced.
        lost: Leads without a signal. They are neither replaced nor used.

    Returns:
        Shape (12, 12).
    """
    limb = None if limb in lost else limb
    axis = limb or "I"
    basis_leads = (axis, _PERPENDICULAR[axis], *_CHEST)
    basis = _list_factors(basis_leads)
    replaced = np.array([lead == limb or lead in chest - lost for lead in basis_leads])
    usable = np.array([lead not in lost for lead in basis_leads])
    kept = basis[~replaced & usable]
    weights = basis[replaced] @ COVARIANCE @ kept.T @ np.linalg.pinv(kept @ COVARIANCE @ kept.T)
    filled = basis.copy()
    filled[replaced] = weights @ kept
    of_independent = _FACTORS @ np.linalg.solve(basis, filled)
    matrix = np.zeros((len(LEADS), len(LEADS)))
    matrix[:, [LEADS.index(lead) for lead in INDEPENDENT]] = of_independent
    unchanged = (chest ^ set(_CHEST)) | lost | (set() if limb else set(_LIMBS))
    rows = [LEADS.index(lead) for lead in unchanged]
    matrix[rows] = np.eye(len(LEADS))[rows]
    return matrix.astype(np.float32)


def _list_factors(leads: Collection[str]) -> NDArray[np.float64]:
    return _FACTORS[[LEADS.index(lead) for lead in leads]]
