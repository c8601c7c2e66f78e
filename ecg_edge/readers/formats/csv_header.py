"""Read the first lines of a .csv or .tsv: delimiter, column names, units and the time column."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ecg_edge.recording.leads import canonical_lead

LONGEST_LINE = 2**14
# Eight leads make seven delimiters.
_FEWEST_DELIMITERS = 7
_FEWEST_LEAD_NAMES = 4
_MOST_COLUMNS = 512
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_TIME_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "μs", "usec", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), "ns"),
}
_TIME = r"(?:elapsed[ _]?)?(?:time|timestamp|zeit|t)(?:[ _.]?(?P<unit>[a-z\u03bc]+))?"
_ENDINGS = ("mv", "uv", "nv", "\N{GREEK SMALL LETTER MU}v")


@dataclass(frozen=True, slots=True)
class Header:
    """How a table is laid out."""

    encoding: str
    delimiter: str
    quoted: bool
    """Whether cells may stand in quotes."""
    n_lines: int
    """Lines before the first row of numbers, without comments and blank lines."""
    n_columns: int
    names: tuple[str, ...] | None
    """Names of all columns but the time column; None if there is no header."""
    units: tuple[str | None, ...]
    """Units of the same columns; None where the header does not state them."""
    columns: tuple[int, ...]
    """Indices of the same columns."""
    time: int | None
    """Index of the time column, if there is one."""
    second: float | None
    """Seconds per unit of the time column, if the header states its unit."""


def read_header(head: bytes) -> Header | None:
    """Read the first lines of a file; return None if they are not a table of leads.

    Args:
        head: The first few thousand bytes of the file.
    """
    encoding = _detect_encoding(head)
    lines = list(meaningful(head.decode(encoding, "ignore").splitlines()))[:3]
    delimiter = next((mark for mark in "\t;," if lines and lines[0].count(mark) >= _FEWEST_DELIMITERS), None)
    if delimiter is None or lines[0].count(delimiter) >= _MOST_COLUMNS or any("\0" in line for line in lines):
        return None
    rows = [_split_cells(line, delimiter) for line in lines]
    n_lines = next((i for i, row in enumerate(rows) if _is_numeric(row)), len(rows))
    n_columns, quoted = len(rows[0]), any('"' in line for line in lines)
    nothing, columns = (None,) * n_columns, tuple(range(n_columns))
    bare = Header(encoding, delimiter, quoted, n_lines, n_columns, None, nothing, columns, None, None)
    if n_lines == 0:
        # A data frame without column names writes column numbers above its values.
        numbered = rows[0] in [[str(place + first) for place in columns] for first in (0, 1)]
        return replace(bare, n_lines=int(numbered))
    if n_lines > 2 or len([1 for cell in rows[0] if canonical_lead(_split(cell)[0])]) < _FEWEST_LEAD_NAMES:
        return None
    return _add_names(bare, rows[0], rows[1] if n_lines == 2 else [])


def meaningful(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that are neither blank nor comments."""
    return (line for line in lines if line.strip() and not line.startswith("#"))


def _add_names(bare: Header, titles: list[str], below: list[str]) -> Header:
    units = [cell.strip("[]() ") for cell in below] + [""] * (len(titles) - len(below))
    time = next((place for place, title in enumerate(titles) if _parse_time_unit(title) is not None), None)
    columns = tuple(place for place, title in enumerate(titles) if place != time and title)
    parts = [_split(titles[place]) for place in columns]
    unit = None if time is None else _parse_time_unit(titles[time]) or _TIME_WORDS.get(units[time].casefold(), "")
    return replace(
        bare,
        names=tuple(name for name, _ in parts),
        units=tuple(unit or units[place] or None for (_, unit), place in zip(parts, columns, strict=True)),
        columns=columns,
        time=time,
        second=_SECONDS.get(unit or ""),
    )


def _detect_encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"  # the micro sign has the same code in all related encodings
    return "utf-8-sig"


def _split_cells(line: str, delimiter: str) -> list[str]:
    import csv

    return [cell.strip(" '\"\r\n") for cell in next(csv.reader([line], delimiter=delimiter))]


def _is_numeric(row: list[str]) -> bool:
    """Return whether a row holds the numbers of enough leads."""
    return sum(map(_is_number, row)) > _FEWEST_DELIMITERS


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _split(title: str) -> tuple[str, str | None]:
    """Split "I (mV)", "I [mV]", "I/mV" and "I_mV" into name and unit."""
    for opening in "[(/":
        name, found, unit = title.partition(opening)
        if found:
            return name.rstrip(" _."), unit.strip(" ])") or None
    if title[-2:].casefold() in _ENDINGS and title[-3:-2] in ("_", " ", "."):
        return title[:-3].rstrip(), title[-2:]
    return title, None


def _parse_time_unit(title: str) -> str | None:
    """Return the unit of a time column, "" if its title has no unit; None if it is not a time column."""
    name, unit = _split(title.casefold().replace("\u00b5", "\u03bc"))
    if name in _TIME_WORDS:
        return _TIME_WORDS[name]
    found = re.fullmatch(_TIME, name)
    if found is None or (found["unit"] and found["unit"] not in _TIME_WORDS):
        return None
    return _TIME_WORDS.get(found["unit"] or unit or "", "")
