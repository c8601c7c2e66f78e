"""A live feed as bytes: frames of samples in, an answer about every second out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Finding
from ecg_edge.stream import Stream

SAMPLE = np.dtype("<f4")
"""A frame is one moment: a sample of each of the stream's leads in their order, in its unit."""
LAST_S = 10


class Seconds:
    """Cuts the bytes of a feed into seconds.

    Args:
        n_leads: Samples in a frame.
        sampling_rate: Frames in a second; rounded.
    """

    def __init__(self, n_leads: int, sampling_rate: float) -> None:
        self._n_leads, self._frame = n_leads, n_leads * SAMPLE.itemsize
        self.size = max(1, round(sampling_rate)) * self._frame
        """Bytes of a second."""
        self._held = bytearray()

    def push(self, piece: bytes) -> Iterator[NDArray[np.float32]]:
        """Take bytes, and yield the seconds that they complete, shape (frames, leads)."""
        self._held += piece
        while len(self._held) >= self.size:
            yield np.frombuffer(bytes(self._held[: self.size]), SAMPLE).reshape(-1, self._n_leads)
            del self._held[: self.size]

    def finish(self, name: str) -> Iterator[NDArray[np.float32]]:
        """Yield the whole frames that are left.

        Raises:
            UnreadableError: The feed ends within a frame.
        """
        whole = len(self._held) // self._frame * self._frame
        if whole:
            yield np.frombuffer(bytes(self._held[:whole]), SAMPLE).reshape(-1, self._n_leads)
        if len(self._held) > whole:
            raise UnreadableError(
                name, f"ends within a frame: {len(self._held) - whole} of its {self._frame} bytes came"
            )


def answer_second(stream: Stream, *, all_sites: bool = False) -> tuple[Finding, Finding]:
    """Return the findings of the last seconds and of everything so far."""
    return stream.finding(last_s=LAST_S, all_sites=all_sites), stream.finding(all_sites=all_sites)


def to_dict(last: Finding, so_far: Finding) -> dict[str, Any]:
    """Return the JSON object about a second."""
    return {"time_s": so_far.duration_s, "last": last.to_dict(), "so_far": so_far.to_dict()}
