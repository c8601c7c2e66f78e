"""What the report says in words, in text and in HTML alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from ecg_edge.evaluation.bootstrap import RESAMPLES
from ecg_edge.evaluation.calibration import N_BINS
from ecg_edge.evaluation.label_table import shorten_list
from ecg_edge.evaluation.question import BY_CHANCE, ENOUGH_POSITIVES, Row
from ecg_edge.evaluation.report import Report

INSUFFICIENT = "insufficient data"
UNDEFINED = "not defined"
HEADINGS = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "f1": "F1",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "positive_predictive_value": "PPV",
    "negative_predictive_value": "NPV",
    "ece": "ECE",
    BY_CHANCE: "ECE by chance",
    "brier": "Brier",
    "log_loss": "log-loss",
}
_ALL = "infarction on all records, sites on records with infarction"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report."""

    title: str
    names: tuple[str, ...]
    """Names of the figures, keys of `HEADINGS`."""
    rows: tuple[Row, ...]
    note: str = ""


def list_sections(report: Report) -> Iterator[Section]:
    """Yield the tables of the report but those of groups."""
    tables = report.tables
    rows = (*tables.infarction, *tables.sites)
    which = _ALL if tables.sites else "all records"
    labels = tuple(row for row in rows if row.name in report.thresholds)
    yield Section(f"Ranking: {which}", ("auroc", "average_precision"), labels)
    yield Section(f"Decisions at the threshold: {which}", ("sensitivity", "specificity", "f1"), rows)
    predictive = ("positive_predictive_value", "negative_predictive_value")
    yield Section(f"Predictive values at the threshold: {which}", predictive, labels)
    yield Section(f"Calibration: {which}", ("ece", BY_CHANCE, "brier"), tables.calibration)
    if tables.end_to_end:
        title = "Both stages end to end, all records: a site counts only with an infarction"
        yield Section(title, ("sensitivity", "specificity", "f1"), tables.end_to_end)
        of_sites = tuple(row for row in tables.end_to_end if row.name in report.thresholds)
        yield Section("Predictive values end to end, all records: right only with this site", predictive, of_sites)


def list_groups(report: Report) -> Iterator[Section]:
    """Yield a table for each column of groups; the name of a row has the name of its group."""
    for column in dict.fromkeys(group.column for group in report.groups):
        groups = [group for group in report.groups if group.column == column]
        rows = tuple(
            Row(f"{group.name}: {row.name}", row.n, row.positives, row.figures)
            for group in groups
            for row in group.rows
        )
        unanswered = [f"{group.name}: {group.unanswered}" for group in groups if group.unanswered]
        note = f"without an answer: {', '.join(unanswered)}" if unanswered else ""
        yield Section(f"By {column}", ("auroc", "sensitivity", "specificity"), rows, note)


def show_figure(row: Row, name: str) -> str:
    """Return a figure with its interval, or why there is none."""
    if not row.figures:
        return INSUFFICIENT
    if name not in row.figures:
        # The line of a mean over labels has one figure.
        return UNDEFINED if len(row.figures) > 1 else ""
    return str(row.figures[name])


def describe_records(report: Report) -> Iterator[str]:
    """Yield sentences about which records were measured and which were not."""
    source, positives = report.source, report.tables.infarction[0].positives
    n_labelled = report.n_answered + len(report.unanswered)
    yield f"{source.n_records} records, {n_labelled} with a label, {report.n_answered} answered and measured"
    yield f"with infarction by the label: {positives} of the {report.n_answered} answered records"
    for status, what in (("cannot_analyse", "refused by the quality gate"), ("error", "could not be read")):
        of_status = [record for record in report.unanswered if record.status == status]
        ill = sum(record.infarction for record in of_status)
        if of_status or status == "cannot_analyse":
            yield f"{what}: {len(of_status)} ({ill} with infarction, {len(of_status) - ill} without)"
    for what, names in (
        ("records without a label", source.without_label),
        ("labels without a record", source.without_record),
    ):
        if names:
            yield f"{what}, not counted: {len(names)} ({shorten_list(names)})"
    if source.without_about:
        names = source.without_about
        yield f"records without a row in {source.about}: {len(names)} ({shorten_list(names)})"


def describe_method(report: Report) -> Iterator[str]:
    """Yield sentences about labels, models and intervals."""
    source, provenance = report.source, report.provenance
    yield f"labels: {source.table}, {source.form}; names of records in the column {source.record_column!r}"
    if source.about is not None:
        yield f"more columns: {source.about}"
    models = ", ".join(f"{model.name} {model.version} ({model.sha256[:12]})" for model in provenance.models)
    yield f"models: {models}; ecg_edge {provenance.ecg_edge}, {provenance.provider}"
    thresholds = ", ".join(f"{label} {threshold:.3f}" for label, threshold in report.thresholds.items())
    yield f"thresholds ({report.provenance.operating_point}): {thresholds}"
    by = f"by patient (patients: {report.n_patients})" if source.patient_column else "by record"
    yield f"intervals: 95%, {RESAMPLES} bootstrap resamples {by}"


def list_notes(report: Report) -> Iterator[str]:
    """Yield what a reader of the figures must know."""
    yield "Few records prove little. Read the interval, not the value: the truth may be anywhere in it."
    yield (
        f"A label with fewer than {ENOUGH_POSITIVES} records with it, or fewer than {ENOUGH_POSITIVES} without it, "
        "has insufficient data. The records of one patient count as one."
    )
    if any(
        figure.low == figure.high
        for section in list_sections(report)
        for row in section.rows
        for figure in row.figures.values()
    ):
        yield (
            "An interval without a width means that none of n records was an exception. Up to 3 in n may still be one."
        )
    yield "Predictive values hold for this share of infarctions. Where they are rarer, the positive one is lower."
    yield (
        f"ECE is the mean distance of probability and share of the label, over {N_BINS} bins of equal numbers of "
        "records. ECE by chance is what the same probabilities get if they are exactly right."
    )
    if report.source.patient_column is None:
        yield "If patients have several records, these intervals are too narrow; pass --patient COLUMN."
    if report.unanswered:
        yield "The figures are about the answered records. A refused infarction is not found either."
    yield "Records that the models learned from give figures that are too good."
