"""One line of a table: which records and answers it is about, and its figures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.bootstrap import Bootstrap, Figure
from ecg_edge.evaluation.calibration import draw_ece_by_chance
from ecg_edge.evaluation.metrics import Metric

ENOUGH_POSITIVES = 10
"""A label with fewer positive records is neither learned nor measured. To be measured, it needs as many patients."""
BY_CHANCE = "ece_by_chance"


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a table before it is measured: truth and answers of the records that it is about."""

    name: str
    metrics: dict[str, Metric]
    truth: NDArray[np.bool_]
    """Shape (records,), or (records, labels) for a mean over labels."""
    probability: NDArray[np.float64]
    """As `truth`."""
    found: NDArray[np.bool_]
    """As `truth`."""
    patients: NDArray[np.int64]
    """Shape (records,)."""

    @property
    def n(self) -> int:
        """Number of records."""
        return len(self.truth)

    @property
    def positives(self) -> int:
        """Number of records with one of the labels."""
        return int(self._has_label.sum())

    @property
    def can_be_answered(self) -> bool:
        """Whether there are enough patients with the label and, unless it is a mean over labels, without it."""
        return self.has_enough_with_label and (self.truth.ndim > 1 or self.has_enough_without_label)

    @property
    def has_enough_with_label(self) -> bool:
        """Whether there are enough patients who have a record with the label: resamples of fewer hardly differ."""
        return self._count_patients(self._has_label) >= ENOUGH_POSITIVES

    @property
    def has_enough_without_label(self) -> bool:
        """Whether there are enough patients who have a record without the label."""
        return self._count_patients(~self._has_label) >= ENOUGH_POSITIVES

    @property
    def _has_label(self) -> NDArray[np.bool_]:
        """Which records have one of the labels, shape (records,)."""
        return self.truth if self.truth.ndim == 1 else np.logical_or.reduce(self.truth, axis=1)

    def _count_patients(self, rows: NDArray[np.bool_]) -> int:
        return len(np.unique(self.patients[rows]))

    def select(self, rows: NDArray[np.bool_], name: str | None = None) -> "Question":
        """Return the same question about some of the records."""
        return replace(
            self,
            name=self.name if name is None else name,
            truth=self.truth[rows],
            probability=self.probability[rows],
            found=self.found[rows],
            patients=self.patients[rows],
        )

    def compute(self, metric: Metric, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a metric of samples that have each record `counts` times; `counts` has shape (samples, records)."""
        return metric(self.truth, self.probability, self.found, counts)

    def resample(self) -> Bootstrap:
        """Return bootstrap samples of the records."""
        return Bootstrap(self.patients, self.positives)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. It has no figures if there are too few positive or negative records."""

    name: str
    n: int
    positives: int
    figures: dict[str, Figure]


def measure_row(question: Question, report: Callable[[str], None] = lambda _: None) -> Row:
    """Measure a question.

    Args:
        question: Its metrics are those that are measured.
        report: Called with a line before the work begins.
    """
    report(f"measuring {' and '.join(question.metrics)} of {question.name}, {question.n} records")
    figures = {}
    if question.can_be_answered:
        figures = question.resample().measure(
            {name: partial(question.compute, metric) for name, metric in question.metrics.items()}
        )
    return Row(question.name, question.n, question.positives, figures)


def add_chance(row: Row, question: Question) -> Row:
    """Add to a row the calibration error that the same probabilities have by chance: its mean and 95% range."""
    if not row.figures:
        return row
    drawn = draw_ece_by_chance(question.probability)
    low, high = np.percentile(drawn, [2.5, 97.5])
    by_chance = Figure(float(drawn.mean()), float(low), float(high), row.n, row.positives)
    return replace(row, figures={**row.figures, BY_CHANCE: by_chance})
