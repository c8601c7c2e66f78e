"""The report as a JSON object."""

from dataclasses import asdict
from typing import Any

from ecg_edge.evaluation.bootstrap import RESAMPLES
from ecg_edge.evaluation.calibration import cut_into_bins
from ecg_edge.evaluation.question import Row
from ecg_edge.evaluation.report import Report
from ecg_edge.evaluation.wording import list_notes

SCHEMA = 1


def to_dict(report: Report) -> dict[str, Any]:
    """Return plain values. A row with insufficient data has empty figures; a figure that is not defined is left out."""
    source = report.source
    return {
        "schema": SCHEMA,
        "source": {
            "folder": source.folder,
            "labels": source.table,
            "about": source.about,
            "form": source.form,
            "record_column": source.record_column,
            "patient_column": source.patient_column,
        },
        "provenance": asdict(report.provenance),
        "thresholds": report.thresholds,
        "bootstrap": {"resamples": RESAMPLES, "by": source.patient_column or "record", "patients": report.n_patients},
        "records": {
            "found": source.n_records,
            "labelled": report.n_answered + len(report.unanswered),
            "answered": report.n_answered,
            "unanswered": [asdict(record) for record in report.unanswered],
            "without_label": list(source.without_label),
            "labels_without_record": list(source.without_record),
            "without_about": list(source.without_about),
        },
        **{name: [_row(row) for row in rows] for name, rows in report.tables._asdict().items()},
        "groups": [
            {
                "column": group.column,
                "group": group.name,
                "unanswered": group.unanswered,
                "rows": [_row(row) for row in group.rows],
            }
            for group in report.groups
        ],
        "reliability": {
            question.name: [asdict(of_bin) for of_bin in cut_into_bins(question.truth, question.probability)]
            for question in report.calibration
            if question.can_be_answered
        },
        "mistakes": [asdict(of_label) for of_label in report.mistakes],
        "notes": list(list_notes(report)),
    }


def _row(row: Row) -> dict[str, Any]:
    figures = {name: asdict(figure) for name, figure in row.figures.items()}
    return {"label": row.name, "n": row.n, "positives": row.positives, "figures": figures}
