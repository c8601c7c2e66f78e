"""Two models, one after the other: recordings in, findings out.

The first model says whether there is an infarction. The second says where, in recordings that the first calls positive.
A third, if there is one, says whether a recording is what the two were made for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.decision import DecisionRule, Subject, needs_localization
from ecg_edge.findings import Finding, Timeline
from ecg_edge.model.aggregation import WindowMean, window_probabilities
from ecg_edge.model.inference import ModelInput, finite_scores, read_inputs
from ecg_edge.model.likely_rate import END_S, find_likely_rate
from ecg_edge.model.session import Model
from ecg_edge.model.spec import ModelSpec
from ecg_edge.occlusion import NOT_EXPLAINED, explain_by_occlusion
from ecg_edge.quality.gate import QualityGate
from ecg_edge.quality.plausibility import TIME_SCALE, add_faults, choose_faults
from ecg_edge.quality.report import QualityReport
from ecg_edge.recording import Recording
from ecg_edge.recording.empty_leads import derive_empty_leads


class Cascade(NamedTuple):
    """The models and the rule that decides on their answers; stateless and safe to share."""

    infarction: Model
    localization: Model
    rule: DecisionRule
    turn: AbstractContextManager[object] = nullcontext()
    """Held while Python code measures samples, so that only some of the threads ask for the interpreter's lock."""
    plausibility: Model | None = None
    """Finds recordings that the other models were not made for."""

    @property
    def models(self) -> tuple[Model, ...]:
        """All models."""
        pair = (self.infarction, self.localization)
        return pair if self.plausibility is None else (*pair, self.plausibility)

    @property
    def sampling_rate(self) -> float:
        """Samples per second that the models take."""
        return self.infarction.spec.sampling_rate

    def answer(
        self, recordings: Sequence[Recording], *, all_sites: bool, windows: bool, explain: bool = False
    ) -> list[Finding]:
        """Answer recordings in order; those of equal length share model calls.

        Args:
            recordings: Of any supported sampling rate and any length.
            all_sites: Run the second stage even where the first finds no infarction.
            windows: Keep the probability of each window that counts.
            explain: Add what carried each answer.

        Raises:
            InvalidRecordingError: A sampling rate is not supported, or the gate is set to warn and a result is not
                finite.
            MissingExtraError: A recording must be resampled and soxr is not installed.
        """
        cases = [self._open_case(recording) for recording in recordings]
        findings: dict[int, Finding] = {}
        for i, case in enumerate(cases):
            refusal = self.rule.refuse_long(case.subject)
            refusal = refusal or self.rule.refuse_short(case.subject, case.recording.samples)
            if refusal is not None:
                findings[i] = refusal
        long = [i for i in range(len(cases)) if i not in findings]
        findings.update(zip(long, self._detect([cases[i] for i in long], windows=windows), strict=True))
        positive = [i for i in long if needs_localization(findings[i], all_sites=all_sites)]
        located = self._localize([findings[i] for i in positive], [cases[i] for i in positive], windows=windows)
        findings.update(zip(positive, located, strict=True))
        if explain:
            findings = {i: self._explain(finding, cases[i]) for i, finding in findings.items()}
        return [findings[i] for i in range(len(cases))]

    def _explain(self, finding: Finding, case: "_Case") -> Finding:
        """Return a finding with what carried its answer, or with a warning if there is no answer."""
        if finding.probability is None:
            return replace(finding, warnings=(*finding.warnings, NOT_EXPLAINED))
        stages = [(self.infarction, self.infarction.spec.labels)]
        if finding.found_sites:
            stages.append((self.localization, finding.found_sites))
        countable = partial(case.gate.countable, recording=case.row)
        explanation = explain_by_occlusion(case.recording, stages, countable)
        return replace(finding, explanation=explanation)

    def _open_case(self, recording: Recording) -> "_Case":
        recording, derived = derive_empty_leads(recording)
        original = recording
        rate, duration_s = recording.sampling_rate, recording.duration_s
        subject = Subject(recording.name, recording.source, duration_s, rate, derived, recording.notes)
        if recording.sampling_rate != self.sampling_rate:
            from ecg_edge.recording.resampling import resample

            recording = resample(recording, self.sampling_rate)
        return _Case(subject, original, recording)

    def _detect(self, cases: list["_Case"], *, windows: bool) -> list[Finding]:
        """Return the first stage's findings: each stretch is read, measured, scored and added."""
        results = [_StageResult(self.infarction.spec) for _ in cases]
        checks = _Checks(self.plausibility, cases)
        groups: list[list[_Case]] = []
        for model_input in read_inputs(self.infarction.spec, [case.recording for case in cases]):
            with self.turn:
                if model_input.start == 0:
                    groups.append([cases[i] for i in model_input.recordings])
                    _share_gate(groups[-1], QualityGate(self.rule.gate, len(groups[-1])))
                groups[-1][0].gate.push(model_input.start, model_input.ecg)
            _add_scores(self.infarction, model_input, cases, results, windows=windows)
            checks.share(model_input)
        with self.turn:
            for group in groups:
                _measure_rest(group)
        checks.finish()
        with self.turn:
            return [
                self._decide(case, result, mean)
                for case, result, mean in zip(cases, results, checks.means, strict=True)
            ]

    def _decide(self, case: "_Case", result: "_StageResult", check: WindowMean | None) -> Finding:
        timeline = next(result.timelines(), None)
        report = self.add_faults(case.subject, case.gate.report(case.row), check, case.read_end)
        return self.rule.decide(case.subject, report, result.mean, timeline)

    def add_faults(
        self, subject: Subject, report: QualityReport, mean: WindowMean | None, read_end: Callable[[], Recording]
    ) -> QualityReport:
        """Return a report with what the third model finds.

        Args:
            subject: The recording.
            report: Of the quality rules.
            mean: Of the third model's windows; None without a third model.
            read_end: Reads the last `END_S` seconds as they were stated, before resampling.
        """
        probabilities = mean.probability() if mean and mean.counted else None
        if self.plausibility is None or probabilities is None:
            return report
        spec = self.plausibility.spec
        margins = {
            label: (probability - threshold) / (1 - threshold)
            for label, probability, threshold in zip(spec.labels, probabilities, spec.thresholds, strict=True)
            if probability >= threshold
        }
        labels = choose_faults(report, margins)
        wrong_rate = bool(labels) and labels[0] in TIME_SCALE
        likely_rate = find_likely_rate(self.plausibility, read_end(), labels[0]) if wrong_rate else None
        return add_faults(report, labels, subject.sampling_rate, likely_rate)

    def _localize(self, findings: Iterable[Finding], cases: list["_Case"], *, windows: bool) -> list[Finding]:
        """Return findings with the second stage's sites."""
        results = [_StageResult(self.localization.spec) for _ in cases]
        for model_input in read_inputs(self.localization.spec, [case.recording for case in cases]):
            _add_scores(self.localization, model_input, cases, results, windows=windows)
        return [
            self.rule.add_sites(finding, result.mean, tuple(result.timelines()))
            for finding, result in zip(findings, results, strict=True)
        ]


