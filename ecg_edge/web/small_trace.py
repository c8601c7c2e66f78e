"""The small trace of a record in the list: lead II, without grid and words."""

import numpy as np

from ecg_edge.errors import EcgEdgeError
from ecg_edge.recording import LEADS, Recording
from ecg_edge.recording.empty_leads import derive_empty_leads
from ecg_edge.report.trace import find_runs, simplify

WIDTH, HEIGHT = 240, 40
_LONGEST_S = 10.0
_MOST_MV = 1.5
_TOLERANCE = 0.3


def draw_small_trace(recording: Recording) -> str:
    """Return the first ten seconds of lead II as SVG; a line without steps if they cannot be read."""
    try:
        runs = _draw_runs(recording)
    except EcgEdgeError:
        runs = []
    # `currentColor` cannot reach into a picture that a page embeds: the style asks for the colours of the system.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Lead II">'
        "<style>path{stroke:#222}@media(prefers-color-scheme:dark){path{stroke:#ddd}}</style>"
        f'<path fill="none" stroke-width="1" stroke-linejoin="round" d="{"".join(runs)}"/></svg>'
    )


def _draw_runs(recording: Recording) -> list[str]:
    recording, _ = derive_empty_leads(recording)
    samples = min(recording.samples, int(_LONGEST_S * recording.sampling_rate))
    millivolts = recording.stretch(0, samples)[LEADS.index("II")]
    known = np.isfinite(millivolts)
    if not known.any():
        return []
    scale = np.float32(HEIGHT / 2 / _MOST_MV)
    heights = np.clip((millivolts - np.median(millivolts[known])) * scale, -HEIGHT / 2, HEIGHT / 2)
    heights[~known] = np.nan
    step = WIDTH / (_LONGEST_S * recording.sampling_rate)
    pieces = find_runs(known)
    corners = simplify(heights, pieces, _TOLERANCE)
    runs = []
    for piece in pieces:
        kept = corners[np.searchsorted(corners, piece.start) : np.searchsorted(corners, piece.stop)]
        points = " ".join(f"{x * step:.1f} {HEIGHT / 2 - heights[x]:.1f}" for x in kept.tolist())
        runs.append(f"M{points}")
    return runs
