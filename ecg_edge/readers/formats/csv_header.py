"""Read the first lines of a table: delimiter, lines before the header, column names, units and the time column."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ecg_edge.readers.formats.csv_titles import (
    MISSING,
    is_number,
    parse_clock,
    parse_time_unit,
    seconds_of,
    split_title,
)
from ecg_edge.readers.registry import HEAD
from ecg_edge.recording.leads import LEADS, canonical_lead

LONGEST_LINE = 2**14
_MARKS = ("\t", ";", ",", " ")
_MOST_BEFORE = 30
"""Lines of other things that may stand above the header."""
_FEWEST_COLUMNS = 8
_FEWEST_LEAD_NAMES = 4
_MOST_COLUMNS = 512
# A line of more numbers than this is a lead, not a sample of each lead.
_MOST_BARE_COLUMNS = 64


@dataclass(frozen=True, slots=True)
class Header:
    """How a table is laid out."""

    encoding: str
    delimiter: str
    """A space stands for any number of spaces and tabs."""
    quoted: bool
    """Whether cells may stand in quotes."""
    n_lines: int
    """Lines before the first row of numbers, without comments and blank lines."""
    by_row: bool = False
    """Whether each lead is a row. The fields below are about columns."""
    is_named: bool = False
    """Whether the first row begins with the name of a lead or of the time."""
    n_columns: int = 0
    names: tuple[str, ...] | None = None
    """Names of the columns that may be leads; None if there is no header."""
    units: tuple[str | None, ...] = ()
    """Units of the same columns; None where the header does not state them."""
    columns: tuple[int, ...] = ()
    """Indices of the same columns."""
    time: int | None = None
    """Index of the time column, if there is one."""
    second: float | None = None
    """Seconds per unit of the time column, if its unit is known."""
    clock: bool = False
    """Whether the time column holds clock times, such as 10:00:00.002."""


def read_header(head: bytes) -> Header | str:
    """Read the first lines of a file; return why they are not a table of leads if they are not.

    Args:
        head: The first few thousand bytes of the file.
    """
    encoding = _detect_encoding(head)
    text = head.decode(encoding, "ignore")
    # `splitlines` would also end a line at characters that do not end one when the rows are read.
    lines = list(meaningful(line.rstrip("\n") for line in io.StringIO(text, newline=None)))
    if "\0" in text or not lines:
        return "it is not text"
    sep = re.fullmatch(r'"?sep=([^\w"\'.+-])"?', lines[0].strip("\ufeff \r\n") or "", re.IGNORECASE)
    is_cut = len(head) >= HEAD and not text.endswith("\n") and len(lines) > 1
    whole = lines[:-1] if is_cut else lines
    marks = (sep[1],) if sep else _MARKS
    first = int(bool(sep))
    for at in range(first, len(whole)):
        found = next((layout for mark in marks if (layout := _read_layout(whole[at:], mark))), None)
        if found is None:
            continue
        above = whole[max(first, at - 1) : at]
        if found.names is None and not found.by_row and _are_titles(above, found.delimiter, found.n_columns):
            break
        if at - first > _MOST_BEFORE:
            return f"its header is below more than {_MOST_BEFORE} other lines"
        quoted = any('"' in line for line in whole[at:])
        return replace(found, encoding=encoding, quoted=quoted, n_lines=at + found.n_lines)
    return _explain(whole[first:], marks)


def meaningful(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that are neither blank nor comments."""
    return (line for line in lines if line.strip() and not line.startswith("#"))


def _read_layout(lines: Sequence[str], mark: str) -> Header | None:
    """Return the layout of a table that begins with the first of some lines; None if none does."""
    rows = [_split_cells(lines[0], mark)]
    if len(rows[0]) < _FEWEST_COLUMNS:
        return None
    rows += [_split_cells(line, mark) for line in lines[1:20]]
    bare = Header("", mark, quoted=False, n_lines=0, n_columns=len(rows[0]))
    if _is_by_row(rows):
        return replace(bare, by_row=True, is_named=_is_title(rows[0][0]))
    if len(rows[0]) > _MOST_COLUMNS:
        return None
    return _read_titles(bare, rows) if _count_leads(rows[0]) >= _FEWEST_LEAD_NAMES else _read_bare(bare, rows)


def _is_by_row(rows: list[list[str]]) -> bool:
    first, *others = rows
    numbers = sum(map(is_number, first[1:]))
    if canonical_lead(split_title(first[0])[0]):
        return numbers >= _FEWEST_COLUMNS and all(canonical_lead(split_title(row[0])[0]) for row in others[:1])
    return numbers >= _MOST_BARE_COLUMNS


def _is_title(cell: str) -> bool:
    return canonical_lead(split_title(cell)[0]) is not None or parse_time_unit(cell) is not None


