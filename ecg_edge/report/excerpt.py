"""The part of a recording that is drawn."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import StartBeyondEndError
from ecg_edge.recording import LEADS, Recording
from ecg_edge.recording.empty_leads import derive_empty_leads

# Less than half a sample of the fastest recording.
_TINY_S = 1e-6


class Excerpt(NamedTuple):
    """Samples of the twelve leads at the recording's own rate; nothing is filtered or resampled."""

    millivolts: NDArray[np.float32]
    """Each lead less its median, shape (12, samples); samples that are missing are not finite."""
    sampling_rate: float
    start_s: float
    """Time of the first sample, in seconds from the first sample of the recording."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return float(self.millivolts.shape[1] / self.sampling_rate)

    @property
    def stop_s(self) -> float:
        """End, in seconds from the first sample of the recording."""
        return self.start_s + self.duration_s

    def lead(self, name: str) -> NDArray[np.float32]:
        """Return the millivolts of a lead, shape (samples,)."""
        row: NDArray[np.float32] = self.millivolts[LEADS.index(name)]
        return row


def take_excerpt(recording: Recording, start_s: float, longest_s: float) -> Excerpt:
    """Read the samples from a start on, at most `longest_s` seconds of them.

    Raises:
        StartBeyondEndError: The recording has no sample at or after the start.
        EcgEdgeError: The samples are on disk and can no longer be read.
    """
    recording, _ = derive_empty_leads(recording)
    rate = recording.sampling_rate
    first = _count(start_s, rate) if start_s < recording.duration_s else recording.samples
    if first >= recording.samples:
        raise StartBeyondEndError(start_s, recording.samples, rate)
    millivolts = recording.stretch(first, min(recording.samples, first + _count(longest_s, rate)))
    return Excerpt(_subtract_medians(millivolts), rate, first / rate)


def _count(seconds: float, rate: float) -> int:
    """Return how many samples begin before a time."""
    return int(np.ceil((seconds - _TINY_S) * rate)) if seconds else 0


def _subtract_medians(millivolts: NDArray[np.float32]) -> NDArray[np.float32]:
    finite = np.isfinite(millivolts)
    # Each lead by itself: a lead with missing samples must not slow the others down.
    medians = [np.median(lead[known]) if known.any() else 0.0 for lead, known in zip(millivolts, finite, strict=True)]
    with np.errstate(over="ignore", invalid="ignore"):
        less: NDArray[np.float32] = millivolts - np.array(medians, np.float32)[:, None]
    return less
