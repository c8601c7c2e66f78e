"""Read tables with a lead in each row, with or without its name in the first cell."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.readers.formats.csv_header import Header, meaningful
from ecg_edge.readers.formats.csv_lines import fill_missing, normalize
from ecg_edge.readers.formats.csv_titles import is_number, parse_time_unit, seconds_of, split_title

LONGEST_ROW = 2**24
"""Characters of one lead; an hour at 500 Hz has 14 million."""
_MOST_ROWS = 512


class RowTable(NamedTuple):
    """The rows of a table."""

    values: list[NDArray[np.float32]]
    names: tuple[str, ...] | None
    """Name of each row; None if the rows have no names."""
    units: tuple[str | None, ...]
    times: NDArray[np.float64] | None
    """Time of each sample, if a row states it with its unit."""
    second: float
    """Seconds per unit of the times."""


class _Row(NamedTuple):
    title: str | None
    """None if the row begins with a number."""
    values: NDArray[np.float64]


def read_rows(lines: Iterator[str], header: Header, source: str) -> RowTable:
    """Read the rows of a table.

    Args:
        lines: Of the whole file.
        header: Its layout.
        source: Name of the file in error messages.

    Raises:
        UnreadableError: A row does not hold numbers, or there are too many of them.
        InvalidRecordingError: The rows have different lengths.
    """
    wanted = islice(meaningful(lines), header.n_lines, None)
    rows, times, second = [], None, None
    for number, (title, values) in enumerate(_parse_rows(wanted, header, source)):
        if number == _MOST_ROWS:
            raise UnreadableError(source, f"has more than {_MOST_ROWS} rows, although it begins with a lead in a row")
        unit = None if title is None else parse_time_unit(title)
        if unit is not None and times is None:
            times, second = values, seconds_of(unit)
            continue
        with np.errstate(over="ignore"):
            rows.append((title, values.astype(np.float32)))
    # Above rows without names, a data frame writes the numbers of the samples, and before each row its number.
    if len(rows) > 1 and rows[0][0] is not None and all(title is None for title, _ in rows[1:]):
        del rows[0]
        if _count_up([float(values[0]) for _, values in rows if len(values)]):
            rows = [(title, values[1:]) for title, values in rows]
    return _make_table(rows, times, second, source)


def _count_up(firsts: list[float]) -> bool:
    """Return whether numbers are 0, 1, 2 ... or 1, 2, 3 ..."""
    return firsts in [[float(first + place) for place in range(len(firsts))] for first in (0, 1)]


def _make_table(
    rows: list[tuple[str | None, NDArray[np.float32]]],
    times: NDArray[np.float64] | None,
    second: float | None,
    source: str,
) -> RowTable:
    lengths = {len(values) for _, values in rows} | ({len(times)} if times is not None else set())
    if len(lengths) != 1 or not rows:
        found = " and ".join(map(str, sorted(lengths)[:2])) or "none"
        msg = f"{source}: its leads are rows, and they have different numbers of samples: {found}"
        raise InvalidRecordingError(msg)
    # A delimiter at the end of each line is not a missing sample.
    if lengths != {0} and all(np.isnan(values[-1]) for _, values in rows):
        rows = [(title, values[:-1]) for title, values in rows]
        times = None if times is None else times[:-1]
    titles = [title for title, _ in rows]
    parts = [split_title(title or "") for title in titles]
    return RowTable(
        [values for _, values in rows],
        None if all(title is None for title in titles) else tuple(name for name, _ in parts),
        tuple(unit for _, unit in parts),
        times if second is not None else None,
        second or 1.0,
    )


def _parse_rows(lines: Iterator[str], header: Header, source: str) -> Iterator[_Row]:
    plain, delimiter = normalize(lines, header, source)
    for number, line in enumerate(plain, header.n_lines + 1):
        first, _, others = line.strip("\r\n").partition(delimiter)
        title = first.strip(" '\"")
        named = not is_number(title)
        values = _parse_numbers(others if named else f"{title}{delimiter}{others}", delimiter)
        if values is None:
            raise UnreadableError(source, f"line {number} is not a row of numbers")
        yield _Row(title if named else None, values)


def _parse_numbers(text: str, delimiter: str) -> NDArray[np.float64] | None:
    for prepare in (str, lambda line: fill_missing(line, delimiter)):
        with suppress(ValueError, IndexError):
            return np.loadtxt([prepare(text)], delimiter=delimiter, ndmin=1, comments=None)
    return None
