"""Measures recordings while they are read, and says which of their windows count."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecg_edge.quality.measures import BLOCK
from ecg_edge.quality.monitor import StackMonitor
from ecg_edge.quality.report import QualityReport

GatePolicy = Literal["refuse", "warn"]
"""What happens to a recording that a quality rule refuses: "refuse" leaves it without an answer, "warn" answers it and
turns the reasons into warnings."""


class QualityGate:
    """Hands each sample of recordings to their quality monitor once, and remembers where the signal is unusable.

    Args:
        policy: "warn" lets windows of unusable signal count.
        n_recordings: Number of recordings. They have equal length.
        keep_blocks: Number of latest blocks to remember; all if None.
    """

    def __init__(self, policy: GatePolicy, n_recordings: int = 1, keep_blocks: int | None = None) -> None:
        self._policy, self._keep = policy, keep_blocks
        self._monitor = StackMonitor(n_recordings)
        self._unusable: list[NDArray[np.bool_]] = []
        self._first, self._ever = 0, False

    @property
    def samples(self) -> int:
        """Number of samples of each recording that were measured."""
        return self._monitor.samples

    def push(self, start: int, stretches: NDArray[np.float32]) -> None:
        """Measure the part of stretches that is new.

        Args:
            start: First sample of the stretches, at or before the first sample that was not measured yet.
            stretches: Millivolts at 500 Hz, shape (recordings, 12, n).
        """
        unusable = self._monitor.push(stretches[:, :, self.samples - start :])
        self._ever = self._ever or bool(unusable.any())
        self._unusable.append(unusable)
        if self._keep is not None:
            blocks = np.concatenate(self._unusable, axis=1)
            dropped = max(0, blocks.shape[1] - self._keep)
            self._first += dropped
            self._unusable = [blocks[:, dropped:]]

    def report(self, recording: int = 0) -> QualityReport:
        """Return the report of the samples of a recording so far."""
        return self._monitor.report(recording)

    def countable(
        self, scores: NDArray[np.float32], starts: NDArray[np.int64], window: int, recording: int = 0
    ) -> NDArray[np.bool_]:
        """Return whether each window of a recording counts, shape (windows,).

        Args:
            scores: Shape (windows, labels); NaN if a window cannot be answered.
            starts: First sample of each window. All samples of the windows must have been measured.
            window: Length of a window in samples.
            recording: Index of the recording.
        """
        answered: NDArray[np.bool_] = ~np.logical_or.reduce(np.isnan(scores), axis=1)
        if self._policy == "warn" or not self._ever:
            return answered
        self._unusable = [np.concatenate(self._unusable, axis=1)]
        return answered & ~find_unusable_windows(self._unusable[0][recording], starts, window, self._first)


def find_unusable_windows(
    blocks: NDArray[np.bool_], starts: NDArray[np.int64], window: int, first: int = 0
) -> NDArray[np.bool_]:
    """Return whether the signal is unusable throughout each window, shape (windows,).

    Only the blocks that lie wholly in a window decide, so the answer is known once the window's last sample is there.

    Args:
        blocks: Whether each block is unusable, as from `StackMonitor.push`.
        starts: First sample of each window.
        window: Length of a window in samples.
        first: Number of blocks of the recording before `blocks`. No window may begin in them.
    """
    count = np.concatenate([[0], np.cumsum(blocks)])
    start = (starts + BLOCK - 1) // BLOCK - first
    stop = np.maximum((starts + window) // BLOCK - first, start)
    unusable: NDArray[np.bool_] = (stop > start) & (count[stop] - count[start] == stop - start)
    return unusable
