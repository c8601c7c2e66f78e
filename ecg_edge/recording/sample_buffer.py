"""A buffer of the most recent samples of a live feed."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording.leads import LEADS


class SampleBuffer:
    """The most recent samples of a feed; its memory does not grow.

    Args:
        capacity: Minimum number of recent samples kept per lead.
    """

    def __init__(self, capacity: int) -> None:
        self.stop = 0
        """Number of samples of each lead so far."""
        self._capacity, self._room = capacity, capacity // 4 + 1
        self._samples = np.empty((len(LEADS), capacity + self._room), np.float32)
        self._first = 0

    @property
    def start(self) -> int:
        """First sample that is kept for certain."""
        return max(0, self.stop - self._capacity)

    def __getstate__(self) -> tuple[int, int, NDArray[np.float32]]:
        """Pickle only the samples that are kept for certain."""
        return self.stop, self._capacity, self.stretch(self.start, self.stop)

    def __setstate__(self, state: tuple[int, int, NDArray[np.float32]]) -> None:
        """Put the samples into a buffer with room for more."""
        stop, capacity, kept = state
        self.__init__(capacity)  # type: ignore[misc]
        self.append(kept)
        self._first, self.stop = stop - kept.shape[1], stop

    def append(self, signal: NDArray[np.float32]) -> None:
        """Add samples, shape (12, n)."""
        for start in range(0, signal.shape[1], self._room):
            self._append(signal[:, start : start + self._room])

    def _append(self, piece: NDArray[np.float32]) -> None:
        filled = self.stop - self._first
        if filled + piece.shape[1] > self._samples.shape[1]:
            keep = self._capacity
            self._samples[:, :keep] = self._samples[:, filled - keep : filled].copy()
            self._first, filled = self.stop - keep, keep
        self._samples[:, filled : filled + piece.shape[1]] = piece
        self.stop += piece.shape[1]

    def stretch(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return a copy of samples `start` to `stop`, counted from the first sample of the feed, shape (12, n)."""
        return self._samples[:, start - self._first : stop - self._first].copy()
