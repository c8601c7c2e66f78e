"""What is read from a vendor's file, and how it becomes a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.findings import Note
from ecg_edge.readers.channels import find_calibrated_channels
from ecg_edge.readers.declared import Declared
from ecg_edge.recording import Recording

# Samples of all leads together; 12 leads of 1000 Hz reach it after 23 minutes.
_MOST_SAMPLES = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class VendorLead:
    """One lead of the rhythm, in the steps of the file."""

    name: str
    """Name in the file."""
    samples: NDArray[np.float64]
    """Steps of the converter, shape (samples,)."""
    step: float | None
    """Value of one step, in `units`; None or 0 if the file does not state it."""
    zero: float
    """Value of the sample 0, in `units`."""
    units: str | None
    """Unit that the file states; None if it states none."""
    rate: float | None = None
    """Samples per second; None if the file does not state it."""
    first: int = 0
    """Sample of the recording that the lead begins at."""
    fault: str = ""
    """What the file says against the lead, for example that it was disconnected."""


def make_recording(
    leads: Sequence[VendorLead], notes: tuple[Note, ...], name: str, source: str, declared: Declared
) -> Recording:
    """Make a recording of the leads of a file, in millivolts.

    Args:
        leads: All channels of the rhythm, in file order.
        notes: What to warn of.
        name: Name of the recording.
        source: Name of the file in error messages.
        declared: What the caller states.

    Raises:
        InvalidRecordingError: Leads, units, calibration or rate are missing, or contradict the caller, or the leads
            were not recorded at the same time.
        UnreadableError: The leads are larger than a vendor's file may be.
    """
    names, units = [lead.name for lead in leads], [lead.units for lead in leads]
    channels = find_calibrated_channels(source, names, units, [lead.step for lead in leads], declared)
    chosen = [leads[row] for row in channels.rows]
    _check(chosen, source)
    signal = np.empty((len(chosen), len(chosen[0].samples)), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # values beyond float32 are missing samples
        for row, (lead, millivolts) in enumerate(zip(chosen, channels.millivolts[:, 0], strict=True)):
            signal[row] = (lead.samples + (lead.zero / lead.step if lead.step else 0.0)) * millivolts
    return Recording(signal, declared.rate_of(source, chosen[0].rate), channels.leads, "mV", name, source, notes)


def _check(leads: Sequence[VendorLead], source: str) -> None:
    faulty = next((lead for lead in leads if lead.fault), None)
    if faulty is not None:
        msg = f"{source}: states that the lead {faulty.name} is {faulty.fault}"
        raise InvalidRecordingError(msg)
    if len({lead.rate for lead in leads}) > 1:
        msg = f"{source}: its leads have different sampling rates; export all leads at the same rate"
        raise InvalidRecordingError(msg)
    lengths = sorted({len(lead.samples) for lead in leads})
    if len(lengths) > 1:
        msg = f"{source}: its leads have different lengths, {lengths[0]} to {lengths[-1]} samples"
        raise InvalidRecordingError(msg)
    if len({lead.first for lead in leads}) > 1:
        msg = f"{source}: its leads were not recorded at the same time"
        raise InvalidRecordingError(msg)
    if any(lead.samples.ndim != 1 for lead in leads) or not lengths[0]:
        raise UnreadableError(source, "does not hold samples of its leads")
    if lengths[0] * len(leads) > _MOST_SAMPLES:
        raise UnreadableError(source, f"has {lengths[0]} samples of {len(leads)} leads, too many for this format")
