"""What the caller states about files that do not state it themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isclose, isfinite

from ecg_edge.errors import ContradictionError, InvalidRecordingError, UndeclaredError, UnitsError
from ecg_edge.recording.arguments import check_leads, check_rate
from ecg_edge.recording.leads import LEADS, canonical_lead, find_arrangement
from ecg_edge.recording.units import IN_MILLIVOLTS, canonical_units

# A rate that is computed from a time column is as exact as the last digit of the times.
_SAME_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Declared:
    """Sampling rate, units and leads of files that do not state them; a file that states something else is rejected.

    Raises:
        InvalidRecordingError: The sampling rate is not positive and finite, the unit is not a voltage unit, or leads
            are missing or repeated.
    """

    sampling_rate: float | None = None
    """Samples per second."""
    units: str | None = None
    """mV, uV, nV or V, in any common spelling."""
    leads: tuple[str, ...] | None = None
    """Channel names in file order; any name that is not a lead skips that channel."""
    gain: float | None = None
    """Converter steps per millivolt of leads that are not calibrated."""

    def __post_init__(self) -> None:
        """Check the values and store their canonical form."""
        if self.sampling_rate is not None:
            check_rate(self.sampling_rate)
        if self.gain is not None and not (isfinite(self.gain) and self.gain):
            msg = f"the gain must be a number of steps per millivolt, and not 0, found {self.gain}"
            raise InvalidRecordingError(msg)
        if self.units is not None:
            object.__setattr__(self, "units", canonical_units(self.units))
        if self.leads is not None:
            object.__setattr__(self, "leads", check_leads(self.leads))
            find_arrangement(self.leads)

    def rate_of(self, source: str, found: float | None) -> float:
        """Return the sampling rate of a file in Hz.

        Args:
            source: Name of the file in error messages.
            found: Rate that the file states; None if it states none, or none that can be understood.

        Raises:
            ContradictionError: The file and the caller state different values.
            UndeclaredError: Neither the file nor the caller states it.
        """
        found = found if found and 0 < found < inf else None
        if found is None and self.sampling_rate is None:
            raise UndeclaredError(source, "sampling rate", "sampling-rate")
        if found is None or self.sampling_rate is None:
            return float(found or self.sampling_rate or 0)
        if not isclose(found, self.sampling_rate, rel_tol=_SAME_RATE):
            raise ContradictionError(source, "sampling-rate", f"{found:g} Hz", f"{self.sampling_rate:g}")
        return found

    def units_of(self, source: str, found: str | None) -> str:
        """Return the units of a file or of one of its channels.

        Args:
            source: Name of the file in error messages.
            found: Unit that the file states; None or blank if it states none.

        Raises:
            UnitsError: The file states something that is not a voltage unit, and the caller states nothing.
            ContradictionError: The file and the caller state different values.
            UndeclaredError: Neither the file nor the caller states it.
        """
        stated = None
        if found and found.strip("\0 "):
            try:
                stated = canonical_units(found)
            except UnitsError as error:
                # What is not understood is not a statement: then the caller decides.
                if self.units is None:
                    raise UnitsError(found, tuple(IN_MILLIVOLTS), source) from error
        if stated is None and self.units is None:
            raise UndeclaredError(source, "units", "units")
        if stated and self.units and stated != self.units:
            raise ContradictionError(source, "units", stated, self.units)
        return stated or self.units or ""

    def gain_of(self, source: str, lead: str) -> float:
        """Return the converter steps per millivolt of a lead that the file does not calibrate.

        Args:
            source: Name of the file in error messages.
            lead: Name of the lead in error messages.

        Raises:
            UndeclaredError: The caller does not state it either.
        """
        if self.gain is None:
            raise UndeclaredError(source, f"calibration: the gain of {lead} is 0 or missing", "gain")
        return self.gain

    def leads_of(self, source: str, found: Sequence[str] | None) -> tuple[str, ...]:
        """Return the channel names of a file; `LEADS` if neither the file nor the caller names them.

        Args:
            source: Name of the file in error messages.
            found: Names that the file states, if any.

        Raises:
            ContradictionError: The file and the caller state different numbers of channels or different leads.
        """
        if self.leads is None or found is None:
            return self.leads or tuple(found or LEADS)
        if len(found) != len(self.leads):
            raise ContradictionError(source, "leads", f"{len(found)} channels", f"{len(self.leads)}")
        for in_file, stated in zip(found, self.leads, strict=True):
            if canonical_lead(in_file) not in {None, canonical_lead(stated)}:
                raise ContradictionError(source, "leads", in_file, stated)
        return self.leads


NOTHING = Declared()
