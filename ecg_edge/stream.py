"""The same answer from a live feed, chunk by chunk."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecg_edge.decision import Judge, Subject, to_be_located
from ecg_edge.findings import Finding
from ecg_edge.model.aggregation import WindowMean, window_probabilities
from ecg_edge.model.inference import finite_scores
from ecg_edge.model.session import Model
from ecg_edge.model.windows import n_regular_windows
from ecg_edge.quality.gate import Listener
from ecg_edge.quality.measures import BLOCK
from ecg_edge.recording import Recording
from ecg_edge.recording.live_feed import Intake, LatestSamples

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

    Memory does not grow: the sums of the window scores and the last `LONGEST_LAST_S` seconds of samples are kept, a few
    MB. For that the second stage runs on every window as it comes, whatever the first finds, because the answer may
    turn to an infarction at any time. For one thread at a time; any number of streams may share a detector.

    A feed of another rate than the models' is resampled: its windows come with the delay of the filter (2 to 8 s), its
    findings do not.

    Args:
        detector: Whose models answer.
        sampling_rate: Of the chunks, samples per second.
        leads: Names of the chunks' rows, as `Recording` takes them.
        units: Of the chunks.
        name: What findings call it.

    Raises:
        InvalidRecordingError: The leads, units or sampling rate are not what an answer could be had of.
        MissingExtraError: The feed must be resampled and soxr is not installed.
    """

    def __init__(self, detector: "Detector", sampling_rate: float, leads: Sequence[str], units: str, name: str) -> None:
        self._detector, self._name = detector, name
        self.sampling_rate, self.leads, self.units = float(sampling_rate), tuple(leads), units
        models = (detector.infarction, detector.localization)
        self._whole_lengths = {model.spec.whole_length for model in models}
        self.reset()

    def reset(self) -> None:
        """Forget all samples, as for another patient."""
        rate = self._detector.infarction.spec.sampling_rate
        self._intake = Intake(self.sampling_rate, self.leads, self.units, rate, LONGEST_LAST_S)
        self._so_far = _SoFar.nothing(self._detector)

    @property
    def samples(self) -> int:
        """Samples of each lead so far, at the feed's rate."""
        return self._intake.latest.stop

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
        return self._so_far.push(self._intake.push(np.asarray(chunk)))

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
        rate = self.sampling_rate
        wanted = self.samples if last_s is None else min(round(last_s * rate), self.samples)
        subject = Subject(self._name, "", wanted / rate, rate)
        judge = self._detector.judge
        if not wanted and (refusal := judge.too_short(subject, 0)):
            return refusal
        if last_s is not None or self._intake.samples in self._whole_lengths:
            signal = self._intake.latest.stretch(self.samples - wanted, self.samples)
            return self._detector.detect(Recording(signal, rate, name=self._name), all_sites=all_sites)
        still = self._intake.on_the_way()
        so_far = self._so_far
        if still.shape[1]:
            so_far = so_far.copy()
            so_far.push(still)
        return so_far.finding(judge, subject, all_sites=all_sites)


class _SoFar:
    """What is known of the samples at the models' rate that came so far."""

    def __init__(self, listener: Listener, latest: LatestSamples, first: "_Stage", second: "_Stage") -> None:
        self._listener, self._latest, self._first, self._second = listener, latest, first, second

    @classmethod
    def nothing(cls, detector: "Detector") -> "_SoFar":
        """Return what is known before the first sample."""
        models = (detector.infarction, detector.localization)
        most = max(model.spec.window for model in models) + _PIECE
        listener = Listener(detector.judge.gate, keep_blocks=most // BLOCK + 2)
        return cls(listener, LatestSamples(most), *map(_Stage, models))

    def copy(self) -> "_SoFar":
        """Return another that goes on from here on its own."""
        return _SoFar(deepcopy(self._listener), deepcopy(self._latest), self._first.copy(), self._second.copy())

    def push(self, signal: NDArray[np.float32]) -> list[StreamWindow]:
        """Go on by samples, shape (12, n), and return the windows of the first stage that they finish."""
        finished = []
        for start in range(0, signal.shape[1], _PIECE):
            piece = signal[:, start : start + _PIECE]
            self._listener.listen(self._latest.stop, piece)
            self._latest.append(piece)
            finished += self._first.advance(self._latest, self._listener)
            self._second.advance(self._latest, self._listener)
        return finished

    def finding(self, judge: Judge, subject: Subject, *, all_sites: bool) -> Finding:
        """Return the finding of all samples."""
        if refusal := judge.too_short(subject, self._latest.stop):
            return refusal
        first = self._first.mean_so_far(self._latest, self._listener)
        finding = judge.first_stage(subject, self._listener.quality, first)
        if to_be_located(finding, all_sites=all_sites):
            finding = judge.with_sites(finding, self._second.mean_so_far(self._latest, self._listener))
        return finding


class _Stage:
    """One model on a stream: the mean of its regular windows so far."""

    def __init__(self, model: Model, mean: WindowMean | None = None) -> None:
        self._model, self._spec = model, model.spec
        self._mean = mean or WindowMean(model.spec)

    def copy(self) -> "_Stage":
        """Return another that goes on from here on its own."""
        return _Stage(self._model, self._mean.copy())

    def advance(self, latest: LatestSamples, listener: Listener) -> list[StreamWindow]:
        """Score the regular windows that are whole by now."""
        spec, samples, finished = self._spec, latest.stop, []
        n_windows = n_regular_windows(samples, spec.window, spec.stride, spec.tail) if samples >= spec.window else 0
        while (first := self._mean.windows) < n_windows:
            last = min(first + spec.windows_per_call, n_windows) - 1
            stop = last * spec.stride + spec.window + (spec.tail == "dropped")
            finished += self._scored(self._mean, latest, listener, (first * spec.stride, min(stop, samples)))
        return finished

    def mean_so_far(self, latest: LatestSamples, listener: Listener) -> WindowMean:
        """Return the mean with the window that ends at the last sample, where the spec asks for one."""
        spec, samples, mean = self._spec, latest.stop, self._mean
        if spec.tail == "window" and (samples - spec.window) % spec.stride:
            mean = self._mean.copy()
            self._scored(mean, latest, listener, (samples - spec.window, samples))
        return mean

    def _scored(
        self, mean: WindowMean, latest: LatestSamples, listener: Listener, stretch: tuple[int, int]
    ) -> list[StreamWindow]:
        (scores,) = finite_scores(self._model, latest.stretch(*stretch)[None])
        starts = stretch[0] + self._spec.stride * np.arange(len(scores))
        counts = listener.counts(scores, starts, self._spec.window)
        mean.add(scores, counts)
        probabilities = window_probabilities(scores[:, 0], self._spec.average)
        return [
            StreamWindow(float(at / self._spec.sampling_rate), float(p) if np.isfinite(score) else None, bool(each))
            for at, p, score, each in zip(starts, probabilities, scores[:, 0], counts, strict=True)
        ]
