"""A 12-lead recording as every other part sees it."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, WrongShapeError, WrongTypeError
from ecg_edge.recording.leads import LEADS, Arrangement, arrangement
from ecg_edge.recording.units import IN_MILLIVOLTS, canonical_units

__all__ = ["LEADS", "Recording", "Samples"]


class Samples(Protocol):
    """A signal that is read stretch by stretch, because it may be too long for the memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and samples."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the samples."""

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return samples `start` to `stop`, shape (rows, stop - start); safe to call from several threads.

        Raises:
            EcgEdgeError: They cannot be read any more.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Twelve leads of one patient, or as many as they can be derived from.

    Raises:
        WrongShapeError: `signal` is not leads by samples.
        WrongTypeError: `signal` does not hold real numbers.
        MissingLeadsError: `leads` lacks some of I, II and V1 to V6.
        RepeatedLeadError: `leads` has one twice.
        UnitsError: `units` is not a voltage unit.
        InvalidRecordingError: `sampling_rate` is not a positive number, or `signal` is masked.
    """

    signal: NDArray[np.generic] | Samples
    """Any real data type, shape (leads, samples); not copied."""
    sampling_rate: float = 500.0
    """Samples per second."""
    leads: tuple[str, ...] = LEADS
    """Name of each row of `signal`, in any common spelling and order; rows that are none of `LEADS` are left out."""
    units: str = "mV"
    """Unit of `signal`: mV, uV, nV or V, in any common spelling."""
    name: str = "recording"
    """What findings call it."""
    source: str = ""
    """Where it came from, e.g. a path."""
    _arrangement: Arrangement = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be a recording."""
        signal, leads = _read_only(self.signal), tuple(self.leads)
        if signal.dtype.kind not in "iuf":
            raise WrongTypeError(str(signal.dtype))
        if len(signal.shape) != 2 or signal.shape[0] != len(leads) or signal.shape[1] == 0:
            raise WrongShapeError(signal.shape, len(leads))
        if not 0 < self.sampling_rate < np.inf:
            msg = f"the sampling rate must be a positive number of Hz, found {self.sampling_rate}"
            raise InvalidRecordingError(msg)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "sampling_rate", float(self.sampling_rate))
        object.__setattr__(self, "leads", leads)
        object.__setattr__(self, "units", canonical_units(self.units))
        object.__setattr__(self, "_arrangement", arrangement(leads))

    @property
    def samples(self) -> int:
        """Samples of each lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sampling_rate

    def stretch(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` of the twelve leads in millivolts, contiguous float32, shape (12, n).

        A number beyond float32 becomes infinity; the detector finds what is not finite.

        Raises:
            EcgEdgeError: It is on disk and cannot be read any more.
        """
        raw = self.signal[:, start:stop] if isinstance(self.signal, np.ndarray) else self.signal.read(start, stop)
        with np.errstate(over="ignore", invalid="ignore"):
            part = self._arrangement.apply(raw)
            return part if self.units == "mV" else part * np.float32(IN_MILLIVOLTS[self.units])


def _read_only(signal: NDArray[np.generic] | Samples) -> NDArray[np.generic] | Samples:
    if hasattr(signal, "read"):
        return signal
    # Asking numpy.ma itself would import it, which costs more than the answer to a recording.
    if hasattr(signal, "mask"):
        msg = "the signal is a masked array; fill or cut the samples that are missing"
        raise InvalidRecordingError(msg)
    array = np.asanyarray(signal).view()
    array.flags.writeable = False
    return array
