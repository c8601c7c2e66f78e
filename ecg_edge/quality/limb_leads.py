"""Einthoven's and Goldberger's relations between the limb leads, and which labels would mend them.

The six limb leads come from three electrodes: III = II - I, aVR = -(I + II) / 2, aVL = (I - III) / 2 and
aVF = (II + III) / 2. Wrong labels, a wrong sign or a mixed unit break them; swapped cables do not.
"""

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording.leads import LEADS

RELATIONS = np.array(
    [
        [1, -1, 1, 0, 0, 0],
        [0.5, 0.5, 0, 1, 0, 0],
        [-0.5, 0, 0.5, 0, 1, 0],
        [0, -0.5, -0.5, 0, 0, 1],
    ]
)
"""Each row times I, II, III, aVR, aVL and aVF is 0."""
_LIMBS = LEADS[:6]
# Where I, II, III, aVR, aVL and aVF stand in aVL, I, -aVR, II, aVF, III.
_CABRERA = (1, 3, 5, 2, 0, 4)


def covariance(limbs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the covariance of the limb leads, shape (6, 6), mV squared.

    Args:
        limbs: Millivolts, shape (6, samples).
    """
    centred = limbs - limbs.mean(axis=1, dtype=np.float64, keepdims=True)
    found: NDArray[np.float64] = centred @ centred.T / limbs.shape[1]
    return found


def mended_labels(covariance: NDArray[np.float64], limit_mv: float) -> dict[str, str]:
    """Return what the leads that are called I, II ... really are, where that would mend the relations.

    Of all orders and signs that leave at most `limit_mv` over, the one that changes the fewest labels; the relations
    cannot tell more. Cabrera's order, which is in use, comes before others that change more than two.

    Args:
        covariance: Of the limb leads as they are labelled, shape (6, 6).
        limit_mv: Largest standard deviation that a relation may leave over.

    Returns:
        The true lead by the name it goes under, e.g. {"I": "II", "II": "I"} or {"aVR": "-aVR"}; empty where none fits.
    """
    orders = np.array(list(permutations(range(6))))
    signs = np.array(list(product((1, -1), repeat=6)))
    # True lead i is sign[i] x given lead order[i]: for each order the covariance of those, for each sign the relations.
    ordered = covariance[orders[:, :, None], orders[:, None, :]].reshape(len(orders), -1)
    relations = (RELATIONS * signs[:, None, :]).reshape(-1, 6)
    squares = (relations[:, :, None] * relations[:, None, :]).reshape(len(relations), -1)
    left = (ordered @ squares.T).reshape(len(orders), len(signs), -1).max(axis=-1)
    changes = ((orders != np.arange(6))[:, None] | (signs < 0)[None]).sum(axis=-1)
    cabrera = (orders == _CABRERA).all(axis=1)
    changes = np.where(cabrera[:, None] & (signs == 1)[:, [0, 1, 2, 4, 5]].all(axis=1), 2.5, changes)
    fits = left <= limit_mv**2
    if not fits.any():
        return {}
    best = np.unravel_index(np.lexsort((left.ravel(), np.where(fits, changes, 7).ravel()))[0], left.shape)
    order, sign = orders[best[0]], signs[best[1]]
    return {
        _LIMBS[given]: f"{'-' if flip < 0 else ''}{true}"
        for true, given, flip in zip(_LIMBS, order, sign, strict=True)
        if _LIMBS[given] != true or flip < 0
    }
