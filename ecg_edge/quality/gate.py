"""Which windows of a recording count, from what its quality monitor hears while it is read."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.decision import QualityGate
from ecg_edge.quality.monitor import QualityMonitor, wholly_unusable


class Listener:
    """Hands the samples of one recording to its quality monitor, each once.

    Args:
        gate: "warn" lets windows of unusable signal count.
        keep_blocks: Blocks to remember, the latest; all if None.
    """

    def __init__(self, gate: QualityGate, keep_blocks: int | None = None) -> None:
        self.quality = QualityMonitor()
        self._gate, self._keep = gate, keep_blocks
        self._unusable: list[NDArray[np.bool_]] = []
        self._first, self._ever = 0, False

    def listen(self, start: int, samples: NDArray[np.float32]) -> None:
        """Go on to the end of a stretch that begins at sample `start`, at or before the first that was not heard."""
        unusable = self.quality.push(samples[:, self.quality.samples - start :])
        self._ever = self._ever or bool(unusable.any())
        self._unusable.append(unusable)
        if self._keep is not None:
            blocks = np.concatenate(self._unusable)
            dropped = max(0, len(blocks) - self._keep)
            self._first += dropped
            self._unusable = [blocks[dropped:]]

    def counts(self, scores: NDArray[np.float32], starts: NDArray[np.int64], window: int) -> NDArray[np.bool_]:
        """Return which windows count.

        Args:
            scores: Shape (windows, labels), NaN where a window cannot be answered.
            starts: First sample of each window; all of its samples were heard.
            window: Length of a window.
        """
        answered: NDArray[np.bool_] = ~np.logical_or.reduce(np.isnan(scores), axis=1)
        if self._gate == "warn" or not self._ever:
            return answered
        self._unusable = [np.concatenate(self._unusable)]
        return answered & ~wholly_unusable(self._unusable[0], starts, window, self._first)
