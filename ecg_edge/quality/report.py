"""What the quality gate reports of a recording."""

from typing import NamedTuple

from ecg_edge.findings import Note


class QualityReport(NamedTuple):
    """What the quality gate has to say of a recording."""

    reasons: tuple[Note, ...]
    """Why it must not be answered; empty where it may."""
    warnings: tuple[Note, ...]
    """What the reader of its answer must know."""
    unusable_s: float
    """Seconds in which two leads or more are flat or over range."""
