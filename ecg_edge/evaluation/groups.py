"""Groups of records by a column of the table: its values, or bands of its numbers."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import LabelsError
from ecg_edge.evaluation.label_table import LabelTable

MISSING = "missing"
NOT_FINITE, NOT_AN_AGE = "not finite", "not an age"
_MISSING_WORDS = {"", "nan", "na", "n/a", "null", "none"}
_MOST_VALUES = 10
"""Numbers with more different values are cut into bands."""
_MOST_GROUPS = 20
_AGE_WORDS = {"age", "alter", "возраст"}
_YEARS, _OLDEST = 20, 80


def group_rows(table: LabelTable, column: str, rows: Sequence[int]) -> dict[str, NDArray[np.bool_]]:
    """Return which of some rows belong to each group.

    An age is cut into bands of 20 years; negative and infinite ones are a group of their own.
    Other numbers of more than ten different values are cut at their quartiles. Each other value is a group.

    Args:
        table: The table of labels.
        column: The column that tells the groups.
        rows: The rows that are grouped.

    Returns:
        For each group its members, shape (rows,). A group has at least one.

    Raises:
        LabelsError: There is no such column, or it has too many groups.
    """
    cells = table.get_column(column)
    chosen = ["" if cells[row].casefold() in _MISSING_WORDS else cells[row] for row in rows]
    names, order = _name_groups(column, chosen)
    if len(order) > _MOST_GROUPS:
        raise LabelsError(
            table.path,
            f"the column {column!r} has {len(order)} different values; "
            f"--by needs numbers, or at most {_MOST_GROUPS} different values",
        )
    groups = {name: np.array([one == name for one in names]) for name in order}
    missing = np.array([cell == "" for cell in chosen])
    return groups | ({MISSING: missing} if missing.any() else {})


def _name_groups(column: str, cells: list[str]) -> tuple[list[str | None], list[str]]:
    """Return the group of each cell, None for an empty one, and the groups in their order."""
    try:
        numbers = np.array([float(cell) for cell in cells if cell])
    except ValueError:
        return [cell or None for cell in cells], sorted({cell for cell in cells if cell})
    is_age = bool(_AGE_WORDS & set(re.split(r"[\W_]+", column.casefold())))
    if not is_age and not np.isfinite(numbers).any():
        return [cell or None for cell in cells], sorted({cell for cell in cells if cell})
    possible = np.isfinite(numbers) & ((numbers >= 0) | (not is_age))
    bands, names = _cut(numbers[possible], is_age=is_age)
    of_all = np.full(len(numbers), len(names))
    of_all[possible] = bands
    names.append(NOT_AN_AGE if is_age else NOT_FINITE)
    of_numbers = iter(of_all)
    named = [names[next(of_numbers)] if cell else None for cell in cells]
    return named, [name for band, name in enumerate(names) if band in of_all]


def _cut(numbers: NDArray[np.float64], *, is_age: bool) -> tuple[NDArray[np.int64], list[str]]:
    """Return the group of each number and the names of all groups."""
    if is_age:
        return np.minimum(numbers // _YEARS, _OLDEST // _YEARS).astype(np.int64), _name_ages()
    values, places = np.unique(numbers, return_inverse=True)
    if len(values) <= _MOST_VALUES:
        return places.astype(np.int64), [f"{value:g}" for value in values]
    quartiles = np.unique(np.quantile(numbers, [0.25, 0.5, 0.75]))
    return np.searchsorted(quartiles, numbers).astype(np.int64), _name_quartiles(quartiles)


def _name_ages() -> list[str]:
    return [*(f"{first} to {first + _YEARS - 1}" for first in range(0, _OLDEST, _YEARS)), f"{_OLDEST} and over"]


def _name_quartiles(quartiles: NDArray[np.float64]) -> list[str]:
    ends = [f"{end:g}" for end in quartiles]
    between = [f"over {low} to {high}" for low, high in pairwise(ends)]
    return [f"up to {ends[0]}", *between, f"over {ends[-1]}"]
