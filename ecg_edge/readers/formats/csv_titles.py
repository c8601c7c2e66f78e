"""Read the titles of columns or rows of a table, and its cells: names, units, times."""

import re

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_TIME_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "с", "сек"), "s"),  # noqa: RUF001 - Russian
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds", "мс", "мсек"), "ms"),
    **dict.fromkeys(("us", "μs", "usec", "microsecond", "microseconds", "мкс"), "us"),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), "ns"),
}
_TIME_NAMES = "timestamp|datetime|time|clock|zeit|uhrzeit|время|t"
_TIME = rf"(?:elapsed[ _]?)?(?:{_TIME_NAMES})(?:(?:, ?|[ _.])?(?P<unit>[^\W\d_]+))?"
_ENDINGS = ("mv", "uv", "nv", "\N{GREEK SMALL LETTER MU}v")
_CLOCK = r"(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:[.,]\d{1,12})?)"
# A date before or after the time does not matter: only differences do.
_CLOCK_AND_DATE = r"[-\d:.,/ TZ+\[\]]{3,60}"
MISSING = {"", "-", "n/a", "na", "none", "null"}
"""Cells that stand for a missing sample."""


def seconds_of(unit: str) -> float | None:
    """Return the seconds in a unit of time in any spelling; None if it is not one."""
    return _SECONDS.get(_TIME_WORDS.get(unit.casefold().replace("\u00b5", "\u03bc"), ""))


def split_title(title: str) -> tuple[str, str | None]:
    """Split "I (mV)", "I [mV]", "I/mV" and "I_mV" into name and unit."""
    for opening in "[(/":
        name, found, unit = title.partition(opening)
        if found:
            return name.rstrip(" _."), unit.strip(" ])") or None
    if title[-2:].casefold() in _ENDINGS and title[-3:-2] in ("_", " ", "."):
        return title[:-3].rstrip(), title[-2:]
    return title, None


def parse_time_unit(title: str) -> str | None:
    """Return the unit of a time column, "" if its title has no unit; None if it is not a time column."""
    name, unit = split_title(title.casefold().replace("\u00b5", "\u03bc"))
    if name in _TIME_WORDS:
        return _TIME_WORDS[name]
    found = re.fullmatch(_TIME, name)
    if found is None or (found["unit"] and found["unit"] not in _TIME_WORDS):
        return None
    return _TIME_WORDS.get(found["unit"] or unit or "", "")


def parse_clock(cell: str) -> float | None:
    """Return the seconds since midnight of a clock time such as 10:00:00.002; None for other cells."""
    found = re.search(_CLOCK, cell) if re.fullmatch(_CLOCK_AND_DATE, cell) else None
    if found is None:
        return None
    minutes = 60 * int(found["hours"] or 0) + int(found["minutes"])
    return 60 * minutes + float(found["seconds"].replace(",", "."))


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, with a decimal point or comma."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
