"""Figures of the out-of-fold answers, each with its 95% bootstrap interval and n."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, recall_score, roc_auc_score

from export.choices import ENOUGH_POSITIVES
from export.dataset import SITES, Dataset
from export.out_of_fold import Answers

RESAMPLES = 1000
SEED = 0
LEARNABLE = tuple(site for site in SITES if site != "lateral")
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
    """One line of the table; no figures where the data are insufficient."""

    name: str
    n: int
    positives: int
    figures: dict[str, Figure]


METRICS: dict[str, Metric] = {
    "auroc": lambda truth, probability, _: float(roc_auc_score(truth, probability)),
    "average_precision": lambda truth, probability, _: float(average_precision_score(truth, probability)),
    "f1": lambda truth, _, found: float(f1_score(truth, found, zero_division=0)),
    "sensitivity": lambda truth, _, found: float(recall_score(truth, found, zero_division=0)),
    "specificity": lambda truth, _, found: float(recall_score(~truth, ~found, zero_division=0)),
}
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


def evaluate(dataset: Dataset, answers: Answers) -> Evaluation:
    """Measure the answers against the truth; resampling is by patient."""
    if answers.names != dataset.names:
        msg = "the out-of-fold answers are of other records than the given ones"
        raise ValueError(msg)
    truth = np.hstack([dataset.infarction, dataset.sites]) > 0
    patients = np.unique(np.array(dataset.patients), return_inverse=True)[1]
    ill, everyone = truth[:, 0], np.ones(len(truth), np.bool_)
    cascade = answers.found & answers.found[:, :1]
    columns = {site: i + 1 for i, site in enumerate(SITES)}

    def row(
        name: str, label: int, rows: NDArray[np.bool_], metrics: dict[str, Metric], found: NDArray[np.bool_]
    ) -> Row:
        own, positives = truth[rows, label], int(truth[rows, label].sum())
        if positives < ENOUGH_POSITIVES:
            return Row(name, len(own), positives, {})
        parts = (own, answers.probability[rows, label], found[rows, label])
        figures = _figures(
            {key: lambda at, m=m: m(*(each[at] for each in parts)) for key, m in metrics.items()}, patients[rows]
        )
        return Row(
            name, len(own), positives, {key: Figure(*each, len(own), positives) for key, each in figures.items()}
        )

    def macro(rows: NDArray[np.bool_], found: NDArray[np.bool_]) -> Row:
        labels = [columns[site] for site in LEARNABLE]
        own, said = truth[rows][:, labels], found[rows][:, labels]
        figures = _figures(
            {"f1": lambda at: float(f1_score(own[at], said[at], average="macro", zero_division=0))}, patients[rows]
        )
        positives = int(own.any(axis=1).sum())
        return Row("five sites", len(own), positives, {"f1": Figure(*figures["f1"], len(own), positives)})

    return Evaluation(
        row("infarction", 0, everyone, METRICS, answers.found),
        tuple(row(site, i, ill, METRICS, answers.found) for site, i in columns.items()),
        macro(ill, answers.found),
        tuple(row(site, i, everyone, DECISIONS, cascade) for site, i in columns.items()),
        macro(everyone, cascade),
    )


def _figures(
    metrics: dict[str, Callable[[NDArray[np.int64]], float]], patients: NDArray[np.int64]
) -> dict[str, tuple[float, float, float]]:
    """Return value, low and high of each metric; each takes row numbers."""
    random = np.random.default_rng(SEED)
    rows_of = [np.flatnonzero(patients == patient) for patient in np.unique(patients)]
    drawn = [
        np.concatenate([rows_of[i] for i in random.integers(0, len(rows_of), len(rows_of))]) for _ in range(RESAMPLES)
    ]
    result = {}
    for name, metric in metrics.items():
        low, high = np.percentile([metric(at) for at in drawn], [2.5, 97.5])
        result[name] = (metric(np.arange(len(patients))), float(low), float(high))
    return result


def table(evaluation: Evaluation) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield from _part("Infarction, all records", [evaluation.infarction], METRICS)
    yield from _part("Sites, records with infarction", [*evaluation.sites, evaluation.macro_f1], METRICS)
    yield from _part(
        "Both stages end to end, all records", [*evaluation.end_to_end, evaluation.end_to_end_macro_f1], DECISIONS
    )


def _part(title: str, rows: list[Row], metrics: dict[str, Metric]) -> Iterator[str]:
    yield f"| {title} | n | positive | " + " | ".join(metrics) + " |"
    yield "|---" * (len(metrics) + 3) + "|"
    for row in rows:
        missing = "" if row.figures else "insufficient data"
        cells = [str(row.figures.get(name, missing)) for name in metrics]
        yield f"| {row.name} | {row.n} | {row.positives} | " + " | ".join(cells) + " |"
    yield ""
