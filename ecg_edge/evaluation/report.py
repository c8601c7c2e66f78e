"""The findings of labelled records measured against their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import LabelsError
from ecg_edge.evaluation.metrics import CALIBRATION, METRICS, PREDICTIVE
from ecg_edge.evaluation.question import Question, Row, measure_row
from ecg_edge.evaluation.tables import Answered, Tables, ask, measure
from ecg_edge.findings import Finding, Provenance

_IN_GROUPS = METRICS | PREDICTIVE | {name: CALIBRATION[name] for name in ("ece", "brier")}


@dataclass(frozen=True, slots=True)
class Source:
    """Where records and labels come from, and what of them is not measured."""

    folder: str
    table: str
    form: str
    """How the table states the labels, for people."""
    record_column: str
    patient_column: str | None
    """None: each record is resampled by itself."""
    n_records: int
    """Records in the folder, with and without a label."""
    without_label: tuple[str, ...]
    """Names of the records that have no label."""
    without_record: tuple[str, ...]
    """Names in the table that no record has."""
    about: str | None = None
    """The second table."""
    without_about: tuple[str, ...] = ()
    """Names of the records that have a row in the table of labels, but none in the second one."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labels of the records that are measured. Row i of each array is about the same record."""

    labels: tuple[str, ...]
    """Infarction, then the sites; without sites only infarction."""
    truth: NDArray[np.bool_]
    """Shape (records, labels)."""
    patients: NDArray[np.int64]
    """Number of each record's patient, shape (records,)."""
    groups: dict[str, dict[str, NDArray[np.bool_]]]
    """For each column, the members of each of its groups, shape (records,)."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A labelled record without an answer. It takes part in no figure."""

    record: str
    source: str
    status: str
    """`cannot_analyse` or `error`."""
    infarction: bool
    """By its label."""
    why: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """An answer that contradicts the label."""

    record: str
    source: str
    probability: float


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The worst mistakes of a label. Those of a site are among the records with infarction."""

    label: str
    n_missed: int
    """Records with the label that were not found."""
    n_false_alarms: int
    """Records without the label that were found."""
    missed: tuple[Mistake, ...]
    """Those of lowest probability, the worst first."""
    false_alarms: tuple[Mistake, ...]
    """Those of highest probability, the worst first."""


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of some of the records."""

    column: str
    name: str
    unanswered: int
    """Its records without an answer."""
    rows: tuple[Row, ...]
    """Infarction on its records, each site on its records with infarction."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured."""

    source: Source
    provenance: Provenance
    thresholds: dict[str, float]
    """Probability from which each label counts as found."""
    n_answered: int
    n_patients: int
    """Patients of the answered records."""
    tables: Tables[tuple[Row, ...]]
    groups: tuple[Group, ...]
    unanswered: tuple[Unanswered, ...]
    mistakes: tuple[Mistakes, ...]
    calibration: tuple[Question, ...]
    """What the figure of reliability is about."""


def evaluate(source: Source, labelled: Labelled, findings: Sequence[Finding], n_worst: int) -> Report:
    """Measure findings against labels.

    Args:
        source: Where records and labels come from.
        labelled: The labels.
        findings: The finding of each labelled record. If the labels have sites, it has sites too, unless neither the
            label nor the answer is an infarction.
        n_worst: How many misses and false alarms of each label are named.

    Raises:
        LabelsError: No record was answered.
    """
    answered = np.array([finding.probability is not None for finding in findings])
    if not answered.any():
        raise LabelsError(source.table, f"none of the {len(findings)} labelled records could be answered")
    chosen = [finding for finding in findings if finding.probability is not None]
    answers = _collect(labelled, answered, chosen)
    first = ask(answers, (), "")
    learnable = tuple(question.name for question in first.sites if question.can_be_answered)
    asked = ask(answers, learnable if len(learnable) > 1 else (), f"mean of {len(learnable)} sites", PREDICTIVE)
    tables = measure(asked)
    return Report(
        source,
        chosen[0].provenance,
        _list_thresholds(labelled, chosen),
        len(chosen),
        len(np.unique(answers.patients)),
        tables,
        tuple(_measure_groups(labelled, answered, first)),
        tuple(_list_unanswered(labelled, findings)),
        tuple(_find_mistakes(question, names, n_worst) for question, names in _name_records(first, chosen, answers)),
        asked.calibration,
    )


def _list_thresholds(labelled: Labelled, findings: list[Finding]) -> dict[str, float]:
    # A record without an infarction may have no sites.
    fullest = max(findings, key=lambda finding: len(finding.sites))
    thresholds = [fullest.threshold or 0.0, *(site.threshold for site in fullest.sites)]
    return dict(zip(labelled.labels, thresholds, strict=False))


def _collect(labelled: Labelled, answered: NDArray[np.bool_], findings: list[Finding]) -> Answered:
    probability = np.full((len(findings), len(labelled.labels)), np.nan)
    found = np.zeros(probability.shape, np.bool_)
    for row, finding in enumerate(findings):
        sites = finding.sites if len(labelled.labels) > 1 else ()
        probability[row, : 1 + len(sites)] = [finding.probability, *(site.probability for site in sites)]
        found[row, : 1 + len(sites)] = [finding.status == "detected", *(site.found for site in sites)]
    return Answered(labelled.labels, labelled.truth[answered], probability, found, labelled.patients[answered])


def _measure_groups(
    labelled: Labelled, answered: NDArray[np.bool_], asked: Tables[tuple[Question, ...]]
) -> list[Group]:
    ill = asked.infarction[0].truth
    groups = []
    for column, members_of in labelled.groups.items():
        for name, everyone in members_of.items():
            members = everyone[answered]
            questions = (
                *(question.select(members) for question in asked.infarction),
                *(question.select(members[ill]) for question in asked.sites),
            )
            rows = tuple(measure_row(replace(question, metrics=_IN_GROUPS)) for question in questions)
            groups.append(Group(column, name, int((everyone & ~answered).sum()), rows))
    return groups


def _list_unanswered(labelled: Labelled, findings: Sequence[Finding]) -> list[Unanswered]:
    return [
        Unanswered(
            finding.record,
            finding.source,
            finding.status,
            bool(truth),
            finding.error or "; ".join(note.message for note in finding.reasons),
        )
        for finding, truth in zip(findings, labelled.truth[:, 0], strict=True)
        if finding.probability is None
    ]


def _name_records(
    asked: Tables[tuple[Question, ...]], findings: list[Finding], answers: Answered
) -> list[tuple[Question, list[Finding]]]:
    ill = [finding for finding, truth in zip(findings, answers.truth[:, 0], strict=True) if truth]
    return [*((question, findings) for question in asked.infarction), *((question, ill) for question in asked.sites)]


def _find_mistakes(question: Question, findings: list[Finding], n_worst: int) -> Mistakes:
    missed = np.flatnonzero(question.truth & ~question.found)
    alarms = np.flatnonzero(~question.truth & question.found)
    probability = question.probability

    def name(rows: NDArray[np.int64], order: NDArray[np.float64]) -> tuple[Mistake, ...]:
        worst = rows[np.argsort(order[rows], kind="stable")][:n_worst]
        return tuple(Mistake(findings[row].record, findings[row].source, float(probability[row])) for row in worst)

    return Mistakes(question.name, len(missed), len(alarms), name(missed, probability), name(alarms, -probability))
