"""Which lead is drawn where, and at which time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.report.choices import LAYOUTS, Choices
from ecg_edge.report.excerpt import Excerpt


class Panel(NamedTuple):
    """One lead for the time of one column."""

    lead: str
    row: int
    column: int
    n_columns: int
    """Number of columns that the panel spans, 1 or all."""
    start: int
    """First sample of the excerpt."""
    stop: int
    """Sample of the excerpt after the last one."""


class Layout(NamedTuple):
    """The panels of a picture."""

    panels: tuple[Panel, ...]
    n_rows: int
    n_columns: int
    borders: NDArray[np.int64]
    """First sample of each column, and the number of samples, shape (columns + 1,)."""


def arrange(choices: Choices, excerpt: Excerpt) -> Layout:
    """Divide the time of an excerpt among the columns; each column begins with the sample after the one before.

    A shorter excerpt makes narrower columns, so that every lead is seen.
    """
    rows = LAYOUTS[choices.layout]
    n_columns = max(map(len, rows))
    samples = excerpt.millivolts.shape[1]
    borders = np.round(np.arange(n_columns + 1) * (samples / n_columns)).astype(np.int64)
    return Layout(tuple(_list_panels(rows, borders)), len(rows), n_columns, borders)


def _list_panels(rows: tuple[tuple[str, ...], ...], borders: NDArray[np.int64]) -> Iterator[Panel]:
    all_columns = len(borders) - 1
    for row, leads in enumerate(rows):
        if len(leads) == 1:
            yield Panel(leads[0], row, 0, all_columns, 0, int(borders[-1]))
            continue
        for column, lead in enumerate(leads):
            yield Panel(lead, row, column, 1, int(borders[column]), int(borders[column + 1]))
