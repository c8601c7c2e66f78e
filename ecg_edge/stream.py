"""The same answer from a live feed, chunk by chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, WrongShapeError, WrongTypeError
from ecg_edge.findings import Finding
from ecg_edge.listener import Listener
from ecg_edge.model import Model
from ecg_edge.quality_measures import BLOCK
from ecg_edge.recording import LEADS, Recording
from ecg_edge.scoring import WindowMean, finite_scores
from ecg_edge.verdict import Subject, to_be_located
from ecg_edge.windows import n_regular_windows, window_probabilities

if TYPE_CHECKING:
    from ecg_edge.detector import Detector

LONGEST_LAST_S = 60
_PIECE = 2500


@dataclass(frozen=True, slots=True)
class StreamWindow:
    """One regular window of the first stage, finished by a push."""

    start_s: float
    """Start in seconds from the stream's first sample."""
    probability: float | None
    """Of infarction, 0 to 1; none where the window holds what no model can answer."""
    counts: bool
    """Whether it counts in the mean: it does not where the signal is unusable throughout."""


class Stream:
    """One patient's live feed: its answer so far is that of `Detector.detect` on the same samples.

    Memory does not grow: the sums of the window scores and the last `LONGEST_LAST_S` seconds of samples are kept, about
    2 MB. For that the second stage runs on every window as it comes, whatever the first finds, because the answer may
    turn to an infarction at any time. For one thread at a time; any number of streams may share a detector.

    Args:
        detector: Whose models answer.
        sampling_rate: Of the chunks, samples per second.
        leads: Names of the chunks' rows.
        units: Of the chunks.
        name: What findings call it.

    Raises:
        InvalidRecordingError: The sampling rate, leads or units are not those of the models.
    """

    def __init__(self, detector: "Detector", sampling_rate: float, leads: Sequence[str], units: str, name: str) -> None:
        for model in (detector.infarction, detector.localization):
            if sampling_rate != model.spec.sampling_rate:
                msg = f"the models take {model.spec.sampling_rate:g} Hz, the stream has {sampling_rate:g} Hz"
                raise InvalidRecordingError(msg)
        if tuple(leads) != LEADS or units != "mV":
            msg = f"expected the leads {', '.join(LEADS)} in mV, found {', '.join(leads)} in {units}"
            raise InvalidRecordingError(msg)
        self._detector, self._name, self._rate = detector, name, float(sampling_rate)
        self.reset()

    def reset(self) -> None:
        """Forget all samples, as for another patient."""
        models = (self._detector.infarction, self._detector.localization)
        window = max(model.spec.window for model in models)
        self._listener = Listener(self._detector.judge.gate, keep_blocks=(window + _PIECE) // BLOCK + 2)
        self._recent = _Recent(max(round(LONGEST_LAST_S * self._rate), window))
        self._first, self._second = (_Stage(model, self._recent, self._listener) for model in models)

    @property
    def samples(self) -> int:
        """Samples of each lead so far."""
        return self._recent.stop

    def push(self, chunk: NDArray[np.generic]) -> list[StreamWindow]:
        """Take the next samples.

        Args:
            chunk: Any real data type, shape (leads, n), n from 0 on.

        Returns:
            The windows of the first stage that they finish; the one that ends at the last sample, where that is not a
            regular one, is only in `finding`.

        Raises:
            WrongShapeError: The chunk is not leads by samples.
            WrongTypeError: It does not hold real numbers.
        """
        signal = self._to_canonical(np.asarray(chunk))
        finished = []
        for start in range(0, signal.shape[1], _PIECE):
            piece = signal[:, start : start + _PIECE]
            self._listener.listen(self.samples, piece)
            self._recent.append(piece)
            finished += self._first.advance()
            self._second.advance()
        return finished

    def finding(self, *, last_s: float | None = None, all_sites: bool = False) -> Finding:
        """Return the answer so far.

        Args:
            last_s: Answer the last so many seconds alone, as `detect` answers a recording of just these samples; at
                most `LONGEST_LAST_S`. All samples since the start if none is given.
            all_sites: Give the sites even where no infarction is found.

        Raises:
            ValueError: `last_s` is out of range.
            UncomputableError: Past an open gate, the samples are beyond measure.
        """
        if last_s is not None and not 0 < last_s <= LONGEST_LAST_S:
            msg = f"last_s is {last_s}, expected more than 0 and at most {LONGEST_LAST_S}"
            raise ValueError(msg)
        samples = self.samples if last_s is None else min(round(last_s * self._rate), self.samples)
        subject = Subject(self._name, "", samples / self._rate, self._rate)
        if refusal := self._detector.judge.too_short(subject, samples):
            return refusal
        if last_s is not None or samples in (self._first.spec.whole_length, self._second.spec.whole_length):
            signal = self._recent.stretch(self.samples - samples, self.samples)
            return self._detector.detect(Recording(signal, self._rate, name=self._name), all_sites=all_sites)
        finding = self._detector.judge.first_stage(subject, self._listener.quality, self._first.mean_so_far())
        if to_be_located(finding, all_sites=all_sites):
            finding = self._detector.judge.with_sites(finding, self._second.mean_so_far())
        return finding

    def _to_canonical(self, chunk: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return a chunk as float32 millivolts of the twelve leads at the models' rate."""
        if chunk.dtype.kind not in "iuf":
            raise WrongTypeError(str(chunk.dtype))
        if chunk.ndim != 2 or chunk.shape[0] != len(LEADS):
            raise WrongShapeError(chunk.shape)
        with np.errstate(over="ignore"):
            return chunk.astype(np.float32)


class _Recent:
    """The latest samples.

    Args:
        capacity: How many of each lead are there to be had at least, once so many came.
    """

    def __init__(self, capacity: int) -> None:
        self.stop = 0
        self._capacity = capacity
        self._samples = np.empty((len(LEADS), capacity + 2 * _PIECE), np.float32)
        self._first = 0

    def append(self, piece: NDArray[np.float32]) -> None:
        """Add at most `_PIECE` samples."""
        filled = self.stop - self._first
        if filled + piece.shape[1] > self._samples.shape[1]:
            keep = self._capacity
            self._samples[:, :keep] = self._samples[:, filled - keep : filled].copy()
            self._first, filled = self.stop - keep, keep
        self._samples[:, filled : filled + piece.shape[1]] = piece
        self.stop += piece.shape[1]

    def stretch(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return a copy of samples that are counted from the stream's first."""
        return self._samples[:, start - self._first : stop - self._first].copy()


class _Stage:
    """One model on a stream: the mean of its regular windows so far."""

    def __init__(self, model: Model, recent: _Recent, listener: Listener) -> None:
        self.spec = model.spec
        self._model, self._recent, self._listener = model, recent, listener
        self._mean = WindowMean(model.spec)

    def advance(self) -> list[StreamWindow]:
        """Score the regular windows that are whole by now."""
        spec, samples, finished = self.spec, self._recent.stop, []
        n_windows = n_regular_windows(samples, spec.window, spec.stride, spec.tail) if samples >= spec.window else 0
        while (first := self._mean.windows) < n_windows:
            last = min(first + spec.windows_per_call, n_windows) - 1
            stop = last * spec.stride + spec.window + (spec.tail == "dropped")
            finished += self._scored(self._mean, first * spec.stride, min(stop, samples))
        return finished

    def mean_so_far(self) -> WindowMean:
        """Return the mean with the window that ends at the last sample, where the spec asks for one."""
        spec, samples, mean = self.spec, self._recent.stop, self._mean
        if spec.tail == "window" and (samples - spec.window) % spec.stride:
            mean = self._mean.copy()
            self._scored(mean, samples - spec.window, samples)
        return mean

    def _scored(self, mean: WindowMean, start: int, stop: int) -> list[StreamWindow]:
        (scores,) = finite_scores(self._model, self._recent.stretch(start, stop)[None])
        starts = start + self.spec.stride * np.arange(len(scores))
        counts = self._listener.counts(scores, starts, self.spec.window)
        mean.add(scores, counts)
        probabilities = window_probabilities(scores[:, 0], self.spec.average)
        return [
            StreamWindow(float(at / self.spec.sampling_rate), float(p) if np.isfinite(score) else None, bool(each))
            for at, p, score, each in zip(starts, probabilities, scores[:, 0], counts, strict=True)
        ]
