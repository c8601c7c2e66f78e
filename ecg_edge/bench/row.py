"""One measured figure with its spread."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """Samples of one quantity."""

    name: str
    """Unique in its benchmark, the same in every run, so that two runs can be compared."""
    unit: str
    """E.g. "s", "ms", "records/s", "MiB"; "x" for a ratio."""
    samples: tuple[float, ...]
    """At least one, in the order in which they were measured."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Further figures, ready for JSON."""
    higher_is_better: bool = False
    provider: str = ""
    """Execution provider really used, or "none"; the runner fills an empty value."""
    benchmark: str = ""
    """Set by the runner."""

    @property
    def median(self) -> float:
        """Return the middle sample."""
        return self.percentile(50)

    @property
    def minimum(self) -> float:
        """Return the smallest sample."""
        return min(self.samples)

    @property
    def interquartile_range(self) -> float:
        """Return the width of the middle half of the samples; 0 for a single sample."""
        return self.percentile(75) - self.percentile(25)

    def percentile(self, percent: float) -> float:
        """Return the value that `percent` of the samples do not exceed."""
        return float(np.percentile(self.samples, percent))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of a row."""
        return {
            "benchmark": self.benchmark,
            "name": self.name,
            "median": self.median,
            "minimum": self.minimum,
            "interquartile_range": self.interquartile_range,
            "n": len(self.samples),
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "provider": self.provider,
            "details": dict(self.details),
            "samples": [float(f"{sample:.6g}") for sample in self.samples],
        }
