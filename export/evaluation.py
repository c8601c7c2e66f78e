"""Figures of the out-of-fold answers, with 95% bootstrap intervals and n."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from export.calibration import draw_ece_by_chance
from export.choices import ENOUGH_POSITIVES
from export.dataset import SITES, Dataset
from export.errors import DatasetError
from export.figures import Bootstrap, Figure, Rows, number_patients
from export.metrics import CALIBRATION, DECISIONS, MACRO, METRICS, Metric
from export.out_of_fold import LABELS, Answers

LEARNABLE = tuple(site for site in SITES if site != "lateral")
Table = TypeVar("Table")
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
        return int(self.truth.reshape(self.n, -1).any(axis=1).sum())

    @property
    def can_be_answered(self) -> bool:
        """Whether there are enough positive records."""
        return self.positives >= ENOUGH_POSITIVES

    def compute(self, metric: Metric, rows: Rows) -> float:
        """Return a metric of some of the records."""
        return metric(self.truth[rows], self.probability[rows], self.found[rows])

    def resample(self) -> Bootstrap:
        """Return bootstrap samples of the records."""
        return Bootstrap.by_patient(self.patients, self.positives)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. It has no figures if there are too few positive records."""

    name: str
    n: int
    positives: int
    figures: dict[str, Figure]


class Tables(NamedTuple, Generic[Table]):
    """Something for each of the four tables."""

    infarction: Table
    """On all records."""
    sites: Table
    """On records with infarction. The last line is the mean of the learnable sites."""
    end_to_end: Table
    """Both stages one after the other, on all records. The last line is the mean of the learnable sites."""
    calibration: Table
    """Infarction on all records, sites on records with infarction."""


Evaluation = Tables[tuple[Row, ...]]
TITLES = Tables(
    "Infarction, all records",
    "Sites, records with infarction",
    "Both stages end to end, all records",
    "Calibration: infarction on all records, sites on records with infarction",
)


def ask(dataset: Dataset, answers: Answers) -> Tables[tuple[Question, ...]]:
    """Return the lines of the tables for some answers.

    Raises:
        DatasetError: The answers are for other records.
    """
    if answers.names != dataset.names:
        msg = "the out-of-fold answers and the dataset must have the same records"
        raise DatasetError(msg)
    truth = np.hstack([dataset.infarction, dataset.sites]) > 0
    patients = number_patients(dataset.patients)
    everyone, ill = np.ones(len(truth), np.bool_), truth[:, 0]
    in_cascade = answers.found & answers.found[:, :1]

    def about(
        name: str, metrics: dict[str, Metric], rows: NDArray[np.bool_], found: NDArray[np.bool_] = answers.found
    ) -> Question:
        columns = LABELS.index(name) if name in LABELS else [LABELS.index(site) for site in LEARNABLE]
        probability = answers.probability[rows][:, columns]
        return Question(name, metrics, truth[rows][:, columns], probability, found[rows][:, columns], patients[rows])

    macro = "five sites, macro"
    return Tables(
        (about("infarction", METRICS, everyone),),
        (*(about(site, METRICS, ill) for site in SITES), about(macro, MACRO, ill)),
        (*(about(site, DECISIONS, everyone, in_cascade) for site in SITES), about(macro, MACRO, everyone, in_cascade)),
        (about("infarction", CALIBRATION, everyone), *(about(site, CALIBRATION, ill) for site in SITES)),
    )


def evaluate(dataset: Dataset, answers: Answers, report: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Measure the answers against the truth.

    Args:
        dataset: The records with their labels.
        answers: The out-of-fold answers for the same records.
        report: Called with a line before each row of the tables is measured.

    Raises:
        DatasetError: The answers are for other records.
    """
    asked = ask(dataset, answers)
    measured = Tables(*(tuple(measure_row(question, report) for question in questions) for questions in asked))
    return measured._replace(calibration=tuple(map(_add_chance, measured.calibration, asked.calibration)))


def measure_row(question: Question, report: Callable[[str], None]) -> Row:
    """Measure a question; `report` is called with a line before the work begins."""
    report(f"measuring {' and '.join(question.metrics)} of {question.name}, {question.n} records")
    figures = {}
    if question.can_be_answered:
        bootstrap = question.resample()
        for name, metric in question.metrics.items():
            figures[name] = bootstrap.measure(partial(question.compute, metric))
    return Row(question.name, question.n, question.positives, figures)


def _add_chance(row: Row, question: Question) -> Row:
    if not row.figures:
        return row
    drawn = draw_ece_by_chance(question.probability)
    low, high = np.percentile(drawn, [2.5, 97.5])
    by_chance = Figure(float(drawn.mean()), float(low), float(high), row.n, row.positives)
    return replace(row, figures={**row.figures, BY_CHANCE: by_chance})


def render_table(evaluation: Evaluation) -> Iterator[str]:
    """Yield the lines of the Markdown tables of accuracy."""
    yield from _render_part(TITLES.infarction, evaluation.infarction, METRICS)
    yield from _render_part(TITLES.sites, evaluation.sites, METRICS)
    yield from _render_part(TITLES.end_to_end, evaluation.end_to_end, DECISIONS)


def render_calibration(evaluation: Evaluation) -> Iterator[str]:
    """Yield the lines of the Markdown table of calibration."""
    yield from _render_part(TITLES.calibration, evaluation.calibration, ("ece", BY_CHANCE, "brier", "log_loss"))


def _render_part(title: str, rows: Iterable[Row], columns: Collection[str]) -> Iterator[str]:
    yield f"| {title} | n | positive | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 3) + "|"
    for row in rows:
        missing = "" if row.figures else "insufficient data"
        cells = [str(row.figures.get(name, missing)) for name in columns]
        yield f"| {row.name} | {row.n} | {row.positives} | " + " | ".join(cells) + " |"
    yield ""