def _read_titles(bare: Header, rows: list[list[str]]) -> Header | None:
    titles, *below = rows
    has_units = bool(below) and not _is_data(below[0])
    if has_units and (_count_leads(below[0]) >= _FEWEST_LEAD_NAMES or not all(map(_is_data, below[1:2]))):
        return None
    data = below[has_units:][:1]
    if any(abs(len(row) - len(titles)) > (bare.delimiter != " ") for row in data):
        return None
    header = _add_names(bare, titles, below[0] if has_units else [])
    if header.time is not None and data and header.time < len(data[0]):
        clock = parse_clock(data[0][header.time]) is not None
        header = replace(header, clock=clock, second=1.0 if clock else header.second)
    return replace(header, n_lines=1 + has_units)


def _read_bare(bare: Header, rows: list[list[str]]) -> Header | None:
    """Return the layout of rows of numbers without a header."""
    # A data frame without column names writes column numbers above its values, and none above its index.
    numbered = _is_count(rows[0][int(not rows[0][0]) :])
    rows = rows[numbered:]
    if not rows or sum(map(is_number, rows[0])) < _FEWEST_COLUMNS:
        return None
    if any(len(row) != bare.n_columns or not _is_data(row) for row in rows[1:2]):
        return None
    columns = list(range(bare.n_columns))
    if bare.n_columns != len(LEADS):
        if _is_empty(rows, columns[-1]):
            columns.pop()
        if _counts_up(rows, columns[0]):
            columns.pop(0)
    return replace(bare, n_lines=int(numbered), columns=tuple(columns), units=(None,) * len(columns))


def _are_titles(lines: Sequence[str], mark: str, n_columns: int) -> bool:
    """Return whether the line above rows of numbers has their titles, which are not names of leads."""
    rows = [_split_cells(line, mark) for line in lines]
    return any(
        len(row) == n_columns and sum(bool(cell) and not is_number(cell) for cell in row) >= _FEWEST_COLUMNS
        for row in rows
    )


def _is_empty(rows: list[list[str]], column: int) -> bool:
    return all(row[column : column + 1] in ([""], []) for row in rows)


def _counts_up(rows: list[list[str]], column: int) -> bool:
    """Return whether a column numbers the rows, from 0 or 1 on."""
    cells = [row[column] for row in rows if len(row) > column]
    return len(cells) > 2 and _is_count(cells)


def _is_count(cells: Sequence[str]) -> bool:
    """Return whether cells are 0, 1, 2 ... or 1, 2, 3 ..."""
    return cells in [[str(first + place) for place in range(len(cells))] for first in (0, 1)]


def _is_data(row: list[str]) -> bool:
    """Return whether a row holds numbers; cells may be empty."""
    numbers = sum(map(is_number, row))
    return numbers > 0 and numbers + sum(cell.casefold() in MISSING for cell in row) >= _FEWEST_COLUMNS


def _count_leads(row: Sequence[str]) -> int:
    return sum(canonical_lead(split_title(cell)[0]) is not None for cell in row)


def _add_names(bare: Header, titles: list[str], below: list[str]) -> Header:
    units = [cell.strip("[]() ") for cell in below] + [""] * (len(titles) - len(below))
    time = next((place for place, title in enumerate(titles) if parse_time_unit(title) is not None), None)
    columns = tuple(place for place, title in enumerate(titles) if place != time and title)
    parts = [split_title(titles[place]) for place in columns]
    return replace(
        bare,
        names=tuple(name for name, _ in parts),
        units=tuple(unit or units[place] or None for (_, unit), place in zip(parts, columns, strict=True)),
        columns=columns,
        time=time,
        second=None if time is None else seconds_of(parse_time_unit(titles[time]) or units[time]),
    )


def _explain(lines: Sequence[str], marks: Sequence[str]) -> str:
    """Return why no table of leads begins in any of some lines."""
    rows = [_split_best(line, marks) for line in lines[: _MOST_BEFORE + 1]]
    widest = max(rows, key=len, default=[])
    if any(_count_leads(row) >= _FEWEST_LEAD_NAMES and len(row) >= _FEWEST_COLUMNS for row in rows):
        return "its header is not followed by rows of as many numbers"
    if len(widest) < _FEWEST_COLUMNS:
        return f"it has {len(widest)} columns, expected at least {_FEWEST_COLUMNS}: one for each lead"
    if len(widest) > _MOST_COLUMNS:
        return f"it has {len(widest)} columns, expected one for each lead"
    shown = ", ".join(cell[:20] for cell in widest[:6])
    return f"its columns do not have the names of leads, such as I, II or V1, but {shown} ..."


def _split_best(line: str, marks: Sequence[str]) -> list[str]:
    """Return the cells by the first delimiter that gives enough of them, or else by the one that gives the most."""
    found = [_split_cells(line, mark) for mark in marks]
    return next((row for row in found if len(row) >= _FEWEST_COLUMNS), max(found, key=len))


def _detect_encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"  # the micro sign has the same code in all related encodings
    return "utf-8-sig"


def _split_cells(line: str, mark: str) -> list[str]:
    import csv

    if mark == " ":
        return [cell.strip("'\"") for cell in line.split()]
    return [cell.strip(" '\"\r\n") for cell in next(csv.reader([line], delimiter=mark))]