@dataclass(slots=True)
class _Case:
    """One recording on its way to its finding."""

    subject: Subject
    original: Recording
    """At its own sampling rate."""
    recording: Recording
    """At the models' sampling rate."""
    gate: QualityGate = field(init=False)
    """Of this recording and of those that share its model calls in the first stage."""
    row: int = field(init=False)
    """Index of this recording among them."""

    def read_end(self) -> Recording:
        """Return the last seconds of the original."""
        samples, rate = self.original.samples, self.original.sampling_rate
        return Recording(self.original.stretch(max(0, samples - round(END_S * rate)), samples), rate)


def _share_gate(group: list[_Case], gate: QualityGate) -> None:
    for row, case in enumerate(group):
        case.gate, case.row = gate, row


def _measure_rest(group: list[_Case]) -> None:
    """Measure the samples at the end that no window of the first stage needed."""
    gate, samples = group[0].gate, group[0].recording.samples
    if gate.samples < samples:
        start = gate.samples
        gate.push(start, np.stack([case.recording.stretch(start, samples) for case in group]))


class _StageResult:
    """What one stage found in one recording: the mean over its windows and, if kept, the windows themselves."""

    def __init__(self, spec: ModelSpec) -> None:
        self.mean = WindowMean(spec)
        self._spec = spec
        self._starts: list[NDArray[np.int64]] = []
        self._scores: list[NDArray[np.float32]] = []

    def keep(self, starts: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Keep windows for the timelines: their first samples and scores."""
        self._starts.append(starts)
        self._scores.append(scores)

    def timelines(self) -> Iterator[Timeline]:
        """Yield the timeline of each label; nothing if no windows were kept."""
        if not self._starts:
            return
        starts_s = tuple((np.concatenate(self._starts) / self._spec.sampling_rate).tolist())
        probabilities = window_probabilities(np.concatenate(self._scores), self._spec.average)
        for label_probabilities in probabilities.T:
            yield Timeline(starts_s, tuple(label_probabilities.tolist()))


class _Checks:
    """What the third model found in each recording; empty without a third model.

    Args:
        model: The third model.
        cases: The recordings.
    """

    def __init__(self, model: Model | None, cases: list[_Case]) -> None:
        self._model, self._cases = model, cases
        self._results = [] if model is None else [_StageResult(model.spec) for _ in cases]

    @property
    def means(self) -> list[WindowMean] | list[None]:
        """Mean of each recording. A recording shorter than a window of this model has none that counts."""
        return [result.mean for result in self._results] or [None] * len(self._cases)

    def share(self, model_input: ModelInput) -> None:
        """Check recordings on the stretch that the first model was given, if one call gives all windows."""
        samples = self._cases[model_input.recordings[0]].recording.samples
        if self._model is not None and model_input.has_all_windows(self._model.spec, samples):
            _add_scores(self._model, model_input, self._cases, self._results, windows=False)

    def finish(self) -> None:
        """Check the other recordings. All their samples must have been measured."""
        if self._model is None:
            return
        spec = self._model.spec
        pairs = zip(self._cases, self._results, strict=True)
        rest = [pair for pair in pairs if not pair[1].mean.windows and pair[0].recording.samples >= spec.window]
        cases, results = [case for case, _ in rest], [result for _, result in rest]
        for model_input in read_inputs(spec, [case.recording for case in cases]):
            _add_scores(self._model, model_input, cases, results, windows=False)


def _add_scores(
    model: Model, model_input: ModelInput, cases: list[_Case], results: list[_StageResult], *, windows: bool
) -> None:
    """Score the windows of one model call and add those that count to the results of their recordings."""
    starts = model_input.starts(model.spec)
    for i, scores in zip(model_input.recordings, finite_scores(model, model_input.ecg), strict=True):
        countable = cases[i].gate.countable(scores, starts, model.spec.window, cases[i].row)
        results[i].mean.add(scores, countable)
        if windows:
            results[i].keep(starts[countable], scores[countable])
