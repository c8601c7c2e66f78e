"""From a table of labels and the records of a folder to the records that are measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import LabelsError
from ecg_edge.evaluation.bootstrap import number_patients
from ecg_edge.evaluation.groups import group_rows
from ecg_edge.evaluation.joining import join_tables
from ecg_edge.evaluation.label_table import LabelTable
from ecg_edge.evaluation.labels import read_labels
from ecg_edge.evaluation.matching import match_records
from ecg_edge.evaluation.report import Labelled, Source
from ecg_edge.evaluation.tables import INFARCTION
from ecg_edge.recording import RecordFile


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of the table tell what."""

    record: str | None = None
    """Names of the records; None to look for a usual name."""
    label: str | None = None
    """None to look for a column for each site or, with codes, for a column of codes."""
    positive: tuple[str, ...] = ()
    """Codes that mean an infarction, if the labels are codes."""
    patient: str | None = None
    """None: each record is a patient of its own."""
    groups: tuple[str, ...] = ()
    """Columns whose groups are measured too."""


def select_records(  # noqa: PLR0913, PLR0917 - what is told of the records
    folder: str,
    table: LabelTable,
    columns: Columns,
    sites: Sequence[str],
    records: Sequence[RecordFile],
    about: LabelTable | None = None,
) -> tuple[Source, Labelled, list[RecordFile]]:
    """Return the records that have a label, their labels, and what is left out.

    Args:
        folder: Where the records come from.
        table: The table of labels.
        columns: Which columns to use.
        sites: Names of the model's sites, in its order.
        records: All records of the folder.
        about: Another table about the same records, with more columns.

    Raises:
        LabelsError: The table does not have what is asked of it, does not fit the records, or has one class only.
    """
    without_about: tuple[str, ...] = ()
    if about is not None:
        table, without_about = join_tables(table, about, records, columns.record)
    labels = read_labels(table, sites, columns.label, columns.positive)
    match = match_records(table, records, columns.record)
    pairs = [(place, row) for place, row in zip(match.records, match.rows, strict=True) if labels.known[row]]
    if not pairs:
        raise LabelsError(table.path, "no record has a label: the cells of the records in the folder are empty")
    places, rows = (list(numbers) for numbers in zip(*pairs, strict=True))
    infarction = labels.infarction[rows]
    if infarction.all() or not infarction.any():
        which = "have" if infarction.all() else "do not have"
        raise LabelsError(
            table.path,
            f"all {len(rows)} labelled records {which} an infarction; figures need records with and without one",
        )
    truth = infarction[:, None] if labels.sites is None else np.column_stack([infarction, labels.sites[rows]])
    labelled = Labelled(
        (INFARCTION, *sites) if labels.sites is not None else (INFARCTION,),
        truth,
        _number_patients(table, columns.patient, rows),
        {column: group_rows(table, column, rows) for column in columns.groups},
    )
    chosen = set(places)
    left = tuple(record.name for place, record in enumerate(records) if place not in chosen)
    source = Source(
        folder=folder,
        table=str(table.path),
        form=labels.form,
        record_column=match.column,
        patient_column=columns.patient,
        n_records=len(records),
        without_label=left,
        without_record=match.without_record,
        about=None if about is None else str(about.path),
        without_about=without_about,
    )
    return source, labelled, [records[place] for place in places]


def _number_patients(table: LabelTable, column: str | None, rows: Sequence[int]) -> NDArray[np.int64]:
    if column is None:
        return np.arange(len(rows))
    cells = table.get_column(column)
    # A record without a patient is a patient of its own; no cell ends with a line break.
    return number_patients([cells[row] or f"{row}\n" for row in rows])
