"""A 12-lead recording."""

import os
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import WrongShapeError, WrongTypeError
from ecg_edge.findings import Note
from ecg_edge.recording.arguments import check_leads, check_rate, check_signal
from ecg_edge.recording.leads import LEADS, Arrangement, find_arrangement
from ecg_edge.recording.saving import write_npy
from ecg_edge.recording.units import IN_MILLIVOLTS, canonical_units

__all__ = ["LEADS", "Recording", "Samples"]


class Samples(Protocol):
    """A signal that is read in parts, because it may be too large for memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of samples."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Data type of the samples."""

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return samples `start` to `stop`, shape (rows, stop - start); safe to call from several threads.

        Raises:
            EcgEdgeError: The samples can no longer be read.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The twelve leads of one patient, or at least I, II and V1 to V6, from which the others are derived.

    Raises:
        WrongShapeError: The shape of `signal` is not (leads, samples).
        WrongTypeError: `signal` does not hold real numbers.
        MissingLeadsError: `leads` lacks some of I, II and V1 to V6.
        RepeatedLeadError: `leads` names a lead twice.
        UnitsError: `units` is not a voltage unit.
        InvalidRecordingError: `sampling_rate` is not a positive number, `leads` is one text, or `signal` is masked or a
            table.
    """

    signal: NDArray[np.generic] | Samples
    """Any real data type, shape (leads, samples); not copied."""
    sampling_rate: float = 500.0
    """Samples per second."""
    leads: tuple[str, ...] = LEADS
    """Name of each row of `signal`, in any common spelling and order; rows whose name is not a lead are skipped."""
    units: str = "mV"
    """Unit of `signal`: mV, uV, nV or V, in any common spelling."""
    name: str = "recording"
    """Name in findings."""
    source: str = ""
    """Where the recording is stored, e.g. a path."""
    notes: tuple[Note, ...] = ()
    """What its reader warns of, for the warnings of its finding."""
    _arrangement: Arrangement = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the fields and store their canonical form."""
        signal, leads = _read_only(self.signal), check_leads(self.leads)
        if signal.dtype.kind not in "iuf":
            raise WrongTypeError(str(signal.dtype))
        if len(signal.shape) != 2 or signal.shape[0] != len(leads) or signal.shape[1] == 0:
            raise WrongShapeError(signal.shape, len(leads))
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "sampling_rate", check_rate(self.sampling_rate))
        object.__setattr__(self, "leads", leads)
        object.__setattr__(self, "units", canonical_units(self.units))
        object.__setattr__(self, "_arrangement", find_arrangement(leads))

    @property
    def samples(self) -> int:
        """Number of samples per lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.sampling_rate

    def row_of(self, lead: str) -> int:
        """Return the row of `signal` that is one of `LEADS`.

        Raises:
            KeyError: The lead has no row: it is derived from I and II.
        """
        row = self._arrangement.rows[LEADS.index(lead)]
        if row is None:
            raise KeyError(lead)
        return row

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the twelve leads in millivolts as float32 to an .npy, with a sidecar that states what they are.

        The sidecar is the .json of the same name, with sampling rate, units, leads and length. `read_recording` reads
        it with the .npy.

        Args:
            path: Ends in ".npy".

        Raises:
            ValueError: The path has another ending, or the .json beside it is not a sidecar.
            OSError: A file cannot be written, or the samples are on disk and can no longer be read.
        """
        write_npy(path, self.samples, self.sampling_rate, self.stretch)

    def stretch(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` of the twelve leads in millivolts, contiguous float32, shape (12, n).

        A number beyond the range of float32 becomes infinity; the detector reports samples that are not finite.

        Raises:
            EcgEdgeError: The samples are on disk and can no longer be read.
        """
        raw = self.signal[:, start:stop] if isinstance(self.signal, np.ndarray) else self.signal.read(start, stop)
        with np.errstate(over="ignore", invalid="ignore"):
            part = self._arrangement.apply(raw)
            return part if self.units == "mV" else part * np.float32(IN_MILLIVOLTS[self.units])


def _read_only(signal: NDArray[np.generic] | Samples) -> NDArray[np.generic] | Samples:
    if hasattr(signal, "read"):
        return signal
    array = check_signal(signal).view()
    array.flags.writeable = False
    return array
