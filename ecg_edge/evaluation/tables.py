"""Which questions are asked of the answers of both stages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.metrics import CALIBRATION, DECISIONS, MACRO, METRICS, Metric
from ecg_edge.evaluation.question import Question, Row, add_chance, measure_row

Table = TypeVar("Table")
INFARCTION = "infarction"


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


TITLES = Tables(
    "Infarction, all records",
    "Sites, records with infarction",
    "Both stages end to end, all records",
    "Calibration: infarction on all records, sites on records with infarction",
)


@dataclass(frozen=True, slots=True)
class Answered:
    """Truth and answers of records. The columns are infarction, then the sites; without sites there is one column."""

    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    """Shape (records, labels)."""
    probability: NDArray[np.float64]
    """Shape (records, labels)."""
    found: NDArray[np.bool_]
    """Whether the probability reaches its threshold, shape (records, labels)."""
    patients: NDArray[np.int64]
    """Shape (records,)."""


def ask(
    answered: Answered, learnable: Sequence[str], macro: str, more: dict[str, Metric] | None = None
) -> Tables[tuple[Question, ...]]:
    """Return the lines of the tables.

    Args:
        answered: Truth and answers.
        learnable: The sites whose mean is asked for; without a site there is no such line.
        macro: Name of the line of the mean.
        more: Metrics beside those of the model card.
    """
    labels, truth, more = answered.labels, answered.truth, more or {}
    everyone, ill = np.ones(len(truth), np.bool_), truth[:, 0]
    in_cascade = answered.found & answered.found[:, :1]

    def about(
        name: str, metrics: dict[str, Metric], rows: NDArray[np.bool_], found: NDArray[np.bool_] = answered.found
    ) -> Question:
        columns = labels.index(name) if name in labels else [labels.index(site) for site in learnable]
        probability = answered.probability[rows][:, columns]
        return Question(
            name, metrics, truth[rows][:, columns], probability, found[rows][:, columns], answered.patients[rows]
        )

    sites = labels[1:]
    mean = [macro] if learnable else []
    return Tables(
        (about(INFARCTION, METRICS | more, everyone),),
        (*(about(site, METRICS | more, ill) for site in sites), *(about(name, MACRO, ill) for name in mean)),
        (
            *(about(site, DECISIONS | more, everyone, in_cascade) for site in sites),
            *(about(name, MACRO, everyone, in_cascade) for name in mean),
        ),
        (about(INFARCTION, CALIBRATION, everyone), *(about(site, CALIBRATION, ill) for site in sites)),
    )


def measure(
    asked: Tables[tuple[Question, ...]], report: Callable[[str], None] = lambda _: None
) -> Tables[tuple[Row, ...]]:
    """Measure the lines of the tables.

    Args:
        asked: Lines of `ask`.
        report: Called with a line before each of them is measured.
    """
    measured = Tables(*(tuple(measure_row(question, report) for question in questions) for questions in asked))
    return measured._replace(calibration=tuple(map(add_chance, measured.calibration, asked.calibration)))
