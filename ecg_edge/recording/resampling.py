"""Resample recordings to the sampling rate of the models, with soxr's anti-aliasing filter, in bounded memory.

From 100 Hz a recording holds the band that monitors show (up to 40 Hz), with room for the slope of the filter. Below
that, QRS complexes and Q waves lose their shape, and an answer would not be reliable.
"""

import math
import threading
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, SamplingRateError
from ecg_edge.extras import optional_library
from ecg_edge.recording.gaps import hold_last
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.recording import Recording

LOWEST_RATE = 100.0
HIGHEST_RATE = 10_000.0
# Rates that are this close count as equal: in a day they drift apart by less than 0.1 s.
_SAME_RATE = 1e-6
_BLOCK = 2**14
# Two minutes at 500 Hz. Recordings up to this length are resampled only once, even if they are read often.
_KEPT = 2**16


class Resampler:
    """Resamples a stream piece by piece; the result does not depend on the size of the pieces.

    The first sample keeps its time: output sample k is the signal at k / to_rate seconds. Output comes 2 to 8 s later
    than the input, because the filter works in blocks; `flush` returns the rest. The first and last sample are
    extended beyond the ends, so that an electrode offset does not cause ripples.

    Args:
        from_rate: Samples per second of the input, `LOWEST_RATE` to `HIGHEST_RATE`.
        to_rate: Samples per second of the output.
        n_leads: Rows of each piece.

    Raises:
        SamplingRateError: `from_rate` is out of range.
        MissingExtraError: soxr is not installed.
    """

    def __init__(self, from_rate: float, to_rate: float, n_leads: int = len(LEADS)) -> None:
        if not LOWEST_RATE <= from_rate <= HIGHEST_RATE:
            raise SamplingRateError(from_rate, LOWEST_RATE, HIGHEST_RATE)
        self._soxr = make_filter(from_rate, to_rate, n_leads)
        self._from_rate, self._to_rate = from_rate, to_rate
        self._first: NDArray[np.float32] | None = None
        self._last = np.zeros((n_leads, 1), np.float32)
        self._n_in = self._n_out = self._n_given = 0
        self._early = self._last[:, :0]
        self._gaps: list[tuple[int, int, int]] = []

    def __getstate__(self) -> dict[str, object]:
        """Pickle all but the filter; `replay` makes a new one."""
        return {name: value for name, value in vars(self).items() if name != "_soxr"}

    def replay(self, before: NDArray[np.float32], samples: NDArray[np.float32]) -> None:
        """Make the filter of an unpickled resampler, from the latest of the samples that it took.

        Args:
            before: Samples before the start of the new filter, shape (leads, n); empty only at the feed's first sample.
            samples: All samples from the start on. Its first sample has the time of a resampled one.
        """
        start, n_given = self._n_in - samples.shape[1], self._n_given
        self._soxr = make_filter(self._from_rate, self._to_rate, len(samples))
        self._last = hold_last(before, self._last)[:, -1:] if start else np.zeros_like(self._last)
        self._n_in, self._n_out, self._gaps = start, round(start * self._to_rate / self._from_rate), []
        self._early = self.push(samples)
        self._n_given = n_given

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next samples and return the resampled ones that are now finished.

        Args:
            chunk: float32, shape (leads, n), n from 0.

        Returns:
            float32, shape (leads, m), m often 0.
        """
        if chunk.shape[1] == 0:
            return np.empty_like(self._last[:, :0])
        chunk = self._replace_gaps(chunk)
        if self._first is None:
            self._first = chunk[:, :1].copy()
        self._n_in += chunk.shape[1]
        self._last = chunk[:, -1:].copy()
        return self._process(chunk - self._first, last=False)

    def flush(self) -> NDArray[np.float32]:
        """Return the remaining samples, shape (leads, m); do not push samples after this."""
        if self._first is None:
            return self._last[:, :0]
        still = np.repeat(self._last - self._first, int(self._from_rate), axis=1)
        return self._process(still, last=True)

    def _process(self, piece: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        try:
            result = self._soxr.resample_chunk(np.ascontiguousarray(piece.T), last=last).T + self._first
        except MemoryError:
            raise
        except Exception as error:
            msg = f"the library soxr cannot resample the recording ({type(error).__name__}: {error})"
            raise InvalidRecordingError(msg) from error
        whole = resampled_length(self._n_in, self._from_rate, self._to_rate)
        finished: NDArray[np.float32] = np.ascontiguousarray(result[:, : whole - self._n_out])
        for lead, start, stop in self._gaps:
            finished[lead, max(start - self._n_out, 0) : max(stop - self._n_out, 0)] = np.nan
        self._n_out += finished.shape[1]
        self._gaps = [gap for gap in self._gaps if gap[2] > self._n_out]
        return self._give(finished)

    def _give(self, finished: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples that were not given before; a filter that was made anew may be early or late."""
        if self._early.shape[1]:
            finished = np.concatenate([self._early, finished], axis=1)
            self._early = finished[:, :0]
        finished = finished[:, max(0, finished.shape[1] - max(0, self._n_out - self._n_given)) :]
        self._n_given += finished.shape[1]
        return finished

    def _replace_gaps(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a chunk without gaps, and note which output samples they affect."""
        finite = np.isfinite(chunk)
        if finite.all():
            return chunk
        ratio = self._to_rate / self._from_rate
        for lead in np.flatnonzero(~finite.all(axis=1)):
            changes = np.flatnonzero(np.diff(finite[lead], prepend=True, append=True)) + self._n_in
            for start, stop in changes.reshape(-1, 2):
                self._gaps.append((int(lead), max(0, int((start - 1) * ratio)), math.ceil(stop * ratio) + 1))
        return hold_last(chunk, self._last)


def same_rate(one: float, other: float) -> bool:
    """Return whether two rates are so close that resampling is not needed."""
    return math.isclose(one, other, rel_tol=_SAME_RATE)


def resampled_length(samples: int, from_rate: float, to_rate: float) -> int:
    """Return the number of samples at `to_rate` for a number of samples at `from_rate`."""
    return math.ceil(samples * to_rate / from_rate - 1e-6)


class Resampled:
    """The samples of a recording at another rate, resampled while they are read.

    Reading forward resamples each sample once. Reading samples that are no longer kept starts again at the beginning.
    Each thread has its own read position, so several threads may read at once.
    """

    def __init__(self, original: Recording, rate: float) -> None:
        self.original = original
        """The recording that is resampled."""
        self.rate = rate
        self.shape = (len(LEADS), resampled_length(original.samples, original.sampling_rate, rate))
        self.dtype = np.dtype(np.float32)
        self._of_thread = threading.local()
        self._of_thread.place = _Place(original, rate)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the original and the rate, not the state of the filter."""
        return Resampled, (self.original, self.rate)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples `start` to `stop` in millivolts, shape (12, stop - start)."""
        start, stop, _ = slice(start, stop).indices(self.shape[1])
        place = getattr(self._of_thread, "place", None)
        if place is None or start < place.start:
            place = self._of_thread.place = _Place(self.original, self.rate)
        found: NDArray[np.float32] = place.read(start, stop)
        return found


class _Place:
    """The read position of one thread, and the samples before it."""

    def __init__(self, original: Recording, rate: float) -> None:
        self._original = original
        self._resampler = Resampler(original.sampling_rate, rate)
        self._fed = 0
        self._parts: deque[NDArray[np.float32]] = deque()
        self.start = self._end = 0

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        while self._end < stop:
            self._append(self._read_next())
            while self._end - self.start - self._parts[0].shape[1] > max(_KEPT, self._end - start):
                self.start += self._parts.popleft().shape[1]
        pieces, at = [], self.start
        for part in self._parts:
            pieces.append(part[:, max(start - at, 0) : max(stop - at, 0)])
            at += part.shape[1]
        return np.concatenate([piece for piece in pieces if piece.shape[1]] or pieces[:1], axis=1)

    def _read_next(self) -> NDArray[np.float32]:
        if self._fed == self._original.samples:
            return self._resampler.flush()
        stop = min(self._fed + _BLOCK, self._original.samples)
        finished = self._resampler.push(self._original.stretch(self._fed, stop))
        self._fed = stop
        return finished

    def _append(self, part: NDArray[np.float32]) -> None:
        self._parts.append(part)
        self._end += part.shape[1]


def resample(recording: Recording, rate: float) -> Recording:
    """Return a recording at another sampling rate; the same recording if it already has that rate.

    Raises:
        SamplingRateError: The rate of the recording is out of range.
        MissingExtraError: soxr is not installed.
    """
    if same_rate(recording.sampling_rate, rate):
        return recording
    return Recording(
        Resampled(recording, rate), rate, name=recording.name, source=recording.source, notes=recording.notes
    )


def make_filter(from_rate: float, to_rate: float, n_leads: int) -> Any:  # noqa: ANN401 - soxr has no type hints
    """Return soxr's filter for a stream of samples."""
    with optional_library("soxr", f"resampling a recording of {from_rate:g} Hz to {to_rate:g} Hz", "resample"):
        import soxr
    return soxr.ResampleStream(from_rate, to_rate, n_leads, dtype="float32", quality="HQ")
