"""A live feed on standard input: the simplest frames a device can send, and a line about every second of them."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecg_edge.cli.answers import Wanted, choose_encoding
from ecg_edge.cli.output import write
from ecg_edge.cli.unfinished import UnfinishedFiles
from ecg_edge.feed import Seconds, answer_second, to_dict
from ecg_edge.findings import Finding
from ecg_edge.recording.leads import LEADS
from ecg_edge.rendering import answer
from ecg_edge.stream import Stream

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.readers import Declared


def answer_feed(detector: "Detector", declared: "Declared", wanted: Wanted, unfinished: UnfinishedFiles | None) -> int:
    """Answer the feed on standard input until it ends, and return 1 if its last answer has no probability, else 0."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends a feed normally
    stream = detector.stream(
        sampling_rate=declared.sampling_rate or 500.0,
        leads=declared.leads or LEADS,
        units=declared.units or "mV",
        name="stdin",
    )
    lines = follow(stream, sys.stdin.buffer, wanted.rendering, all_sites=wanted.all_sites)
    with suppress(KeyboardInterrupt):
        write(_flush_each(lines), wanted.output, unfinished, encoding=choose_encoding(wanted))
    return int(stream.finding().probability is None)


def _flush_each(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        sys.stdout.flush()  # before waiting for the next one


def follow(stream: Stream, feed: BinaryIO, rendering: str, *, all_sites: bool) -> Iterator[str]:
    """Yield a line for each second of a feed, and one for what is left at its end; Ctrl-C ends it like the feed's end.

    Args:
        stream: Takes the samples.
        feed: Frames, one after the other, without a header.
        rendering: "text" or "jsonl".
        all_sites: Give the sites even where no infarction is found.

    Raises:
        UnreadableError: The feed ends within a frame.
    """
    try:
        for second in _read_seconds(feed, Seconds(len(stream.leads), stream.sampling_rate)):
            stream.push(second.T)
            yield _write_line(*answer_second(stream, all_sites=all_sites), rendering)
    except KeyboardInterrupt:
        return


def _read_seconds(feed: BinaryIO, seconds: Seconds) -> Iterator[NDArray[np.float32]]:
    read = getattr(feed, "read1", feed.read)
    while piece := read(seconds.size):
        yield from seconds.push(piece)
    yield from seconds.finish("stdin")


def _write_line(last: Finding, so_far: Finding, rendering: str) -> str:
    if rendering == "jsonl":
        return json.dumps(to_dict(last, so_far)) + "\n"
    return f"{so_far.duration_s:.1f} s: last {last.duration_s:.1f} s {_shorten(last)}; so far {_shorten(so_far)}\n"


def _shorten(finding: Finding) -> str:
    codes = sorted({note.code for note in (*finding.reasons, *finding.warnings)})
    return " ".join([answer(finding), *([f"({', '.join(codes)})"] if codes else [])])
