"""The operating points that are exported: their goals, and what the out-of-fold answers reach with them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.bootstrap import RESAMPLES, Figure
from ecg_edge.evaluation.metrics import METRICS, PREDICTIVE
from ecg_edge.evaluation.question import ENOUGH_POSITIVES, Row, measure_row
from ecg_edge.model.operating_point import BALANCED, OperatingPoint
from ecg_edge.model.spec import ModelSpec
from export.choices import (
    FALLBACK_THRESHOLD,
    SENSITIVITY,
    SPECIFICITY,
    Choice,
    choose_points,
    list_unproven,
)
from export.dataset import Dataset
from export.evaluation import ask
from export.out_of_fold import LABELS, Answers
from export.stages import STAGES, Stage

SENSITIVE, SPECIFIC = "sensitive", "specific"
GOALS = {
    BALANCED: "best F1",
    SENSITIVE: f"sensitivity of at least {SENSITIVITY:g}",
    SPECIFIC: f"specificity of at least {SPECIFICITY:g}",
}
MEASURED = (
    "out of fold: no patient is in two folds, and the thresholds for each fold are chosen on the other folds; "
    f"95% intervals of {RESAMPLES} bootstrap resamples by patient"
)
# With three of them shown, a figure must not be rounded twice.
_DECIMALS = 6
SHARES = {name: METRICS[name] for name in ("sensitivity", "specificity")}

Points = dict[str, tuple[Row, ...]]
"""For each operating point a row for each label, with two shares of records."""


def measure_points(dataset: Dataset, answers: Answers, report: Callable[[str], None] = lambda _: None) -> Points:
    """Measure sensitivity and specificity of each operating point.

    Args:
        dataset: The records with their labels.
        answers: The out-of-fold answers for the same records.
        report: Called with a line before each label is measured.

    Raises:
        DatasetError: The answers are for other records.
    """
    points = {}
    for name, found in decide_across(dataset, answers).items():
        asked = ask(dataset, replace(answers, found=found))
        questions = [question for question in (*asked.infarction, *asked.sites) if question.name in LABELS]
        points[name] = tuple(measure_row(replace(question, metrics=SHARES), report) for question in questions)
    return points


def measure_predictive_values(
    dataset: Dataset, answers: Answers, report: Callable[[str], None] = lambda _: None
) -> Points:
    """Measure the predictive values of each operating point on all records, both stages one after the other.

    A site counts as found only if the infarction is found too. Arguments and errors are those of `measure_points`.
    """
    values = {}
    for name, found in decide_across(dataset, answers).items():
        asked = ask(dataset, replace(answers, found=found))
        questions = [question for question in (*asked.infarction, *asked.end_to_end) if question.name in LABELS]
        values[name] = tuple(measure_row(replace(question, metrics=PREDICTIVE), report) for question in questions)
    return values


def decide_across(dataset: Dataset, answers: Answers) -> dict[str, NDArray[np.bool_]]:
    """Return the decisions at each operating point, with thresholds that were chosen on the *other* folds.

    Returns:
        By point, shape (records, 7), in the order of `LABELS`.
    """
    found = {SENSITIVE: answers.found.copy(), SPECIFIC: answers.found.copy()}
    for stage in STAGES.values():
        columns = [LABELS.index(label) for label in stage.labels]
        probability, truth = answers.probability[:, columns], stage.truth(dataset)
        for fold in np.unique(answers.folds):
            own, others = answers.folds == fold, stage.select_scored(dataset) & (answers.folds != fold)
            sensitive, specific = choose_points(truth[others], probability[others])
            cells = np.ix_(own, columns)
            # As the exported thresholds: `sensitive` never finds less than `balanced`, `specific` never more.
            if _has_sensitive_goal(stage):
                found[SENSITIVE][cells] |= probability[own] >= sensitive
            found[SPECIFIC][cells] &= probability[own] >= specific
    return {BALANCED: answers.found, **found}


def make_points(
    stage: Stage,
    choice: Choice,
    probability: NDArray[np.float64],
    truth: NDArray[np.float32],
    points: Sequence[Points],
) -> dict[str, OperatingPoint]:
    """Return the operating points of a stage as its spec has them.

    Args:
        stage: The stage.
        choice: Its thresholds are those of `balanced`.
        probability: Out of fold, with the calibration of the choice, shape (records, labels).
        truth: 0 or 1, shape (records, labels).
        points: What was measured; none if nothing was.
    """
    sensitive, specific = choose_points(truth, probability)
    thresholds = {
        BALANCED: choice.threshold,
        SENSITIVE: np.minimum(sensitive, choice.threshold) if _has_sensitive_goal(stage) else choice.threshold,
        SPECIFIC: np.maximum(specific, choice.threshold),
    }
    population = "records with infarction" if stage.scored_on_infarctions else "all records"
    return {
        name: OperatingPoint(
            goal=f"{goal}, chosen on the out-of-fold probabilities of {population}; {FALLBACK_THRESHOLD:g} for a label "
            f"with fewer than {ENOUGH_POSITIVES} positive or negative records",
            thresholds=tuple(float(threshold) for threshold in thresholds[name]),
            unproven=tuple(stage.labels[i] for i in list_unproven(truth)),
            metrics=collect_shares(stage, [rows for each in points for rows in each[name]]),
            measured=MEASURED if points else "",
        )
        for name, goal in _list_goals(stage).items()
    }


def _has_sensitive_goal(stage: Stage) -> bool:
    """Return whether the point `sensitive` has thresholds of its own.

    At a sensitivity of 0.95, nearly all sites that are found are wrong: of the recordings with a found anterolateral
    infarction, one in twenty has it. So the sites stay as at `balanced`.
    """
    return not stage.scored_on_infarctions


def _list_goals(stage: Stage) -> dict[str, str]:
    if _has_sensitive_goal(stage):
        return GOALS
    goal = f"{GOALS[BALANCED]}, as {BALANCED}: at a higher sensitivity, still more found sites are wrong"
    return GOALS | {SENSITIVE: goal}


def collect_shares(stage: Stage, rows: Iterable[Row]) -> dict[str, Any]:
    """Return the figures of a stage's labels at one operating point, as they stand in its spec."""
    shares: dict[str, Any] = {}
    for row in rows:
        if row.name in stage.labels:
            figures = {name: figure_to_dict(figure, _DECIMALS) for name, figure in row.figures.items()}
            shares.setdefault(row.name, {}).update(figures)
    return shares


