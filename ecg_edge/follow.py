"""A live feed on standard input: the simplest frames a device can send, and a line about every second of them."""

import json
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Finding
from ecg_edge.formats import answer
from ecg_edge.recording import LEADS
from ecg_edge.stream import Stream

FRAME = np.dtype(("<f4", (len(LEADS),)))
"""One moment: the twelve leads in their order, little-endian float32, millivolts."""
LAST_S = 10
_SECOND = 500


def follow(stream: Stream, feed: BinaryIO, form: str, *, all_sites: bool) -> Iterator[str]:
    """Yield a line for each second of a feed, and one for what is left at its end; Ctrl-C ends it like the feed's end.

    Args:
        stream: Takes the samples.
        feed: Frames, one after the other, without a header.
        form: "text" or "jsonl".
        all_sites: Give the sites even where no infarction is found.

    Raises:
        UnreadableError: The feed ends within a frame.
    """
    try:
        for seconds in _seconds(feed):
            stream.push(seconds.T)
            yield _line(stream, form, all_sites)
    except KeyboardInterrupt:
        return


def _seconds(feed: BinaryIO) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    held, size = bytearray(), _SECOND * FRAME.itemsize
    read = getattr(feed, "read1", feed.read)
    while piece := read(size):
        held += piece
        while len(held) >= size:
            yield np.frombuffer(bytes(held[:size]), "<f4").reshape(_SECOND, len(LEADS))
            del held[:size]
    whole = len(held) // FRAME.itemsize * FRAME.itemsize
    if whole:
        yield np.frombuffer(bytes(held[:whole]), "<f4").reshape(-1, len(LEADS))
    if len(held) > whole:
        raise UnreadableError("stdin", f"ends within a frame: {len(held) - whole} of its {FRAME.itemsize} bytes came")


def _line(stream: Stream, form: str, all_sites: bool) -> str:
    so_far = stream.finding(all_sites=all_sites)
    last = stream.finding(last_s=LAST_S, all_sites=all_sites)
    if form == "jsonl":
        return json.dumps({"time_s": so_far.duration_s, "last": last.to_dict(), "so_far": so_far.to_dict()}) + "\n"
    return f"{so_far.duration_s:.1f} s: last {last.duration_s:.1f} s {_short(last)}; so far {_short(so_far)}\n"


def _short(finding: Finding) -> str:
    codes = sorted({note.code for note in (*finding.reasons, *finding.warnings)})
    return " ".join([answer(finding), *([f"({', '.join(codes)})"] if codes else [])])
