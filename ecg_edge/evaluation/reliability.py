"""The reliability figure as SVG: how often a probability is right, label by label."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from ecg_edge.evaluation.calibration import compute_ece, cut_into_bins
from ecg_edge.evaluation.question import Question

_COLUMNS = 3
_WIDTH, _HEIGHT = 250, 290
"""Of a panel, in pixels."""
_LEFT, _RIGHT = 46, 240
_TOP, _BOTTOM = 26, 196
"""Of the upper plot: share of the label by probability."""
_COUNTS_TOP, _COUNTS_BOTTOM = 208, 250
"""Of the lower plot: number of records by probability, on a logarithmic scale."""
_N_BARS = 20
_BLUE, _GREY = "#4c78a8", "#999999"


def draw_reliability(questions: Sequence[Question]) -> str:
    """Return an SVG with a panel for each question that has enough positive and negative records.

    Points are the bins of equal numbers of records, with Wilson's 95% intervals. Bars are the numbers of records.
    """
    shown = [question for question in questions if question.can_be_answered]
    n_columns, n_lines = min(_COLUMNS, max(1, len(shown))), -(-len(shown) // _COLUMNS)
    width, height = n_columns * _WIDTH, max(1, n_lines) * _HEIGHT
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="10">',
        "<title>Reliability: how often a probability is right</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for place, question in enumerate(shown):
        line, column = divmod(place, _COLUMNS)
        lines += [f'<g transform="translate({column * _WIDTH} {line * _HEIGHT})">', *_draw_panel(question), "</g>"]
    return "\n".join([*lines, "</svg>\n"])


def _draw_panel(question: Question) -> Iterator[str]:
    ece = compute_ece(question.truth, question.probability, np.ones((1, question.n)))[0]
    title = escape(f"{question.name}, n {question.n}, ECE {ece:.3f}")
    middle = (_LEFT + _RIGHT) / 2
    yield f'<text x="{middle}" y="16" text-anchor="middle" font-size="11">{title}</text>'
    yield from _draw_shares(question)
    yield from _draw_counts(question)
    yield f'<text x="{middle}" y="280" text-anchor="middle">probability</text>'


def _draw_shares(question: Question) -> Iterator[str]:
    yield _draw_frame(_TOP, _BOTTOM)
    yield (f'<line x1="{_LEFT}" y1="{_BOTTOM}" x2="{_RIGHT}" y2="{_TOP}" stroke="{_GREY}" stroke-dasharray="5 3"/>')
    for tick in (0, 0.5, 1):
        yield f'<text x="{_LEFT - 5}" y="{_up(tick) + 3.5:.1f}" text-anchor="end">{tick:g}</text>'
    yield (
        f'<text transform="translate(10 {(_TOP + _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        "share with the label</text>"
    )
    for of_bin in cut_into_bins(question.truth, question.probability):
        x = f"{_along(of_bin.probability):.1f}"
        yield f'<line x1="{x}" y1="{_up(of_bin.low):.1f}" x2="{x}" y2="{_up(of_bin.high):.1f}" stroke="{_BLUE}"/>'
        yield f'<circle cx="{x}" cy="{_up(of_bin.share):.1f}" r="2.5" fill="{_BLUE}"/>'


def _draw_counts(question: Question) -> Iterator[str]:
    yield _draw_frame(_COUNTS_TOP, _COUNTS_BOTTOM)
    counts = np.histogram(question.probability, bins=_N_BARS, range=(0, 1))[0]
    most, width = max(int(counts.max()), 1), (_RIGHT - _LEFT) / _N_BARS
    for bar, count in enumerate(counts):
        # One record has a bar, too.
        height = (_COUNTS_BOTTOM - _COUNTS_TOP) * np.log(2 * count) / np.log(2 * most) if count else 0
        yield (
            f'<rect x="{_LEFT + bar * width:.1f}" y="{_COUNTS_BOTTOM - height:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="{_BLUE}"/>'
        )
    yield f'<text x="{_LEFT - 5}" y="{_COUNTS_TOP + 8}" text-anchor="end">{most}</text>'
    for tick in (0, 0.5, 1):
        yield f'<text x="{_along(tick):.1f}" y="{_COUNTS_BOTTOM + 13}" text-anchor="middle">{tick:g}</text>'
    yield (
        f'<text transform="translate(10 {(_COUNTS_TOP + _COUNTS_BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        "records</text>"
    )


def _draw_frame(top: float, bottom: float) -> str:
    return (
        f'<rect x="{_LEFT}" y="{top}" width="{_RIGHT - _LEFT}" height="{bottom - top}" fill="none" stroke="black" '
        'stroke-width="0.5"/>'
    )


def _along(probability: float) -> float:
    return _LEFT + probability * (_RIGHT - _LEFT)


def _up(share: float) -> float:
    return _BOTTOM - share * (_BOTTOM - _TOP)
