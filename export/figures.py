"""Measured numbers with 95% bootstrap intervals. Patients are drawn, with all their records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
SEED = 0
Rows = NDArray[np.int64] | slice
"""Which records: their numbers, one of them perhaps several times, or a slice."""


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
    """The same resamples for all statistics of the same records, so that their differences are paired."""

    n: int
    """Records."""
    positives: int
    """Records with the label, by the truth."""
    resamples: Sequence[NDArray[np.int64]]

    @classmethod
    def by_patient(cls, patients: NDArray[np.int64], positives: int) -> "Bootstrap":
        """Draw the resamples. The same patients give the same ones.

        Args:
            patients: Number of each record's patient, shape (records,).
            positives: Records with the label.
        """
        random = np.random.default_rng(SEED)
        order = np.argsort(patients, kind="stable")
        rows_of = np.split(order, np.flatnonzero(np.diff(patients[order])) + 1)
        drawn = (random.integers(0, len(rows_of), len(rows_of)) for _ in range(RESAMPLES))
        return cls(
            len(patients), positives, [np.concatenate([rows_of[patient] for patient in sample]) for sample in drawn]
        )

    def measure(self, statistic: Callable[[Rows], float]) -> Figure:
        """Return a statistic of all records, with the interval of its values on the resamples."""
        low, high = np.percentile([statistic(rows) for rows in self.resamples], [2.5, 97.5])
        return Figure(statistic(slice(None)), float(low), float(high), self.n, self.positives)


def number_patients(patients: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each record, the same for all records of a patient, shape (records,)."""
    return np.unique(np.array(patients), return_inverse=True)[1]
