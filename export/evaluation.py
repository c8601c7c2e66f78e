"""Figures of the out-of-fold answers, with 95% bootstrap intervals and n."""

from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np

from ecg_edge.evaluation.bootstrap import number_patients
from ecg_edge.evaluation.metrics import DECISIONS, METRICS
from ecg_edge.evaluation.question import BY_CHANCE, Question, Row
from ecg_edge.evaluation.tables import TITLES, Answered, Tables, measure
from ecg_edge.evaluation.tables import ask as ask_answered
from export.dataset import SITES, Dataset
from export.errors import DatasetError
from export.out_of_fold import LABELS, Answers

LEARNABLE = tuple(site for site in SITES if site != "lateral")

Evaluation = Tables[tuple[Row, ...]]


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
    answered = Answered(LABELS, truth, answers.probability, answers.found, patients)
    return ask_answered(answered, LEARNABLE, "five sites, macro")


def evaluate(dataset: Dataset, answers: Answers, report: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Measure the answers against the truth.

    Args:
        dataset: The records with their labels.
        answers: The out-of-fold answers for the same records.
        report: Called with a line before each row of the tables is measured.

    Raises:
        DatasetError: The answers are for other records.
    """
    return measure(ask(dataset, answers), report)


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
