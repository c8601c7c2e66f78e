"""What carried an answer: a hint to where to look, not a reason."""

from dataclasses import asdict, dataclass, field
from typing import Any

LEAD_GROUPS = {
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "septal": ("V1", "V2"),
    "anterior": ("V3", "V4"),
    "anteroseptal": ("V1", "V2", "V3", "V4"),
    "anterolateral": ("I", "aVL", "V3", "V4", "V5", "V6"),
}
"""Leads that look at the wall of each site; aVR is in none. The last two groups join others: chest leads stand in for
their neighbours, so what V1 to V4 show together may be missed only when all four are taken away."""

HINT = "a hint to where to look, not a reason"


@dataclass(frozen=True, slots=True)
class Occlusion:
    """What changes when the leads of a part show what the other leads let expect of an ECG without infarction."""

    part: str
    """A key of `LEAD_GROUPS`, or the name of one lead."""
    leads: tuple[str, ...]
    """The leads of the part."""
    changes: dict[str, float] = field(hash=False)
    """Change of each probability, -1 to 1, by "infarction" and each found site. Negative if the part raises
    it, positive if it lowers it."""


@dataclass(frozen=True, slots=True)
class TimeCourse:
    """How far the windows of each stretch of a recording lie from the recording's probability."""

    start_s: tuple[float, ...]
    """Start of each stretch in seconds, ascending. Stretches overlap as windows do."""
    stop_s: tuple[float, ...]
    """End of each stretch in seconds."""
    difference: tuple[float, ...]
    """Probability of the stretch minus that of the recording, -1 to 1. Positive if the stretch raises the mean."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What carried the answer for one recording, by occlusion: a hint to where to look, not a reason."""

    groups: tuple[Occlusion, ...]
    """One for each of `LEAD_GROUPS`."""
    leads: tuple[Occlusion, ...]
    """One for each of the twelve leads."""
    time_course: dict[str, TimeCourse] = field(hash=False)
    """By "infarction" and each found site. A stretch is one window, or some neighbours in a recording of many."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"hint": HINT, **asdict(self)}
