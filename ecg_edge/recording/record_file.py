"""A recording that is still on disk."""

from collections.abc import Callable
from typing import NamedTuple

from ecg_edge.recording.recording import Recording


class RecordFile(NamedTuple):
    """A recording by name, read when its turn comes."""

    name: str
    source: str
    """Where it lies, e.g. a path."""
    read: Callable[[], Recording]
    """Raises EcgEdgeError where it cannot be read."""
    size: int | None = None
    """Bytes on disk, where it is known."""
