"""Find the channels of a file that are leads, and the factors that convert them to millivolts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.declared import Declared
from ecg_edge.recording.leads import LEADS, find_arrangement
from ecg_edge.recording.units import IN_MILLIVOLTS


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of a file that are leads, in the order of `LEADS`."""

    rows: tuple[int, ...]
    """Index of each lead among the channels of the file."""
    leads: tuple[str, ...]
    """Name of each lead, as in `LEADS`."""
    millivolts: NDArray[np.float64]
    """Millivolts of the unit of each lead, or of a step of its converter, shape (leads, 1)."""


def find_channels(source: str, names: Sequence[str], units: Sequence[str | None], declared: Declared) -> Channels:
    """Find the leads among the channels of a file that names them.

    Args:
        source: Name of the file in error messages.
        names: Names of all channels, in file order.
        units: Units of all channels; None or blank where the file does not state them.
        declared: What the caller states.

    Raises:
        InvalidRecordingError: Leads or units are missing or wrong, or contradict the caller.
    """
    rows = find_arrangement(declared.leads_of(source, names)).rows
    found = [(row, lead) for row, lead in zip(rows, LEADS, strict=True) if row is not None]
    scale = [IN_MILLIVOLTS[declared.units_of(source, units[row])] for row, _ in found]
    return Channels(
        tuple(row for row, _ in found), tuple(lead for _, lead in found), np.array(scale, np.float64)[:, None]
    )


def find_calibrated_channels(
    source: str,
    names: Sequence[str],
    units: Sequence[str | None],
    steps: Sequence[float | None],
    declared: Declared,
) -> Channels:
    """Find the leads among channels of converter steps, and the millivolts of a step of each.

    Args:
        source: Name of the file in error messages.
        names: Names of all channels, in file order.
        units: Units of all channels; None or blank where the file does not state them.
        steps: Value of a step of each channel in its unit; None or 0 where the file does not calibrate it.
        declared: What the caller states.

    Raises:
        InvalidRecordingError: Leads, units or calibrations are missing or wrong, or contradict the caller.
        UnreadableError: A calibration is not finite.
    """
    # The caller states the gain per millivolt, so a unit says nothing about a lead that has its calibration from there.
    known = [unit if step else declared.units or "mV" for unit, step in zip(units, steps, strict=True)]
    channels = find_channels(source, names, known, declared)
    millivolts = []
    for row, lead, unit in zip(channels.rows, channels.leads, channels.millivolts[:, 0], strict=True):
        step = steps[row]
        if step and not isfinite(step):
            raise UnreadableError(source, f"has a calibration of the lead {lead} that is not a finite number")
        millivolts.append(step * unit if step else 1 / declared.gain_of(source, lead))
    return replace(channels, millivolts=np.array(millivolts, np.float64)[:, None])
