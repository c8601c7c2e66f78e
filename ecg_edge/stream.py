"""A live feed in, chunk by chunk: the same answer as for a recording."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.cascade import Cascade
from ecg_edge.decision import DecisionRule, Subject, needs_localization
from ecg_edge.findings import Finding
from ecg_edge.model.aggregation import WindowMean, window_probabilities
from ecg_edge.model.inference import finite_scores
from ecg_edge.model.session import Model
from ecg_edge.model.windows import n_regular_windows
from ecg_edge.quality.gate import QualityGate
from ecg_edge.quality.measures import BLOCK
from ecg_edge.recording import Recording
from ecg_edge.recording.live_feed import LiveFeed
from ecg_edge.recording.sample_buffer import SampleBuffer

LONGEST_LAST_S = 60
_PIECE = 2500


@dataclass(frozen=True, slots=True)
class StreamWindow:
    """One regular window of the first stage, finished by a push."""

    start_s: float
    """Start in seconds from the stream's first sample."""
    probability: float | None
    """Of infarction, 0 to 1; None if the window holds a sample that is not finite."""
    counts: bool
    """Whether it counts in the mean. A window of unusable signal does not."""


class Stream:
    """One patient's live feed. Its answer so far is the answer of `Detector.detect` for the same samples.

    Make one with `Detector.stream`. Memory does not grow: a stream keeps the sums of the window scores and the last
    `LONGEST_LAST_S` seconds of samples, a few MB. It runs the second stage on every window, because the answer may
    change to an infarction at any time. Use a stream from one thread at a time; streams may share a detector.

    A feed with another sampling rate than the models' is resampled. Its windows come 2 to 8 s late, which is the delay
    of the filter. Its findings are not delayed.

    Args:
        cascade: The models and the decision rule that answer.
        sampling_rate: Of the chunks, samples per second.
        leads: Name of each row of a chunk, as for `Recording`.
        units: Unit of the chunks: mV, uV, nV or V.
        name: Name of the feed in its findings.

    Raises:
        InvalidRecordingError: The leads, the units or the sampling rate are not supported.
        MissingExtraError: The feed must be resampled and soxr is not installed.
    """

    def __init__(self, cascade: Cascade, sampling_rate: float, leads: Sequence[str], units: str, name: str) -> None:
        self._cascade, self._name = cascade, name
        self.sampling_rate, self.leads, self.units = float(sampling_rate), tuple(leads), units
        models = (cascade.infarction, cascade.localization)
        self._whole_lengths = {model.spec.whole_length for model in models}
        self.reset()

    def reset(self) -> None:
        """Forget all samples, for the next patient."""
        self._feed = LiveFeed(self.sampling_rate, self.leads, self.units, self._cascade.sampling_rate, LONGEST_LAST_S)
        self._so_far = _SoFar.start(self._cascade)

    @property
    def samples(self) -> int:
        """Samples of each lead so far, at the feed's rate."""
        return self._feed.latest.stop

    def push(self, chunk: NDArray[np.generic]) -> list[StreamWindow]:
        """Take the next samples.

        Args:
            chunk: Any real data type, shape (leads, n), n may be 0.

        Returns:
            The windows of the first stage that these samples complete. If the window that ends at the last sample is
            not a regular one, it counts only in `finding`.

        Raises:
            WrongShapeError: The chunk is not leads by samples.
            WrongTypeError: It does not hold real numbers.
        """
        return self._so_far.push(self._feed.push(np.asarray(chunk)))

    def finding(self, *, last_s: float | None = None, all_sites: bool = False) -> Finding:
        """Return the answer so far.

        Args:
            last_s: Answer only the last seconds, as `Detector.detect` answers a recording of these samples. At most
                `LONGEST_LAST_S`; None: all samples since the start.
            all_sites: Give the sites even if no infarction is found.

        Raises:
            ValueError: `last_s` is out of range.
            UncomputableError: The gate is set to warn and the result is not finite.
        """
        if last_s is not None and not 0 < last_s <= LONGEST_LAST_S:
            msg = f"last_s is {last_s}, expected more than 0 and at most {LONGEST_LAST_S}"
            raise ValueError(msg)
        rate = self.sampling_rate
        n_samples = self.samples if last_s is None else min(round(last_s * rate), self.samples)
        subject = Subject(self._name, "", n_samples / rate, rate)
        rule = self._cascade.rule
        refusal = None if n_samples else rule.refuse_short(subject, 0)
        if refusal is not None:
            return refusal
        if last_s is not None or self._feed.samples in self._whole_lengths:
            signal = self._feed.latest.stretch(self.samples - n_samples, self.samples)
            recording = Recording(signal, rate, name=self._name)
            return self._cascade.answer([recording], all_sites=all_sites, windows=False)[0]
        pending = self._feed.pending()
        so_far = self._so_far
        if pending.shape[1]:
            so_far = so_far.copy()
            so_far.push(pending)
        return so_far.finding(rule, subject, all_sites=all_sites)


