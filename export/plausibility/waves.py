"""How high P, QRS and T are in each lead: what the plausibility network learns beside the kinds.

Exchanged electrodes show in these waves, above all in P, whose direction differs least between people. They are linear:
the waves of exchanged leads are the exchanged waves.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from torch import Tensor

from export.measurements.beats import BEFORE, INDEPENDENT, Array, centre, make_median_beat
from export.plausibility.records import Records

WAVES = ("p", "qrs", "t")
_P = slice(BEFORE - 120, BEFORE - 35)
_BASELINE = slice(BEFORE - 130, BEFORE - 25)
_QRS = slice(BEFORE - 30, BEFORE + 40)
_T = slice(BEFORE + 60, BEFORE + 220)
_SMOOTHING = 10
_USUAL_MV = torch.tensor([0.05, 0.1, 0.15])
"""A usual height of each wave."""


def measure_waves(records: Records) -> NDArray[np.float32]:
    """Return the waves of records in millivolts, shape (records, 12, waves); NaN for a record without a beat."""
    waves = np.full((len(records.names), 12, len(WAVES)), np.nan, np.float32)
    for row in range(len(waves)):
        beat = make_median_beat(centre(records.signal(row)))
        if beat is not None:
            waves[row] = measure_beat(beat.millivolts)
    return waves


def measure_beat(beat: Array) -> Array:
    """Return the waves of a median beat in millivolts, shape (12, waves).

    P and T are the heights at the moment at which the heart's vector is longest, the same in all leads. QRS is a mean.

    Args:
        beat: Millivolts, shape (12, BEFORE + AFTER).
    """
    level = beat - np.median(beat[:, _BASELINE], axis=1, keepdims=True)
    smooth = uniform_filter1d(level, _SMOOTHING, axis=1)
    length = np.linalg.norm(smooth[list(INDEPENDENT)], axis=0)
    p, t = (part.start + int(length[part].argmax()) for part in (_P, _T))
    return np.stack([smooth[:, p], level[:, _QRS].mean(axis=1), smooth[:, t]], axis=1)


def to_targets(waves: Tensor) -> Tensor:
    """Return heights of waves as numbers between 0 and 1, in the same shape. No wave is 0.5.

    Args:
        waves: Millivolts, shape (..., waves).
    """
    return torch.sigmoid(waves / _USUAL_MV)
