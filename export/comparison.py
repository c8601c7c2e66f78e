"""Two tables of out-of-fold answers side by side: each figure, and the difference with its paired interval."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.bootstrap import Figure
from ecg_edge.evaluation.metrics import Metric
from ecg_edge.evaluation.question import Question
from ecg_edge.evaluation.tables import TITLES
from export.dataset import Dataset
from export.evaluation import ask
from export.out_of_fold import Answers


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of two versions."""

    table: str
    """Title of the table that the figure stands in."""
    label: str
    metric: str
    before: Figure
    after: Figure
    difference: Figure
    """After minus before. Both are measured on the same resamples."""


def compare(
    dataset: Dataset, before: Answers, after: Answers, report: Callable[[str], None] = lambda _: None
) -> Iterator[Difference]:
    """Yield the figures of the first and the second answers, and their differences.

    Labels with too few positive records are left out, and labels that only one of the tables answers.

    Args:
        dataset: The records with their labels.
        before: Answers for the same records.
        after: Other answers for the same records.
        report: Called with a line before each label is measured.

    Raises:
        DatasetError: Some answers are for other records.
    """
    for title, *questions in zip(TITLES, ask(dataset, before), ask(dataset, after), strict=True):
        for of_before, of_after in zip(*questions, strict=True):
            answered = _has_answers(title, before, of_before) and _has_answers(title, after, of_after)
            if answered and of_before.can_be_answered:
                report(f"measuring {of_before.name}, {of_before.n} records")
                yield from _compare_answers(title, of_before, of_after)


def _has_answers(title: str, answers: Answers, question: Question) -> bool:
    # End to end, the first stage has a say in the decisions on sites.
    first_stage = answers.probability[:, :1] if title == TITLES.end_to_end else question.probability
    return not (np.isnan(question.probability).any() or np.isnan(first_stage).any())


def _compare_answers(title: str, before: Question, after: Question) -> Iterator[Difference]:
    def compute_difference(metric: Metric, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        return after.compute(metric, counts) - before.compute(metric, counts)

    first, second, differences = (
        before.resample().measure({name: partial(of, metric) for name, metric in before.metrics.items()})
        for of in (before.compute, after.compute, compute_difference)
    )
    for name, difference in differences.items():
        yield Difference(title, before.name, name, first[name], second[name], difference)


def render_comparison(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    for table, of_table in groupby(differences, lambda row: row.table):
        yield f"| {table} | n | figure | before | after | difference |"
        yield "|---|---|---|---|---|---|"
        for row in of_table:
            change = _show_signed(row.difference)
            yield f"| {row.label} | {row.before.n} | {row.metric} | {row.before} | {row.after} | {change} |"
        yield ""


def _show_signed(figure: Figure) -> str:
    return f"{figure.value:+.3f} ({figure.low:+.3f} to {figure.high:+.3f})"
