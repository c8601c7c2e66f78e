"""Sheets as SVG in true millimetres: no script, no style sheet, nothing from outside."""

from collections.abc import Iterator, Sequence
from functools import singledispatch
from html import escape

import numpy as np

from ecg_edge.report.shapes import HEIGHT_MM, WIDTH_MM, Area, Lines, Sheet, Words
from ecg_edge.report.shapes import Line as Corners

_FONTS = "Arial, Helvetica, Liberation Sans, DejaVu Sans, sans-serif"
_STEP_MM = 0.01
"""Coordinates are whole numbers of this unit."""


def write_svg(sheets: Sequence[Sheet]) -> str:
    """Return one picture of all sheets, one below the other."""
    height = HEIGHT_MM * len(sheets)
    title, description = sheets[0].title, " ".join(sheet.description for sheet in sheets)
    parts = [_open(height, title, description, "1")]
    for number, sheet in enumerate(sheets):
        parts.append(f'<g transform="translate(0 {number * HEIGHT_MM:g})">' if number else "<g>")
        parts += [_write(shape) for shape in sheet.shapes]
        parts.append("</g>")
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *parts, "</svg>", ""])


def write_figure(sheet: Sheet, number: int) -> str:
    """Return the picture of one sheet, to be part of a page."""
    opening = _open(HEIGHT_MM, sheet.title, sheet.description, str(number))
    return "\n".join([opening, *(_write(shape) for shape in sheet.shapes), "</svg>"])


def _open(height: float, title: str, description: str, number: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {WIDTH_MM:g} {height:g}" role="img" aria-labelledby="title{number} description{number}" '
        f'font-family="{_FONTS}" stroke-linejoin="round" stroke-linecap="round">\n'
        f'<title id="title{number}">{escape(title)}</title>\n'
        f'<desc id="description{number}">{escape(description)}</desc>\n'
        f'<rect width="{WIDTH_MM:g}" height="{height:g}" fill="#ffffff"/>'
    )


@singledispatch
def _write(shape: object) -> str:
    raise TypeError(type(shape).__name__)


@_write.register
def _(shape: Lines) -> str:
    names = "".join(_name(*pair) for pair in (("class", shape.part), ("data-lead", shape.lead)))
    # Butt ends, or a dash would be longer than it says.
    dash = f' stroke-linecap="butt" stroke-dasharray="{_scale(*shape.dash)}"' if shape.dash else ""
    steps = "".join(_write_steps(shape.lines))
    return (
        f'<path{names} transform="scale({_STEP_MM})" fill="none" stroke="{shape.colour}" '
        f'stroke-width="{_scale(shape.width)}"{dash} d="{steps}"/>'
    )


@_write.register
def _(shape: Area) -> str:
    steps = "".join(_write_steps([shape.corners]))
    return f'<path{_name("class", shape.part)} transform="scale({_STEP_MM})" fill="{shape.colour}" d="{steps}z"/>'


@_write.register
def _(shape: Words) -> str:
    weight = ' font-weight="bold"' if shape.bold else ""
    anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
    colour = f' fill="{shape.colour}"' if shape.colour != "#000000" else ""
    place = f'x="{shape.x:.2f}" y="{shape.y:.2f}" font-size="{shape.size:g}"'
    return f"<text{_name('class', shape.part)} {place}{weight}{anchor}{colour}>{escape(shape.text)}</text>"


def _name(attribute: str, value: str) -> str:
    return f' {attribute}="{escape(value)}"' if value else ""


def _scale(*lengths: float) -> str:
    return " ".join(f"{length / _STEP_MM:g}" for length in lengths)


def _write_steps(lines: Sequence[Corners]) -> Iterator[str]:
    """Yield each line as a place and the steps from there."""
    if not lines:
        return
    places = np.round(np.concatenate(lines) / _STEP_MM).astype(np.int64)
    corners, steps = places.tolist(), np.diff(places, axis=0).ravel().tolist()
    start = 0
    for each in lines:
        stop = start + len(each)
        x, y = corners[start]
        numbers = " ".join(map(str, steps[2 * start : 2 * (stop - 1)]))
        yield f"M{x} {y}l{numbers}".replace(" -", "-")
        start = stop
