"""The sites and the notes below the traces: as a table beside a list, or as lines where there is less room."""

from collections.abc import Iterator, Sequence
from itertools import chain

from ecg_edge.report.shapes import Shape, Words
from ecg_edge.report.text import shorten, wrap
from ecg_edge.report.words import Site

LINE_MM = 3.5
_SIZE = 2.8
_COLUMNS = (0.0, 48.0, 70.0, 74.0)
"""Where name, probability and threshold begin or end, and where "found" begins."""
_NOTES_X = 104.0
_NAME_MM = 27.0


def fill_columns(sites: Sequence[Site], notes: Sequence[str], width: float) -> tuple[list[Site], list[str]]:
    """Return the rows of the table of sites, and the lines of the notes beside it."""
    rows = [Site("Site", "Probability", "Threshold", found=""), *sites] if sites else []
    return rows, _break(notes, width - (_NOTES_X if rows else 0))


def fill_lines(sites: Sequence[Site], notes: Sequence[str], width: float) -> list[str]:
    """Return the sites and the notes as lines of the whole width."""
    words = "; ".join(f"{site.name} {site.probability} ({site.threshold})" for site in sites)
    return _break([*([f"Sites (threshold): {words}"] if sites else []), *notes], width)


def draw_columns(rows: Sequence[Site], notes: Sequence[str], left: float, top: float) -> Iterator[Shape]:
    """Yield the table and the notes; `top` is the line that the first letters stand on."""
    name_x, probability_x, threshold_x, found_x = (left + x for x in _COLUMNS)
    for number, site in enumerate(rows):
        y = top + number * LINE_MM
        bold = bool(site.found) or not number
        yield Words(name_x, y, shorten(site.name, _SIZE, _NAME_MM, bold=bold), _SIZE, bold=bold, part="site")
        yield Words(probability_x, y, site.probability, _SIZE, bold=bold, anchor="end", part="site")
        yield Words(threshold_x, y, site.threshold, _SIZE, bold=bold, anchor="end", part="site")
        if site.found:
            yield Words(found_x, y, site.found, _SIZE, bold=True, part="site")
    yield from draw_lines(notes, left + (_NOTES_X if rows else 0), top)


def draw_lines(lines: Sequence[str], left: float, top: float) -> Iterator[Shape]:
    """Yield lines of text."""
    for number, text in enumerate(lines):
        yield Words(left, top + number * LINE_MM, text, _SIZE, part="note")


def _break(texts: Sequence[str], width: float) -> list[str]:
    return list(chain.from_iterable(wrap(text, _SIZE, width) for text in texts))
