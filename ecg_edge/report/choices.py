"""What a reader chooses about the picture."""

from collections.abc import Collection
from dataclasses import dataclass

FORMATS = ("svg", "html", "pdf")
"""Of the file; the first one is the default."""
PAPER_MM = 250.0
"""Width of the traces: 10 s at 25 mm/s."""
LAYOUTS = {
    "3x4": (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"), ("II",)),
    "6x2": (("I", "V1"), ("II", "V2"), ("III", "V3"), ("aVR", "V4"), ("aVL", "V5"), ("aVF", "V6")),
    "12x1": tuple((lead,) for lead in ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")),
}
"""Leads of each row. The columns of a row follow each other in time."""
SPEEDS = (25, 50)
"""Millimetres per second."""
GAINS = (5, 10, 20)
"""Millimetres per millivolt."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Layout, speed, gain and start of the picture.

    Raises:
        ValueError: A value is not one of those that are offered, or the start is negative.
    """

    layout: str = "3x4"
    """A key of `LAYOUTS`."""
    speed: int = 25
    """One of `SPEEDS`, in mm/s."""
    gain: int = 10
    """One of `GAINS`, in mm/mV."""
    start_s: float = 0.0
    """Beginning of the picture in seconds from the first sample."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value, offered in (
            ("layout", self.layout, LAYOUTS),
            ("speed", self.speed, SPEEDS),
            ("gain", self.gain, GAINS),
        ):
            _check(name, value, offered)
        if not self.start_s >= 0:
            msg = f"start_s is {self.start_s}, expected 0 or more"
            raise ValueError(msg)

    @property
    def longest_s(self) -> float:
        """Seconds that fit on the paper."""
        return PAPER_MM / self.speed


def _check(name: str, value: object, offered: Collection[object]) -> None:
    if value not in offered:
        msg = f"{name} is {value!r}, expected one of {', '.join(map(str, offered))}"
        raise ValueError(msg)
