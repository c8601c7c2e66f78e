"""Windows of the original networks: how they are drawn, cut and scaled."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WindowScale:
    """One mean and one scale for all samples.

    The original scaler has a mean and a scale for each time index, over records and leads. Its means over time serve
    a window at any place.
    """

    mean: float
    """Millivolts."""
    scale: float
    """Millivolts, positive."""

    @classmethod
    def fit(cls, signals: NDArray[np.float32]) -> "WindowScale":
        """Return the scale of records of shape (records, 12, samples)."""
        by_time = signals.reshape(-1, signals.shape[2])
        return cls(float(by_time.mean(axis=0).mean()), float(by_time.std(axis=0).mean()))

    def __call__(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale windows of any shape."""
        scaled: NDArray[np.float32] = ((windows - self.mean) / self.scale).astype(np.float32)
        return scaled


@dataclass(frozen=True, slots=True)
class Epoch:
    """The windows of one epoch in the order of their use."""

    rows: Numbers
    """Record of each window, shape (windows,)."""
    starts: Numbers
    """First sample of each window, shape (windows,)."""

    def batches(self, size: int) -> Iterator[tuple[Numbers, Numbers]]:
        """Yield the rows and starts of batches of about the same size, at most `size`."""
        n_batches = ceil(len(self.rows) / size)
        yield from zip(np.array_split(self.rows, n_batches), np.array_split(self.starts, n_batches), strict=True)


def draw_epoch(rows: Numbers, per_record: int, last_start: int, seed: int) -> Epoch:
    """Draw random windows of each record in random order.

    Args:
        rows: Records.
        per_record: Windows of each.
        last_start: Last sample at which a window may start.
        seed: The same seed gives the same windows.
    """
    random = np.random.default_rng(seed)
    drawn = random.permutation(np.repeat(rows, per_record))
    return Epoch(drawn, random.integers(0, last_start + 1, len(drawn)))


def spread_starts(last_start: int, n_windows: int) -> Numbers:
    """Return evenly spread starts, the first at 0 and the last at `last_start`, shape (windows,)."""
    return np.linspace(0, last_start, n_windows).round().astype(np.int64)


def cut(signals: NDArray[np.float32], rows: Numbers, starts: Numbers, window: int) -> NDArray[np.float32]:
    """Return windows of shape (rows, 12, window)."""
    return np.stack([signals[row, :, start : start + window] for row, start in zip(rows, starts, strict=True)])
