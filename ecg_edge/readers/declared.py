"""What the caller declares about recordings whose files do not say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isclose

from ecg_edge.errors import ContradictionError, InvalidRecordingError, UndeclaredError
from ecg_edge.recording.leads import LEADS, arrangement, canonical_lead
from ecg_edge.recording.units import canonical_units

# A rate that a time column gives is as exact as its last digit.
_SAME_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Declared:
    """Sampling rate, units and leads of files that do not declare them; a file that says otherwise is an error.

    Raises:
        InvalidRecordingError: A value makes no sense.
    """

    sampling_rate: float | None = None
    """Samples per second."""
    units: str | None = None
    """mV, uV, nV or V, in any common spelling."""
    leads: tuple[str, ...] | None = None
    """Name of each channel in the order of the file; names that are of no lead stand for channels to leave out."""

    def __post_init__(self) -> None:
        """Refuse what no file could have."""
        if self.sampling_rate is not None and not 0 < self.sampling_rate < inf:
            msg = f"the sampling rate must be a positive number of Hz, found {self.sampling_rate}"
            raise InvalidRecordingError(msg)
        if self.units is not None:
            object.__setattr__(self, "units", canonical_units(self.units))
        if self.leads is not None:
            object.__setattr__(self, "leads", tuple(self.leads))
            arrangement(self.leads)

    def rate_of(self, source: str, found: float | None) -> float:
        """Return the rate of a file that itself declares `found`.

        Raises:
            ContradictionError: Both are there and differ.
            UndeclaredError: Neither is there.
        """
        if found is None and self.sampling_rate is None:
            raise UndeclaredError(source, "sampling rate", "sampling-rate")
        if found is None or self.sampling_rate is None:
            return float(found or self.sampling_rate or 0)
        if not isclose(found, self.sampling_rate, rel_tol=_SAME_RATE):
            raise ContradictionError(source, "sampling-rate", f"{found:g} Hz", f"{self.sampling_rate:g}")
        return found

    def units_of(self, source: str, found: str | None) -> str:
        """Return the units of a file, or of one channel of it, that itself declares `found`.

        Raises:
            UnitsError: The file states a unit that is not a voltage unit.
            ContradictionError: Both are there and differ.
            UndeclaredError: Neither is there.
        """
        stated = canonical_units(found) if found and found.strip() else None
        if stated is None and self.units is None:
            raise UndeclaredError(source, "units", "units")
        if stated and self.units and stated != self.units:
            raise ContradictionError(source, "units", stated, self.units)
        return stated or self.units or ""

    def leads_of(self, source: str, found: Sequence[str] | None) -> tuple[str, ...]:
        """Return the names of a file's channels, where the file itself names them `found`; `LEADS` if nobody does.

        Raises:
            ContradictionError: Both are there and differ in number or in a lead.
        """
        if self.leads is None or found is None:
            return self.leads or tuple(found or LEADS)
        if len(found) != len(self.leads):
            raise ContradictionError(source, "leads", f"{len(found)} channels", f"{len(self.leads)}")
        for theirs, ours in zip(found, self.leads, strict=True):
            if canonical_lead(theirs) not in {None, canonical_lead(ours)}:
                raise ContradictionError(source, "leads", theirs, ours)
        return self.leads


NOTHING = Declared()