class _SoFar:
    """The state of a stream: the samples so far, at the models' sampling rate, and what both stages found in them."""

    def __init__(self, gate: QualityGate, latest: SampleBuffer, first: "_Stage", second: "_Stage") -> None:
        self._gate, self._latest, self._first, self._second = gate, latest, first, second

    @classmethod
    def start(cls, cascade: Cascade) -> "_SoFar":
        """Return the state before the first sample."""
        models = (cascade.infarction, cascade.localization)
        n_samples = max(model.spec.window for model in models) + _PIECE
        gate = QualityGate(cascade.rule.gate, keep_blocks=n_samples // BLOCK + 2)
        return cls(gate, SampleBuffer(n_samples), *map(_Stage, models))

    def copy(self) -> "_SoFar":
        """Return an independent copy."""
        return _SoFar(deepcopy(self._gate), deepcopy(self._latest), self._first.copy(), self._second.copy())

    def push(self, signal: NDArray[np.float32]) -> list[StreamWindow]:
        """Take the next samples, shape (12, n), and return the windows of the first stage that they complete."""
        finished = []
        for start in range(0, signal.shape[1], _PIECE):
            piece = signal[:, start : start + _PIECE]
            self._gate.push(self._latest.stop, piece[None])
            self._latest.append(piece)
            finished += self._first.advance(self._latest, self._gate)
            self._second.advance(self._latest, self._gate)
        return finished

    def finding(self, rule: DecisionRule, subject: Subject, *, all_sites: bool) -> Finding:
        """Return the finding for all samples."""
        refusal = rule.refuse_short(subject, self._latest.stop)
        if refusal is not None:
            return refusal
        first = self._first.mean_so_far(self._latest, self._gate)
        finding = rule.decide(subject, self._gate.report(), first)
        if needs_localization(finding, all_sites=all_sites):
            finding = rule.add_sites(finding, self._second.mean_so_far(self._latest, self._gate))
        return finding


class _Stage:
    """One model on a stream: the mean of its regular windows so far."""

    def __init__(self, model: Model, mean: WindowMean | None = None) -> None:
        self._model, self._spec = model, model.spec
        self._mean = mean or WindowMean(model.spec)

    def copy(self) -> "_Stage":
        """Return an independent copy."""
        return _Stage(self._model, self._mean.copy())

    def advance(self, latest: SampleBuffer, gate: QualityGate) -> list[StreamWindow]:
        """Score the regular windows that are complete by now."""
        spec, samples, finished = self._spec, latest.stop, []
        n_windows = n_regular_windows(samples, spec.window, spec.stride, spec.tail) if samples >= spec.window else 0
        while self._mean.windows < n_windows:
            first = self._mean.windows
            last = min(first + spec.windows_per_call, n_windows) - 1
            stop = last * spec.stride + spec.window + (spec.tail == "dropped")
            finished += self._score(self._mean, latest, gate, (first * spec.stride, min(stop, samples)))
        return finished

    def mean_so_far(self, latest: SampleBuffer, gate: QualityGate) -> WindowMean:
        """Return the mean so far, with the window that ends at the last sample if the spec asks for one."""
        spec, samples, mean = self._spec, latest.stop, self._mean
        if spec.tail == "window" and (samples - spec.window) % spec.stride:
            mean = self._mean.copy()
            self._score(mean, latest, gate, (samples - spec.window, samples))
        return mean

    def _score(
        self, mean: WindowMean, latest: SampleBuffer, gate: QualityGate, stretch: tuple[int, int]
    ) -> list[StreamWindow]:
        (scores,) = finite_scores(self._model, latest.stretch(*stretch)[None])
        starts = stretch[0] + self._spec.stride * np.arange(len(scores))
        countable = gate.countable(scores, starts, self._spec.window)
        mean.add(scores, countable)
        probabilities = window_probabilities(scores[:, 0], self._spec.average)
        return [
            StreamWindow(
                float(start / self._spec.sampling_rate),
                float(probability) if np.isfinite(score) else None,
                bool(counts),
            )
            for start, probability, score, counts in zip(starts, probabilities, scores[:, 0], countable, strict=True)
        ]
