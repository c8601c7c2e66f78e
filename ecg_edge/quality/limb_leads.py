"""The relations between the limb leads (Einthoven, Goldberger), and the labels with which the leads would satisfy them.

The six limb leads come from three electrodes: III = II - I, aVR = -(I + II) / 2, aVL = (I - III) / 2 and
aVF = (II + III) / 2. Wrong labels, a wrong sign or mixed units break these relations. Swapped cables do not.
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
"""Each row is one relation: its product with I, II, III, aVR, aVL and aVF is 0."""
_LIMBS = LEADS[:6]
# Cabrera's order is aVL, I, -aVR, II, aVF, III. These are the positions of I, II, III, aVR, aVL and aVF in it.
_CABRERA = (1, 3, 5, 2, 0, 4)
# Devices use Cabrera's order, so it ranks after two changed labels and before three, though it changes all six.
_CHANGES_OF_CABRERA = 2.5
# Ranks after all labellings that satisfy the relations: those change six labels at most.
_CHANGES_OF_A_MISFIT = 7


def compute_covariance(limbs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the covariance of the limb leads, shape (6, 6), mV squared.

    Args:
        limbs: Millivolts, shape (6, samples).
    """
    centred = limbs - limbs.mean(axis=1, dtype=np.float64, keepdims=True)
    found: NDArray[np.float64] = centred @ centred.T / limbs.shape[1]
    return found


def find_true_labels(covariance: NDArray[np.float64], limit_mv: float) -> dict[str, str]:
    """Return the labels with which the limb leads would satisfy the relations.

    Several orders and signs may satisfy them. The result is the one that changes the fewest labels. The relations
    cannot tell more. Cabrera's order comes before other orders that change more than two.

    Args:
        covariance: Covariance of the limb leads in the order of their present labels, shape (6, 6).
        limit_mv: Largest standard deviation of a relation's residual.

    Returns:
        The true lead by the present label, e.g. {"I": "II", "II": "I"} or {"aVR": "-aVR"}. Only wrong labels are in it.
        Empty if no labels satisfy the relations.
    """
    orders = np.array(list(permutations(range(6))))
    signs = np.array(list(product((1, -1), repeat=6)))
    # True lead i is sign[i] times given lead order[i]. Orders change the covariance, signs change the relations.
    ordered = covariance[orders[:, :, None], orders[:, None, :]].reshape(len(orders), -1)
    relations = (RELATIONS * signs[:, None, :]).reshape(-1, 6)
    squares = (relations[:, :, None] * relations[:, None, :]).reshape(len(relations), -1)
    left = (ordered @ squares.T).reshape(len(orders), len(signs), -1).max(axis=-1)
    changes = ((orders != np.arange(6))[:, None] | (signs < 0)[None]).sum(axis=-1)
    in_cabrera_order = (orders == _CABRERA).all(axis=1)
    only_avr_flipped = (signs[:, [0, 1, 2, 4, 5]] == 1).all(axis=1)
    changes = np.where(in_cabrera_order[:, None] & only_avr_flipped, _CHANGES_OF_CABRERA, changes)
    fits = left <= limit_mv**2
    if not fits.any():
        return {}
    changes = np.where(fits, changes, _CHANGES_OF_A_MISFIT)
    best = np.unravel_index(np.lexsort((left.ravel(), changes.ravel()))[0], left.shape)
    order, sign = orders[best[0]], signs[best[1]]
    return {
        _LIMBS[given]: f"{'-' if flip < 0 else ''}{true}"
        for true, given, flip in zip(_LIMBS, order, sign, strict=True)
        if _LIMBS[given] != true or flip < 0
    }