def figure_to_dict(figure: Figure, decimals: int) -> dict[str, float]:
    """Return a figure as it stands in a spec."""
    return {
        "value": round(figure.value, decimals),
        "low": round(figure.low, decimals),
        "high": round(figure.high, decimals),
        "n": figure.n,
        "positives": figure.positives,
    }


def render_points(points: Points) -> Iterator[str]:
    """Yield the lines of the Markdown table of operating points."""
    yield from _render_shares("Operating point", points, SHARES)


def render_predictive_values(values: Points) -> Iterator[str]:
    """Yield the lines of the Markdown table of predictive values."""
    yield from _render_shares("Both stages end to end, all records", values, PREDICTIVE)


def _render_shares(title: str, points: Points, names: Collection[str]) -> Iterator[str]:
    yield f"| {title} | label | n | positive | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 4) + "|"
    for name, rows in points.items():
        for row in rows:
            missing = "not defined" if row.figures else "insufficient data"
            cells = [str(row.figures.get(share, missing)) for share in names]
            yield f"| {name} | {row.name} | {row.n} | {row.positives} | " + " | ".join(cells) + " |"
    yield ""


def render_thresholds(specs: Iterable[ModelSpec]) -> Iterator[str]:
    """Yield the lines of the Markdown table of thresholds, which has a column for each operating point."""
    yield "| label | " + " | ".join(GOALS) + " |"
    yield "|---" * (len(GOALS) + 1) + "|"
    for spec in specs:
        for i, label in enumerate(spec.labels):
            yield f"| {label} | " + " | ".join(f"{spec.points[name].thresholds[i]:.3f}" for name in GOALS) + " |"
