"""Measured numbers with 95% bootstrap intervals. Patients are drawn, with all their records."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
SEED = 0
# Numbers that are worked on at a time: 4 MB, about the cache of a processor.
_BLOCK = 500_000
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Computes a number of each sample, shape (samples,), from how many times it has each record, (samples, records)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number."""

    value: float
    low: float
    """2.5th percentile of the bootstrap."""
    high: float
    """97.5th percentile of the bootstrap."""
    n: int
    """Records."""
    positives: int
    """Records with the label, by the truth."""

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Resamples of records. Equal patients give equal resamples, so differences of statistics are paired."""

    patients: NDArray[np.int64]
    """Number of each record's patient, from 0 on, shape (records,)."""
    positives: int
    """Records with the label, by the truth."""

    def measure(self, statistics: Mapping[str, Statistic]) -> dict[str, Figure]:
        """Return each statistic of all records, with the interval of its values on the same resamples.

        A statistic that all records do not define is left out. Resamples that do not define it do not count.
        """
        everyone = np.ones((1, len(self.patients)))
        values = {name: float(compute(everyone)[0]) for name, compute in statistics.items()}
        resampled: dict[str, list[NDArray[np.float64]]] = {name: [] for name in values if np.isfinite(values[name])}
        for counts in self._draw():
            for name, parts in resampled.items():
                parts.append(statistics[name](counts))
        return {name: self._make_figure(values[name], np.concatenate(parts)) for name, parts in resampled.items()}

    def _draw(self) -> Iterator[NDArray[np.float64]]:
        """Yield blocks of resamples: how many times each has each record, shape (resamples, records)."""
        random = np.random.default_rng(SEED)
        numbers = np.unique(self.patients, return_inverse=True)[1]
        n = int(numbers.max()) + 1
        for draws in cut_into_blocks(RESAMPLES, len(numbers)):
            drawn = random.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
            yield np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n)[:, numbers].astype(np.float64)

    def _make_figure(self, value: float, resampled: NDArray[np.float64]) -> Figure:
        low, high = np.nanpercentile(resampled, [2.5, 97.5])
        return Figure(value, float(low), float(high), len(self.patients), self.positives)


def cut_into_blocks(rows: int, columns: int) -> Iterator[int]:
    """Yield the numbers of rows to work on at a time, so that a large array is never whole in memory."""
    at_a_time = max(1, _BLOCK // max(columns, 1))
    for done in range(0, rows, at_a_time):
        yield min(at_a_time, rows - done)


def number_patients(patients: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each record, the same for all records of a patient, shape (records,)."""
    return np.unique(np.array(patients), return_inverse=True)[1]
