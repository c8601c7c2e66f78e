"""Which channels of a file are the leads, and what turns their numbers into millivolts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.readers.declared import Declared
from ecg_edge.recording.leads import LEADS, arrangement
from ecg_edge.recording.units import IN_MILLIVOLTS


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of a file that are leads, in the order of `LEADS`."""

    rows: tuple[int, ...]
    """Place of each among the file's channels."""
    leads: tuple[str, ...]
    """Name of each in `LEADS`."""
    millivolts: NDArray[np.float64]
    """What one unit of each is in millivolts, shape (channels, 1)."""


def find_channels(source: str, names: Sequence[str], units: Sequence[str | None], declared: Declared) -> Channels:
    """Find the leads among the channels of a file that names them.

    Args:
        source: What errors call the file.
        names: Of all channels.
        units: Of all channels; None or blank where the file does not say.
        declared: What the caller says.

    Raises:
        InvalidRecordingError: Leads or units are missing, wrong or contradict what the caller says.
    """
    rows = arrangement(declared.leads_of(source, names)).rows
    found = [(row, lead) for row, lead in zip(rows, LEADS, strict=True) if row is not None]
    scale = [IN_MILLIVOLTS[declared.units_of(source, units[row])] for row, _ in found]
    return Channels(
        tuple(row for row, _ in found), tuple(lead for _, lead in found), np.array(scale, np.float64)[:, None]
    )
