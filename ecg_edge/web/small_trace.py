"""The small trace of a record in the list: lead II, without grid and words."""

import numpy as np

from ecg_edge.errors import EcgEdgeError
from ecg_edge.recording import LEADS, Recording
from ecg_edge.recording.empty_leads import derive_empty_leads
from ecg_edge.report.trace import find_runs, simplify

WIDTH, HEIGHT = 240, 40
_LONGEST_S = 10.0
_MOST_MV = 1.5
_STEP = 0.1
"""Coordinates are whole numbers of this unit."""
_TOLERANCE = 4.0
"""In that unit: less than half of the width of the line."""
_LINE_WIDTH = 10


def draw_small_trace(recording: Recording) -> str:
    """Return the first ten seconds of lead II as SVG; a line without steps if they cannot be read."""
    try:
        runs = _draw_runs(recording)
    except EcgEdgeError:
        runs = []
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'role="img" aria-label="Lead II">'
        f'<path transform="scale({_STEP})" fill="none" stroke="#000000" stroke-width="{_LINE_WIDTH}" '
        f'stroke-linejoin="round" d="{"".join(runs)}"/></svg>'
    )


def _draw_runs(recording: Recording) -> list[str]:
    recording, _ = derive_empty_leads(recording)
    samples = min(recording.samples, int(_LONGEST_S * recording.sampling_rate))
    millivolts = recording.stretch(0, samples)[LEADS.index("II")]
    known = np.isfinite(millivolts)
    if not known.any():
        return []
    middle = HEIGHT / 2 / _STEP
    with np.errstate(over="ignore"):
        heights = (millivolts - np.median(millivolts[known])) * np.float32(middle / _MOST_MV)
    heights = np.clip(heights, -middle, middle)
    heights[~known] = np.nan
    step = WIDTH / _STEP / (_LONGEST_S * recording.sampling_rate)
    pieces = find_runs(known)
    corners = simplify(heights, pieces, _TOLERANCE)
    points = np.round(np.stack([corners * step, middle - heights[corners]], axis=1)).astype(np.int64)
    runs = []
    for piece in pieces:
        line = points[np.searchsorted(corners, piece.start) : np.searchsorted(corners, piece.stop)]
        x, y = line[0].tolist()
        steps = " ".join(map(str, np.diff(line, axis=0).ravel().tolist())) or "0 0"
        runs.append(f"M{x} {y}l{steps}".replace(" -", "-"))
    return runs
