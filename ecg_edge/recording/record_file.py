"""A recording that is still on disk, and a file that is not read."""

from collections.abc import Callable
from typing import NamedTuple

from ecg_edge.recording.recording import Recording


class RecordFile(NamedTuple):
    """A recording with its name; `read` loads it."""

    name: str
    """Name in findings."""
    source: str
    """Where the recording is stored, e.g. a path."""
    read: Callable[[], Recording]
    """Return the recording; raises EcgEdgeError if it cannot be read."""
    size: int | None = None
    """Size on disk in bytes, if it is known."""


class PassedOver(NamedTuple):
    """A file that looks like a recording and is not read."""

    source: str
    """Where the file is stored, e.g. a path."""
    reason: str
    """Why it is not read."""
