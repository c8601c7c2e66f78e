"""What a sheet consists of: lines, areas and words in millimetres from its upper left corner."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]
"""Corners of a line: x to the right and y downwards in mm, shape (corners, 2)."""
Anchor = Literal["start", "middle", "end"]

BLACK, GREY = "#000000", "#4d4d4d"
WHITE = "#ffffff"


class Lines(NamedTuple):
    """Lines of one colour and width."""

    lines: Sequence[Line]
    width: float
    """Millimetres."""
    colour: str = BLACK
    dash: tuple[float, ...] = ()
    """Lengths of dashes and gaps in mm; none for a whole line."""
    part: str = ""
    """What it shows, for programs: "grid", "trace" ..."""
    lead: str = ""
    """The lead that it belongs to, for programs."""


class Area(NamedTuple):
    """A filled polygon."""

    corners: Line
    colour: str
    part: str = ""


class Words(NamedTuple):
    """One line of text."""

    x: float
    y: float
    """Of the line that the letters stand on."""
    text: str
    size: float
    """Millimetres; a capital has 0.73 of it."""
    bold: bool = False
    anchor: Anchor = "start"
    colour: str = BLACK
    part: str = ""


Shape = Lines | Area | Words


class Sheet(NamedTuple):
    """One side of paper."""

    shapes: tuple[Shape, ...]
    title: str
    description: str
    """The picture in words, for those who cannot see it."""


WIDTH_MM, HEIGHT_MM = 297.0, 210.0
"""A4, landscape. The content is also within the sheet of US Letter."""


def line(*corners: tuple[float, float]) -> Line:
    """Return a line through some corners."""
    return np.array(corners, np.float64)


def box(left: float, top: float, right: float, bottom: float) -> Line:
    """Return the corners of a rectangle."""
    return line((left, top), (right, top), (right, bottom), (left, bottom))
