"""Progress bars on a terminal: of many records, or of one long recording."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ecg_edge.wording import printable

if TYPE_CHECKING:
    import numpy as np
    from click._termui_impl import ProgressBar
    from numpy.typing import NDArray

    from ecg_edge.findings import Finding
    from ecg_edge.readers import RecordFile
    from ecg_edge.recording import Recording, Samples

_LONG_S = 600
"""Length from which a recording gets a bar of its own."""


@contextmanager
def show_records(findings: Iterable["Finding"], count: int, *, visible: bool) -> Iterator[Iterable["Finding"]]:
    """Show a bar of the records that are answered, how many a second, and the time left.

    Args:
        findings: One finding for each record.
        count: Number of records.
        visible: Whether to show the bar if standard error is a terminal.
    """
    if count < 2 or not visible or not sys.stderr.isatty():
        yield findings
        return
    started = time.monotonic()

    def show_rate(_current: "Finding | None") -> str | None:
        if not bar.pos:
            return None
        rate = bar.pos / (time.monotonic() - started)
        left = timedelta(seconds=round((count - bar.pos) / rate))
        return f"{rate:.1f} records/s" + (f", {left} left" if bar.pos < count else "")

    bar = click.progressbar(
        findings,
        count,
        label="records",
        file=sys.stderr,
        show_pos=True,
        show_percent=True,
        show_eta=False,
        item_show_func=show_rate,
    )
    with bar:
        yield bar


@contextmanager
def show_samples(records: list["RecordFile"]) -> Iterator[list["RecordFile"]]:
    """Show a bar of the samples that are answered, for a single long recording if standard error is a terminal."""
    if len(records) != 1 or not sys.stderr.isatty():
        yield records
        return
    bars: list[ProgressBar[int]] = []

    def read() -> "Recording":
        recording = records[0].read()
        if recording.duration_s < _LONG_S:
            return recording
        bars.append(click.progressbar(length=recording.samples, label=printable(recording.name), file=sys.stderr))
        return replace(recording, signal=_WatchedSamples(recording.signal, bars))

    try:
        yield [records[0]._replace(read=read)]
    finally:
        for bar in bars:
            bar.render_finish()


class _WatchedSamples:
    """Samples that move a bar while they are read."""

    def __init__(self, signal: "NDArray[np.generic] | Samples", bars: "list[ProgressBar[int]]") -> None:
        self._signal, self._bars = signal, bars
        self.shape, self.dtype = signal.shape, signal.dtype

    def read(self, start: int, stop: int) -> "NDArray[np.generic]":
        """Return samples `start` to `stop`; the bar ends with the last sample."""
        raw = self._signal.read(start, stop) if hasattr(self._signal, "read") else self._signal[:, start:stop]
        for bar in self._bars:
            bar.update(max(0, stop - bar.pos))
        if stop == self.shape[1] and self._bars:
            self._bars.pop().render_finish()
        return raw
