"""Figures of the out-of-fold answers, with 95% bootstrap intervals and n."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from export.choices import ENOUGH_POSITIVES
from export.dataset import SITES, Dataset
from export.errors import DatasetError
from export.out_of_fold import LABELS, Answers

RESAMPLES = 1000
SEED = 0
LEARNABLE = tuple(site for site in SITES if site != "lateral")
# Truth, probability and decision of each record.
Parts = tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]
Metric = Callable[[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]], float]


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
class Row:
    """One line of the table. It has no figures if there are too few positive records."""

    name: str
    n: int
    positives: int
    figures: dict[str, Figure]


def _compute_share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return float((part & whole).sum() / max(whole.sum(), 1))


def _compute_f1(truth: NDArray[np.bool_], _: NDArray[np.float64], found: NDArray[np.bool_]) -> float:
    """Return the mean F1 of the columns; one-dimensional arrays are one column."""
    both = 2 * (truth & found).sum(axis=0)
    return float(np.mean(both / np.maximum(truth.sum(axis=0) + found.sum(axis=0), 1)))


METRICS: dict[str, Metric] = {
    "auroc": lambda truth, probability, _: float(roc_auc_score(truth, probability)),
    "average_precision": lambda truth, probability, _: float(average_precision_score(truth, probability)),
    "f1": _compute_f1,
    "sensitivity": lambda truth, _, found: _compute_share(found, truth),
    "specificity": lambda truth, _, found: _compute_share(~found, ~truth),
}
MACRO: dict[str, Metric] = {"f1": _compute_f1}
DECISIONS = {name: METRICS[name] for name in ("f1", "sensitivity", "specificity")}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The whole table."""

    infarction: Row
    sites: tuple[Row, ...]
    """On records with infarction."""
    macro_f1: Row
    """Mean of the learnable sites, on records with infarction."""
    end_to_end: tuple[Row, ...]
    """Both stages one after the other, on all records."""
    end_to_end_macro_f1: Row


def evaluate(dataset: Dataset, answers: Answers, report: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Measure the answers against the truth. Bootstrap samples are drawn by patient.

    Args:
        dataset: The records with their labels.
        answers: The out-of-fold answers for the same records.
        report: Called with a line before each row of the table is measured.

    Raises:
        DatasetError: The answers are for other records.
    """
    if answers.names != dataset.names:
        msg = "the out-of-fold answers and the dataset must have the same records"
        raise DatasetError(msg)
    truth = np.hstack([dataset.infarction, dataset.sites]) > 0
    patients = np.unique(np.array(dataset.patients), return_inverse=True)[1]
    everyone, ill = np.ones(len(truth), np.bool_), truth[:, 0]
    in_cascade = answers.found & answers.found[:, :1]

    def row(label: str, rows: NDArray[np.bool_], found: NDArray[np.bool_], metrics: dict[str, Metric]) -> Row:
        report(f"measuring {label}, {np.count_nonzero(rows)} records")
        column = LABELS.index(label)
        parts = (truth[rows, column], answers.probability[rows, column], found[rows, column])
        return _measure_row(label, parts, patients[rows], metrics)

    def macro(rows: NDArray[np.bool_], found: NDArray[np.bool_]) -> Row:
        report(f"measuring the macro-F1 of five sites, {np.count_nonzero(rows)} records")
        columns = [LABELS.index(site) for site in LEARNABLE]
        parts = (truth[rows][:, columns], answers.probability[rows][:, columns], found[rows][:, columns])
        return _measure_row("five sites, macro", parts, patients[rows], MACRO)

    return Evaluation(
        row("infarction", everyone, answers.found, METRICS),
        tuple(row(site, ill, answers.found, METRICS) for site in SITES),
        macro(ill, answers.found),
        tuple(row(site, everyone, in_cascade, DECISIONS) for site in SITES),
        macro(everyone, in_cascade),
    )


def _measure_row(name: str, parts: Parts, patients: NDArray[np.int64], metrics: dict[str, Metric]) -> Row:
    truth = parts[0]
    n, positives = len(truth), int(truth.reshape(len(truth), -1).any(axis=1).sum())
    if positives < ENOUGH_POSITIVES:
        return Row(name, n, positives, {})
    resamples = _draw_resamples(patients)
    figures = {}
    for key, metric in metrics.items():
        drawn = [metric(truth[rows], parts[1][rows], parts[2][rows]) for rows in resamples]
        low, high = np.percentile(drawn, [2.5, 97.5])
        figures[key] = Figure(metric(*parts), float(low), float(high), n, positives)
    return Row(name, n, positives, figures)


def _draw_resamples(patients: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return row numbers of bootstrap samples. Patients are drawn, with all their records."""
    random = np.random.default_rng(SEED)
    order = np.argsort(patients, kind="stable")
    rows_of = np.split(order, np.flatnonzero(np.diff(patients[order])) + 1)
    return [
        np.concatenate([rows_of[i] for i in random.integers(0, len(rows_of), len(rows_of))]) for _ in range(RESAMPLES)
    ]


def render_table(evaluation: Evaluation) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield from _render_part("Infarction, all records", [evaluation.infarction], METRICS)
    yield from _render_part("Sites, records with infarction", [*evaluation.sites, evaluation.macro_f1], METRICS)
    yield from _render_part(
        "Both stages end to end, all records", [*evaluation.end_to_end, evaluation.end_to_end_macro_f1], DECISIONS
    )


def _render_part(title: str, rows: list[Row], metrics: dict[str, Metric]) -> Iterator[str]:
    yield f"| {title} | n | positive | " + " | ".join(metrics) + " |"
    yield "|---" * (len(metrics) + 3) + "|"
    for row in rows:
        missing = "" if row.figures else "insufficient data"
        cells = [str(row.figures.get(name, missing)) for name in metrics]
        yield f"| {row.name} | {row.n} | {row.positives} | " + " | ".join(cells) + " |"
    yield ""
