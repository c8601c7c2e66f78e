"""A recording that is still on disk."""

from collections.abc import Callable
from dataclasses import dataclass

from ecg_edge.recording import Recording


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A recording by name, read when its turn comes."""

    name: str
    source: str
    """Where it lies, e.g. a path."""
    read: Callable[[], Recording]
    """Raises EcgEdgeError where it cannot be read."""
