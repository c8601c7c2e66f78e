"""A 12-lead recording as every other part sees it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, WrongShapeError, WrongTypeError

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Twelve leads of one patient.

    Raises:
        WrongShapeError: `signal` is not 12 leads by samples.
        WrongTypeError: `signal` does not hold real numbers.
        InvalidRecordingError: `sampling_rate` is not a positive number, or `signal` is masked.
    """

    signal: NDArray[np.generic]
    """Millivolts, any real data type, shape (12, samples), leads in the order of `LEADS`; not copied."""
    sampling_rate: float = 500.0
    """Samples per second."""
    name: str = "recording"
    """What findings call it."""
    source: str = ""
    """Where it came from, e.g. a path."""

    def __post_init__(self) -> None:
        """Refuse what cannot be a recording."""
        if np.ma.isMaskedArray(self.signal):
            msg = "the signal is a masked array; fill or cut the samples that are missing"
            raise InvalidRecordingError(msg)
        signal = np.asanyarray(self.signal).view()
        signal.flags.writeable = False
        if signal.dtype.kind not in "iuf":
            raise WrongTypeError(str(signal.dtype))
        if signal.ndim != 2 or signal.shape[0] != len(LEADS) or signal.shape[1] == 0:
            raise WrongShapeError(signal.shape)
        if not 0 < self.sampling_rate < np.inf:
            msg = f"the sampling rate must be a positive number of Hz, found {self.sampling_rate}"
            raise InvalidRecordingError(msg)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "sampling_rate", float(self.sampling_rate))

    @property
    def samples(self) -> int:
        """Samples of each lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sampling_rate

    def stretch(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` as contiguous float32 millivolts, shape (12, stop - start).

        A number beyond float32 becomes infinity; the detector finds what is not finite.
        """
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(self.signal[:, start:stop], np.float32)
