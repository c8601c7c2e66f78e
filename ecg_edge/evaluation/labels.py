"""What the table of labels says of each record: infarction or not and, if it is told, which sites."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.competition import NORMAL_COLUMN, SITE_COLUMNS
from ecg_edge.errors import LabelsError
from ecg_edge.evaluation.label_table import LabelTable, shorten_list

_NO = {"0", "0.0", "false", "no"}
_YES = {"1", "1.0", "true", "yes"}
_NO_SITE = _NO | {
    "",
    "-",
    "empty",
    "healthy",
    "nan",
    "negative",
    "noinfarction",
    "none",
    "norm",
    "normal",
    NORMAL_COLUMN,
}
_CODE_COLUMNS = ("scp_codes", "snomed_codes", "snomed_ct", "snomed", "dx", "codes")
_KEYS_OF_A_DICT = re.compile(r"""['"]([^'"]+)['"]\s*:""")


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a table."""

    form: str
    """How the table states them, for people."""
    known: NDArray[np.bool_]
    """Whether a row has a label, shape (rows,)."""
    infarction: NDArray[np.bool_]
    """Shape (rows,)."""
    sites: NDArray[np.bool_] | None
    """Shape (rows, sites), in the order of the model; None if the table does not state sites."""


def read_labels(table: LabelTable, sites: Sequence[str], label: str | None, positive: Sequence[str]) -> Labels:
    """Read the labels in the form that the table has.

    Args:
        table: The table.
        sites: Names of the model's sites.
        label: Column of the labels; None to look for a column for each site or, with codes, for a column of codes.
        positive: Codes that mean an infarction, if the labels are codes.

    Raises:
        LabelsError: The column is missing, or a cell is not a label.
    """
    if positive:
        return _read_codes(table, _find_codes(table) if label is None else label, positive)
    if label is not None:
        cells = table.get_column(label)
        words = {cell.casefold() for cell in cells}
        is_binary = words <= _NO | {""} or words & _YES or all(map(_is_number, words - {""}))
        return _read_binary(table, label) if is_binary else _read_site_names(table, label, sites)
    for columns in ([SITE_COLUMNS.get(site, site) for site in sites], list(sites)):
        if set(columns) <= set(table.columns):
            return _read_site_columns(table, columns)
    raise LabelsError(
        table.path,
        "has no column for each site; pass --label COLUMN, or --positive CODES for labels that are codes; "
        f"the columns are {shorten_list(table.columns)}",
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_binary(table: LabelTable, column: str) -> Labels:
    known, infarction = _read_zeros_and_ones(table, column)
    return Labels(f"0 or 1 in the column {column!r}", known, infarction, None)


def _read_site_columns(table: LabelTable, columns: Sequence[str]) -> Labels:
    read = [_read_zeros_and_ones(table, column) for column in columns]
    known, found = (np.column_stack(cells) for cells in zip(*read, strict=True))
    everything: NDArray[np.bool_] = np.logical_and.reduce(known, axis=1)
    return Labels("a column of 0 and 1 for each site", everything, _find_any(found), found)


def _find_any(sites: NDArray[np.bool_]) -> NDArray[np.bool_]:
    infarction: NDArray[np.bool_] = np.logical_or.reduce(sites, axis=1)
    return infarction


def _read_zeros_and_ones(table: LabelTable, column: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which cells have a label, and which say yes."""
    words = [cell.casefold() for cell in table.get_column(column)]
    for word, line in zip(words, table.lines, strict=True):
        if word not in _NO | _YES | {""}:
            raise LabelsError(
                table.path, f"line {line}: {word!r} in the column {column!r}, expected 0 or 1, or an empty cell"
            )
    return np.array([word != "" for word in words]), np.array([word in _YES for word in words])


def _read_site_names(table: LabelTable, column: str, sites: Sequence[str]) -> Labels:
    known = {
        _simplify(name): place for place, site in enumerate(sites) for name in (site, SITE_COLUMNS.get(site, site))
    }
    found = np.zeros((len(table.rows), len(sites)), np.bool_)
    for row, (cell, line) in enumerate(zip(table.get_column(column), table.lines, strict=True)):
        for word in re.split(r"[;,+|/&]", cell):
            name = _simplify(word)
            if name in known:
                found[row, known[name]] = True
            elif name not in _NO_SITE and word.strip() != "-":
                raise LabelsError(
                    table.path,
                    f"line {line}: {word.strip()!r} in the column {column!r} is not a site; the sites are "
                    f"{', '.join(sites)}; no infarction is 'normal', 'none', 0 or an empty cell",
                )
    everyone = np.ones(len(found), np.bool_)
    return Labels(f"names of sites in the column {column!r}", everyone, _find_any(found), found)


def _simplify(word: str) -> str:
    return re.sub(r"[\s_\-\u2010-\u2015]", "", word.casefold())


def _find_codes(table: LabelTable) -> str:
    found = table.find_column(_CODE_COLUMNS)
    if not found:
        raise LabelsError(
            table.path,
            f"has no column of codes ({', '.join(_CODE_COLUMNS)}); pass --label COLUMN; "
            f"the columns are {shorten_list(table.columns)}",
        )
    return found[0]


def _read_codes(table: LabelTable, column: str, positive: Sequence[str]) -> Labels:
    cells = table.get_column(column)
    wanted = {code.casefold() for code in positive}
    codes = [{code.casefold() for code in split_codes(cell)} for cell in cells]
    infarction = np.array([bool(of_row & wanted) for of_row in codes])
    if not infarction.any():
        seen = sorted({code for cell in cells for code in split_codes(cell)})
        raise LabelsError(
            table.path,
            f"no row has one of the codes {', '.join(positive)} in the column {column!r}; "
            f"the codes there are {shorten_list(seen) or 'none'}",
        )
    known = np.array([cell != "" for cell in cells])
    return Labels(f"codes {', '.join(positive)} in the column {column!r}", known, infarction, None)


def split_codes(text: str) -> list[str]:
    """Return the codes of a cell: the keys of a dictionary such as `{'IMI': 100.0}`, or a list such as `1;2`."""
    keys = [key.strip() for key in _KEYS_OF_A_DICT.findall(text)] if text.startswith("{") else []
    # A spreadsheet makes a decimal number of a column of numbers with empty cells.
    return keys or [code.removesuffix(".0") for code in re.split(r"[\s,;|+{}\[\]()'\"]+", text) if code]
