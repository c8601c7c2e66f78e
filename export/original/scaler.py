"""The scaler of the original system: a mean and a scale for each time index, read from a pickle that is not run."""

import io
import math
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from export.original.errors import ScalerError

SAMPLES = 5000
_MOST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Mean and scale of each time index."""

    mean: NDArray[np.float32]
    """Millivolts, shape (SAMPLES,)."""
    scale: NDArray[np.float32]
    """Millivolts, positive, shape (SAMPLES,)."""

    def __call__(self, ecg: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale recordings of shape (..., samples).

        In a recording of `SAMPLES` samples, each time index has its own mean and scale. A recording of another length
        is scaled by the mean of the means and the mean of the scales.
        """
        mean, scale = self.mean, self.scale
        if ecg.shape[-1] != SAMPLES:
            mean, scale = (np.full(1, values.mean(), np.float32) for values in (mean, scale))
        scaled: NDArray[np.float32] = (ecg - mean) / scale
        return scaled


def read_scaler(path: Path) -> Scaler:
    """Read a StandardScaler that joblib has stored. No code in the file is run.

    Raises:
        ScalerError: The file is not a StandardScaler, or is for recordings of another length.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScalerError(path, f"cannot read the file: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise ScalerError(path, f"the file has {len(content)} bytes; a scaler has at most {_MOST_BYTES}")
    try:
        found = _Unpickler(io.BytesIO(content)).load()
        mean, scale = (_take_values(found, name) for name in ("mean_", "scale_"))
    except Exception as error:  # a hostile pickle raises any kind
        raise ScalerError(path, f"the file is not a stored StandardScaler: {error}") from error
    for name, values in (("mean_", mean), ("scale_", scale)):
        if values.shape != (SAMPLES,):
            raise ScalerError(path, f"{name} has the shape {values.shape}, expected ({SAMPLES},)")
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ScalerError(path, "mean_ must be finite, and scale_ finite and positive")
    return Scaler(mean, scale)


class _StandardScaler:
    """Stands in for scikit-learn's class: it takes the attributes and does nothing."""


class _Array:
    """Stands in for joblib's wrapper of an array. The bytes of the array follow the wrapper in the file."""

    file: BinaryIO

    def __setstate__(self, state: dict[str, object]) -> None:
        dtype, shape = state["dtype"], state["shape"]
        if not isinstance(dtype, np.dtype) or dtype.kind not in "iuf" or not isinstance(shape, tuple):
            msg = f"it has an array of type {dtype} and shape {shape}"
            raise pickle.UnpicklingError(msg)
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        content = self.file.read(math.prod(shape) * dtype.itemsize)
        self.values = np.frombuffer(content, dtype).reshape(shape)


class _Unpickler(pickle.Unpickler):
    """Knows the few names in a stored scaler, and refuses all others."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._known: dict[tuple[str, str], object] = {
            ("sklearn.preprocessing._data", "StandardScaler"): _StandardScaler,
            ("joblib.numpy_pickle", "NumpyArrayWrapper"): type("_ArrayHere", (_Array,), {"file": file}),
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            # For n_samples_seen_, which is not used.
            ("numpy.core.multiarray", "scalar"): _ignore,
            ("numpy._core.multiarray", "scalar"): _ignore,
        }

    def find_class(self, module: str, name: str) -> object:
        """Return a stand-in, or refuse."""
        if (module, name) not in self._known:
            msg = f"it asks for {module}.{name}"
            raise pickle.UnpicklingError(msg)
        return self._known[module, name]


def _ignore(*_: object) -> None:
    return None


def _take_values(found: object, name: str) -> NDArray[np.float32]:
    values = vars(found).get(name) if isinstance(found, _StandardScaler) else None
    if not isinstance(values, _Array):
        msg = f"it has no {name}"
        raise pickle.UnpicklingError(msg)
    return values.values.astype(np.float32)
