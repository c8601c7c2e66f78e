"""What a stream knows of its samples so far: their quality, and the mean over the windows of each model."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg_edge.cascade import Cascade
from ecg_edge.decision import Subject, needs_localization
from ecg_edge.findings import Finding
from ecg_edge.model.aggregation import WindowMean, window_probabilities
from ecg_edge.model.inference import finite_scores
from ecg_edge.model.session import Model
from ecg_edge.model.windows import n_regular_windows
from ecg_edge.quality.gate import QualityGate
from ecg_edge.quality.measures import BLOCK
from ecg_edge.recording import Recording
from ecg_edge.recording.sample_buffer import SampleBuffer

_PIECE = 2500
State = tuple[QualityGate, SampleBuffer, tuple[WindowMean, ...]]
"""What is pickled of a `SoFar`: all but the models. One mean for each model of the cascade."""


@dataclass(frozen=True, slots=True)
class StreamWindow:
    """One regular window of the first stage, finished by a push."""

    start_s: float
    """Start in seconds from the stream's first sample."""
    probability: float | None
    """Of infarction, 0 to 1; None if the window holds a sample that is not finite."""
    counts: bool
    """Whether it counts in the mean. A window of unusable signal does not."""


class SoFar:
    """The state of a stream: the samples so far, at the models' sampling rate, and what the models found in them."""

    def __init__(self, gate: QualityGate, latest: SampleBuffer, stages: tuple["_Stage", ...]) -> None:
        self._gate, self._latest, self._stages = gate, latest, stages

    @classmethod
    def start(cls, cascade: Cascade) -> "SoFar":
        """Return the state before the first sample."""
        n_samples = max(model.spec.window for model in cascade.models) + _PIECE
        gate = QualityGate(cascade.rule.gate, keep_blocks=n_samples // BLOCK + 2)
        return cls(gate, SampleBuffer(n_samples), tuple(map(_Stage, cascade.models)))

    @classmethod
    def from_state(cls, cascade: Cascade, state: State) -> "SoFar":
        """Return what `get_state` describes, with the models of a cascade."""
        gate, latest, means = state
        return cls(gate, latest, tuple(map(_Stage, cascade.models, means)))

    def get_state(self) -> State:
        """Return all but the models."""
        return self._gate, self._latest, tuple(stage.mean for stage in self._stages)

    def copy(self) -> "SoFar":
        """Return an independent copy."""
        return SoFar(deepcopy(self._gate), deepcopy(self._latest), tuple(stage.copy() for stage in self._stages))

    def push(self, signal: NDArray[np.float32]) -> list[StreamWindow]:
        """Take the next samples, shape (12, n), and return the windows of the first stage that they complete."""
        finished = []
        for start in range(0, signal.shape[1], _PIECE):
            piece = signal[:, start : start + _PIECE]
            self._gate.push(self._latest.stop, piece[None])
            self._latest.append(piece)
            of_first, *_ = [stage.advance(self._latest, self._gate) for stage in self._stages]
            finished += of_first
        return finished

    def finding(
        self, cascade: Cascade, subject: Subject, read_end: Callable[[], Recording], *, all_sites: bool
    ) -> Finding:
        """Return the finding for all samples.

        Args:
            cascade: The models and the rule.
            subject: The feed.
            read_end: As of `Cascade.add_faults`.
            all_sites: As of `Cascade.answer`.
        """
        rule = cascade.rule
        refusal = rule.refuse_short(subject, self._latest.stop)
        if refusal is not None:
            return refusal
        first, second, *third = self._stages
        check = third[0].mean_so_far(self._latest, self._gate) if third else None
        report = cascade.add_faults(subject, self._gate.report(), check, read_end)
        finding = rule.decide(subject, report, first.mean_so_far(self._latest, self._gate))
        if needs_localization(finding, all_sites=all_sites):
            finding = rule.add_sites(finding, second.mean_so_far(self._latest, self._gate))
        return finding


class _Stage:
    """One model on a stream: the mean of its regular windows so far."""

    def __init__(self, model: Model, mean: WindowMean | None = None) -> None:
        self._model, self._spec = model, model.spec
        self.mean = mean or WindowMean(model.spec)

    def copy(self) -> "_Stage":
        """Return an independent copy."""
        return _Stage(self._model, self.mean.copy())

    def advance(self, latest: SampleBuffer, gate: QualityGate) -> list[StreamWindow]:
        """Score the regular windows that are complete by now."""
        spec, samples, finished = self._spec, latest.stop, []
        n_windows = n_regular_windows(samples, spec.window, spec.stride, spec.tail) if samples >= spec.window else 0
        while self.mean.windows < n_windows:
            first = self.mean.windows
            last = min(first + spec.windows_per_call, n_windows) - 1
            stop = last * spec.stride + spec.window + (spec.tail == "dropped")
            finished += self._score(self.mean, latest, gate, (first * spec.stride, min(stop, samples)))
        return finished

    def mean_so_far(self, latest: SampleBuffer, gate: QualityGate) -> WindowMean:
        """Return the mean so far, with the window that ends at the last sample if the spec asks for one."""
        spec, samples, mean = self._spec, latest.stop, self.mean
        if spec.tail == "window" and samples > spec.window and (samples - spec.window) % spec.stride:
            mean = self.mean.copy()
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
