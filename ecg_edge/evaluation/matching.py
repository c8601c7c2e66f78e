"""Which row of the table of labels is about which record."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ecg_edge.errors import LabelsError
from ecg_edge.evaluation.label_table import LabelTable, shorten_list
from ecg_edge.readers.registry import suffixes
from ecg_edge.recording import RecordFile

_RECORD_COLUMNS = (
    *("record_name", "record", "record_id", "recording", "name", "filename", "file_name", "file", "path"),
    *("filename_hr", "filename_lr", "ecg_id", "id"),
)
_SIGNAL_SUFFIXES = (".dat", ".mat")
_MOST_PARTS = 6
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Match:
    """Rows and records that belong together."""

    column: str
    """The column of the names of the records."""
    records: tuple[int, ...]
    """Places of the records that have a row."""
    rows: tuple[int, ...]
    """The row of each of them."""
    without_record: tuple[str, ...]
    """Names in the table that no record has."""


def match_records(table: LabelTable, records: Sequence[RecordFile], column: str | None) -> Match:
    """Find the record of each row by its name, with or without suffix and path.

    Args:
        table: The table of labels.
        records: All records.
        column: The column of the names; None to take, of the columns with a usual name, the one that fits most records.

    Raises:
        UnreadableError: The folder does not hold a recording.
        LabelsError: No such column, no name fits a record, a name fits several, or two rows are about one record.
    """
    known = _index(records)
    columns = table.find_column(_RECORD_COLUMNS) if column is None else [column]
    if not columns:
        raise LabelsError(
            table.path,
            f"has no column of record names ({', '.join(_RECORD_COLUMNS)}); pass --record COLUMN; "
            f"the columns are {shorten_list(table.columns)}",
        )
    found = {name: [_find(known, cell) for cell in table.get_column(name)] for name in columns}
    best = max(columns, key=lambda name: sum(bool(places) for places in found[name]))
    if not any(found[best]):
        if len(records) == 1:
            records[0].read()  # a folder without recordings is one record, whose error says so
        here, there = table.get_column(best), [record.name for record in records]
        raise LabelsError(
            table.path,
            f"no record has a name of the column {best!r}; the column has {shorten_list(here[:_MOST_NAMED])}, "
            f"the records are {shorten_list(there[:_MOST_NAMED])}",
        )
    return _pair(table, records, best, found[best])


def _pair(table: LabelTable, records: Sequence[RecordFile], column: str, found: list[tuple[int, ...]]) -> Match:
    row_of: dict[int, int] = {}
    names = table.get_column(column)
    for row, places in enumerate(found):
        if len(places) > 1:
            sources = shorten_list([records[place].source for place in places[:_MOST_NAMED]])
            raise LabelsError(
                table.path, f"line {table.lines[row]}: {names[row]!r} fits several records ({sources}); write the path"
            )
        for place in places:
            if place in row_of:
                lines = f"lines {table.lines[row_of[place]]} and {table.lines[row]}"
                raise LabelsError(table.path, f"{lines} are about the same record, {records[place].name}")
            row_of[place] = row
    left = tuple(name for name, places in zip(names, found, strict=True) if not places)
    order = sorted(row_of)
    return Match(column, tuple(order), tuple(row_of[place] for place in order), left)


def _index(records: Sequence[RecordFile]) -> dict[str, tuple[int, ...]]:
    """Return the records that each name fits: the last parts of a path, with and without suffix."""
    known: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for place, record in enumerate(records):
        for name in (record.name, *_list_tails(record.source)):
            for spelling in _spell(name):
                known[spelling][place] = None
    return {name: tuple(places) for name, places in known.items()}


def _find(known: dict[str, tuple[int, ...]], cell: str) -> tuple[int, ...]:
    """Return the records that a cell fits, by as much of its path as fits any."""
    spellings = (spelling for tail in _list_tails(cell) for spelling in _spell(tail))
    return next((known[spelling] for spelling in spellings if spelling in known), ())


def _list_tails(path: str) -> Iterator[str]:
    """Yield the last parts of a path, the longest first."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")][-_MOST_PARTS:]
    return ("/".join(parts[first:]) for first in range(len(parts)))


def _spell(name: str) -> Iterator[str]:
    yield name
    path = PurePosixPath(name)
    if path.suffix.lower() in _known_suffixes():
        yield str(path.with_suffix(""))


_SUFFIXES: set[str] = set()


def _known_suffixes() -> set[str]:
    if not _SUFFIXES:
        _SUFFIXES.update(suffixes(), _SIGNAL_SUFFIXES)
    return _SUFFIXES
