"""Join a second table to the table of labels, by the records that both are about."""

from collections.abc import Sequence
from dataclasses import replace

from ecg_edge.evaluation.label_table import LabelTable
from ecg_edge.evaluation.matching import match_records
from ecg_edge.recording import RecordFile


def join_tables(
    labels: LabelTable, about: LabelTable, records: Sequence[RecordFile], column: str | None
) -> tuple[LabelTable, tuple[str, ...]]:
    """Return the table of labels with the columns of another table that it does not have itself.

    Args:
        labels: The table of labels.
        about: The other table, such as one of patients, sex and age.
        records: All records.
        column: The column of the names of the records in `labels`, and in `about` if that has it; None to look for it.

    Returns:
        The joined table, and the names of the records that only the table of labels has. Their cells are empty.

    Raises:
        UnreadableError: The folder does not hold a recording.
        LabelsError: The rows of a table cannot be told to the records.
    """
    here = match_records(labels, records, column)
    there = match_records(about, records, column if column in about.columns else None)
    row_about = dict(zip(there.records, there.rows, strict=True))
    row_of = {row: row_about[place] for place, row in zip(here.records, here.rows, strict=True) if place in row_about}
    new = [place for place, name in enumerate(about.columns) if name not in labels.columns]
    cells = [
        tuple(about.rows[row_of[row]][place] if row in row_of else "" for place in new)
        for row in range(len(labels.rows))
    ]
    joined = replace(
        labels,
        columns=(*labels.columns, *(about.columns[place] for place in new)),
        rows=tuple(own + more for own, more in zip(labels.rows, cells, strict=True)),
    )
    missing = (place for place in here.records if place not in row_about)
    return joined, tuple(records[place].name for place in missing)
