"""Limb leads that a device stores empty, because they follow from I and II: they are derived."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording.leads import DERIVED, LEADS
from ecg_edge.recording.recording import Recording

# Samples at the beginning, in the middle and at the end that are looked at.
_PROBE = 800
# A lead that is really flat is this close to what follows from I and II, in millivolts.
_FLAT_MV = 0.02
_PLACES = [LEADS.index(lead) for lead in DERIVED]


def find_empty_leads(signal: NDArray[np.float32]) -> set[str]:
    """Return the derivable leads without a signal, although I and II give one.

    Args:
        signal: Millivolts, shape (12, samples).
    """
    empty = set()
    for lead, (of_first, of_second) in DERIVED.items():
        if not _find_zeros(signal[LEADS.index(lead)]).all():
            continue
        expected = of_first * signal[0] + of_second * signal[1]
        if np.isfinite(expected).all() and np.ptp(expected) > _FLAT_MV:
            empty.add(lead)
    return empty


class EmptyLeads:
    """The limb leads of a feed that have been empty since it began; they are derived chunk by chunk."""

    def __init__(self) -> None:
        self._empty = dict(DERIVED)
        self._derived: set[str] = set()

    @property
    def derived(self) -> tuple[str, ...]:
        """Leads that were derived, in their usual order."""
        return tuple(lead for lead in LEADS if lead in self._derived)

    def derive(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a chunk with the empty leads derived from I and II.

        Args:
            signal: Millivolts, shape (12, n); not changed.
        """
        for lead, (of_first, of_second) in tuple(self._empty.items()):
            row = LEADS.index(lead)
            if not _find_zeros(signal[row]).all():
                del self._empty[lead]
                continue
            expected = of_first * signal[0] + of_second * signal[1]
            if np.nan_to_num(expected).any():
                signal = signal.copy()
                signal[row] = expected
                self._derived.add(lead)
        return signal


def _find_zeros(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return whether each sample is zero or missing."""
    zeros: NDArray[np.bool_] = (samples == 0) | np.isnan(samples)
    return zeros


def derive_empty_leads(recording: Recording) -> tuple[Recording, tuple[str, ...]]:
    """Return a recording whose empty leads are derived from I and II, and the names of these leads.

    Raises:
        EcgEdgeError: The samples are on disk and can no longer be read.
    """
    # An empty lead is empty in the first sample, which costs less to read.
    if not _find_zeros(recording.stretch(0, 1)[_PLACES]).any():
        return recording, ()
    last = max(0, recording.samples - _PROBE)
    probes = [recording.stretch(start, start + _PROBE) for start in sorted({0, last // 2, last})]
    empty = set.intersection(*map(find_empty_leads, probes))
    if not empty:
        return recording, ()
    names = list(recording.leads)
    for lead in empty:
        names[recording.row_of(lead)] = ""
    return replace(recording, leads=tuple(names)), tuple(lead for lead in LEADS if lead in empty)
