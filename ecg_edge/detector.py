"""The cascade: recordings in, findings out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge._version import __version__
from ecg_edge.decision import Judge, QualityGate, Subject, to_be_located
from ecg_edge.errors import EcgEdgeError, ModelError, NoMemoryError, UnreadableError
from ecg_edge.findings import Finding, Provenance, Timeline
from ecg_edge.model.aggregation import WindowMean, window_probabilities
from ecg_edge.model.inference import Watch, scored_windows
from ecg_edge.model.manifest import read_files
from ecg_edge.model.session import PROVIDERS, Model
from ecg_edge.model.spec import STAGES, ModelSpec
from ecg_edge.package_data import shipped_models
from ecg_edge.quality.gate import Listener
from ecg_edge.readers import RecordFile
from ecg_edge.recording import LEADS, Recording
from ecg_edge.scheduling import batches

if TYPE_CHECKING:
    from ecg_edge.stream import Stream


_Answer = tuple[WindowMean, tuple[Timeline, ...]]


class _Taken(NamedTuple):
    subject: Subject
    recording: Recording
    """At the models' sampling rate."""
    listener: Listener


class Detector:
    """Infarction yes or no, and where, for one recording or many.

    Immutable, safe to share between threads, and picklable (the copy loads the same models again).

    Args:
        models: Folder with a manifest; the shipped models if none is given.
        provider: "cpu" or "cuda".
        threads: Recordings that `detect_many` works on at a time.
        quality_gate: What becomes of a recording that a quality rule refuses: "refuse" leaves it without an answer,
            "warn" answers it all the same, if any of its windows can be answered.

    Raises:
        ModelError: A model file is missing, changed or not of the contract.
        ProviderError: The provider was asked for but would not run.
    """

    def __init__(
        self,
        models: str | os.PathLike[str] | None = None,
        *,
        provider: str = "cpu",
        threads: int = 1,
        quality_gate: QualityGate = "refuse",
    ) -> None:
        if provider not in PROVIDERS:
            msg = f"provider is {provider!r}, expected one of {', '.join(PROVIDERS)}"
            raise ValueError(msg)
        if threads < 1:
            msg = f"threads is {threads}, expected 1 or more"
            raise ValueError(msg)
        if quality_gate not in ("refuse", "warn"):
            msg = f"quality_gate is {quality_gate!r}, expected refuse or warn"
            raise ValueError(msg)
        self.folder = Path(models).resolve() if models is not None else shipped_models()
        self._provider, self._threads = provider, threads
        # Many short calls would hand the interpreter's lock to and fro: half of the threads make them, half compute.
        self._turn: AbstractContextManager[object] = nullcontext() if threads == 1 else Semaphore(-(-threads // 2))
        files = read_files(self.folder, "models")
        if missing := set(STAGES) - set(files):
            raise ModelError(self.folder, f"has no model for the stage {', '.join(sorted(missing))}")
        self.infarction, self.localization = (Model(files[stage], provider) for stage in STAGES)
        for model, stage in zip((self.infarction, self.localization), STAGES, strict=True):
            if model.spec.stage != stage or model.spec.leads != LEADS or model.spec.unit != "mV":
                raise ModelError(files[stage].path, f"is not a {stage} model of 12 leads in mV")
        self.provenance = Provenance(
            __version__, self.infarction.provider, (self.infarction.provenance, self.localization.provenance)
        )
        self.judge = Judge(self.infarction.spec, self.localization.spec, self.provenance, quality_gate)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made from."""
        return _detector, (self.folder, self._provider, self._threads, self.judge.gate)

    def detect(self, recording: Recording, *, all_sites: bool = False, windows: bool = False) -> Finding:
        """Answer one recording.

        Args:
            recording: Resampled if it has another rate than the models; what the quality gate refuses gets the status
                "cannot_analyse".
            all_sites: Run the second stage even where the first finds no infarction.
            windows: Keep the probability of each window that counts.

        Raises:
            InvalidRecordingError: It has a hopeless sampling rate or, past an open gate, is beyond measure.
            MissingExtraError: It must be resampled and soxr is not installed.
            TypeError: It is not a Recording.
        """
        return self._answers([self._taken(recording)], all_sites, windows)[0]

    def stream(
        self,
        *,
        sampling_rate: float = 500.0,
        leads: Sequence[str] = LEADS,
        units: str = "mV",
        name: str = "stream",
    ) -> "Stream":
        """Return a live feed of one patient, to be pushed chunk by chunk; see `ecg_edge.stream.Stream`."""
        from ecg_edge.stream import Stream

        return Stream(self, sampling_rate, leads, units, name)

    def detect_many(
        self, recordings: Iterable[Recording | RecordFile], *, all_sites: bool = False, windows: bool = False
    ) -> Iterator[Finding]:
        """Answer recordings in order; one that cannot be read or answered is a finding with status "error".

        Args:
            recordings: Recordings, or files of them, which are read only when their turn comes. Small ones of a
                sequence, such as a list, are answered a few at a time; on a CPU, each of any other iterable is answered
                before the next is waited for. A GPU waits for 64 whatever they are.
            all_sites: As in `detect`.
            windows: As in `detect`.
        """
        together = batches(recordings, self._provider, self._threads)
        answer = partial(self._findings, all_sites=all_sites, windows=windows)
        if self._threads == 1 or (isinstance(recordings, Sequence) and len(recordings) == 1):
            yield from chain.from_iterable(map(answer, together))
        else:
            from ecg_edge.scheduling import side_by_side

            yield from chain.from_iterable(side_by_side(answer, together, self._threads))

    def _findings(self, batch: list[Recording | RecordFile], all_sites: bool, windows: bool) -> list[Finding]:
        taken: list[_Taken] = []
        findings: list[Finding | None] = []
        for item in batch:
            try:
                taken.append(self._taken(item.read() if isinstance(item, RecordFile) else item))
            except EcgEdgeError as error:
                findings.append(self._failed(item.name, item.source, error))
            except OSError as error:
                unreadable = UnreadableError(item.source, f"cannot be read: {error.strerror or error}")
                findings.append(self._failed(item.name, item.source, unreadable))
            except MemoryError as error:
                findings.append(self._failed(item.name, item.source, NoMemoryError(error)))
            else:
                findings.append(None)
        answers = iter(self._answers_or_errors(taken, all_sites, windows))
        return [finding or next(answers) for finding in findings]

    def _answers_or_errors(self, taken: list[_Taken], all_sites: bool, windows: bool) -> list[Finding]:
        try:
            return self._answers(taken, all_sites, windows)
        except (EcgEdgeError, MemoryError) as error:
            if len(taken) == 1:
                known = error if isinstance(error, EcgEdgeError) else NoMemoryError(error)
                return [self._failed(taken[0].subject.record, taken[0].subject.source, known)]
            # Each by itself, and listened to from its beginning.
            alone = [each._replace(listener=Listener(self.judge.gate)) for each in taken]
            return [finding for each in alone for finding in self._answers_or_errors([each], all_sites, windows)]

    def _failed(self, name: str, source: str, error: EcgEdgeError) -> Finding:
        return Finding(name, source, "error", self.provenance, error=str(error))

    def _taken(self, recording: Recording) -> _Taken:
        if not isinstance(recording, Recording):
            msg = f"expected a Recording, found {type(recording).__name__}; wrap an array: Recording(signal)"
            raise TypeError(msg)
        subject = Subject(recording.name, recording.source, recording.duration_s, recording.sampling_rate)
        rate = self.infarction.spec.sampling_rate
        if recording.sampling_rate != rate:
            from ecg_edge.recording.resampling import at_rate

            recording = at_rate(recording, rate)
        return _Taken(subject, recording, Listener(self.judge.gate))

    def _answers(self, taken: list[_Taken], all_sites: bool, windows: bool) -> list[Finding]:
        short = [self.judge.too_short(each.subject, each.recording.samples) for each in taken]
        long = [each for each, finding in zip(taken, short, strict=True) if finding is None]
        answers = iter(self._cascade(long, all_sites, windows))
        return [finding or next(answers) for finding in short]

    def _cascade(self, taken: list[_Taken], all_sites: bool, windows: bool) -> list[Finding]:
        findings = []
        for each, (mean, timelines) in zip(taken, self._listened(taken, windows), strict=True):
            with self._turn:
                findings.append(self.judge.first_stage(each.subject, each.listener.quality, mean, *timelines))
        located = [i for i, finding in enumerate(findings) if to_be_located(finding, all_sites=all_sites)]
        second = self._scored(self.localization, [taken[i] for i in located], windows)
        for i, (mean, timelines) in zip(located, second, strict=True):
            findings[i] = self.judge.with_sites(findings[i], mean, timelines)
        return findings

    def _listened(self, taken: list[_Taken], windows: bool) -> list[_Answer]:
        """Return the first stage's answers; every sample that is read on the way is listened to."""

        def listen(i: int, start: int, samples: NDArray[np.float32]) -> None:
            with self._turn:
                taken[i].listener.listen(start, samples)

        answers = self._scored(self.infarction, taken, windows, listen)
        for i, each in enumerate(taken):
            start, samples = each.listener.quality.samples, each.recording.samples
            if start < samples:
                listen(i, start, each.recording.stretch(start, samples))
        return answers

    def _scored(self, model: Model, taken: list[_Taken], windows: bool, watch: Watch | None = None) -> list[_Answer]:
        """Return the mean over the windows that count and, if asked for, each label's timeline of them."""
        means = [WindowMean(model.spec) for _ in taken]
        kept: list[list[tuple[NDArray[np.int64], NDArray[np.float32]]]] = [[] for _ in taken]
        for i, starts, scores in scored_windows(model, [each.recording for each in taken], watch):
            counts = taken[i].listener.counts(scores, starts, model.spec.window)
            means[i].add(scores, counts)
            if windows:
                kept[i].append((starts[counts], scores[counts]))
        return [(mean, _timelines(model.spec, each)) for mean, each in zip(means, kept, strict=True)]


def _timelines(spec: ModelSpec, kept: list[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> tuple[Timeline, ...]:
    if not kept:
        return ()
    starts, scores = (np.concatenate(each) for each in zip(*kept, strict=True))
    starts_s = tuple((starts / spec.sampling_rate).tolist())
    return tuple(Timeline(starts_s, tuple(each.tolist())) for each in window_probabilities(scores, spec.average).T)


def _detector(folder: Path, provider: str, threads: int, quality_gate: QualityGate) -> Detector:
    return Detector(folder, provider=provider, threads=threads, quality_gate=quality_gate)
