"""Missing samples: values that are not finite numbers."""

import numpy as np
from numpy.typing import NDArray


def hold_last(samples: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return samples with the last finite value of the lead in place of each missing one.

    Args:
        samples: Shape (..., n).
        before: Finite value of each lead before the first sample, shape (..., 1).
    """
    known = np.concatenate([before, samples], axis=-1)
    places = np.where(np.isfinite(known), np.arange(known.shape[-1]), 0)
    np.maximum.accumulate(places, axis=-1, out=places)
    return np.take_along_axis(known, places, axis=-1)[..., 1:]
