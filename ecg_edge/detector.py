"""The cascade: recordings in, findings out."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge import __version__
from ecg_edge.errors import EcgEdgeError, ModelError, TooShortError, UncomputableError
from ecg_edge.findings import Finding, Note, Provenance, SiteFinding, Timeline
from ecg_edge.model import Model, read_files, shipped_models
from ecg_edge.parallel import side_by_side
from ecg_edge.readers import RecordFile
from ecg_edge.recording import LEADS, Recording
from ecg_edge.resampling import at_rate, original
from ecg_edge.spec import STAGES, ModelSpec
from ecg_edge.windows import (
    Chunk,
    chunks,
    mean_probability,
    n_regular_windows,
    window_probabilities,
    window_starts,
)

# Recordings in one model call: caches make one at a time the fastest on a CPU, a GPU wants many.
_BATCH = {"cpu": 1, "cuda": 64}


class Detector:
    """Infarction yes or no, and where, for one recording or many.

    Immutable, safe to share between threads, and picklable (the copy loads the same models again).

    Args:
        models: Folder with a manifest; the shipped models if none is given.
        provider: "cpu" or "cuda".
        threads: Recordings that `detect_many` works on at a time.

    Raises:
        ModelError: A model file is missing, changed or not of the contract.
        ProviderError: The provider was asked for but would not run.
    """

    def __init__(
        self, models: str | os.PathLike[str] | None = None, *, provider: str = "cpu", threads: int = 1
    ) -> None:
        if provider not in _BATCH:
            msg = f"provider is {provider!r}, expected one of {', '.join(_BATCH)}"
            raise ValueError(msg)
        if threads < 1:
            msg = f"threads is {threads}, expected 1 or more"
            raise ValueError(msg)
        self.folder = Path(models).resolve() if models is not None else shipped_models()
        self._provider, self._threads = provider, threads
        files = read_files(self.folder, "models")
        if missing := set(STAGES) - set(files):
            raise ModelError(self.folder, f"has no model for the stage {', '.join(sorted(missing))}")
        self.infarction, self.localization = (Model(files[stage], provider) for stage in STAGES)
        for model, stage in zip((self.infarction, self.localization), STAGES, strict=True):
            if model.spec.stage != stage or model.spec.leads != LEADS or model.spec.unit != "mV":
                raise ModelError(files[stage].path, f"is not a {stage} model of 12 leads in mV")
            if model.spec.sampling_rate != self.infarction.spec.sampling_rate:
                raise ModelError(files[stage].path, "has another sampling rate than the infarction model")
        self.provenance = Provenance(
            __version__, self.infarction.provider, (self.infarction.provenance, self.localization.provenance)
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made from."""
        return _detector, (self.folder, self._provider, self._threads)

    def detect(self, recording: Recording, *, all_sites: bool = False, windows: bool = False) -> Finding:
        """Answer one recording.

        Args:
            recording: At least one window long; resampled where its rate is not the models'.
            all_sites: Run the second stage even where the first finds no infarction.
            windows: Keep the probability of each window.

        Raises:
            InvalidRecordingError: It is too short, of a hopeless sampling rate, not finite or beyond measure.
            MissingExtraError: It must be resampled and soxr is not installed.
            TypeError: It is not a Recording.
        """
        return self._answers([recording], all_sites, windows)[0]

    def detect_many(
        self, recordings: Iterable[Recording | RecordFile], *, all_sites: bool = False, windows: bool = False
    ) -> Iterator[Finding]:
        """Answer recordings in order; one that cannot be read or answered is a finding with status "error".

        Args:
            recordings: Recordings, or files of them, which are read only when their turn comes.
            all_sites: As in `detect`.
            windows: As in `detect`.
        """
        batches = _batches(recordings, _BATCH[self._provider])
        answer = partial(self._findings, all_sites=all_sites, windows=windows)
        # Threads for a single batch would only cost their start.
        first = list(islice(batches, 2)) if self._threads > 1 else []
        if len(first) > 1:
            yield from chain.from_iterable(side_by_side(answer, chain(first, batches), self._threads))
        else:
            yield from chain.from_iterable(map(answer, chain(first, batches)))

    def _findings(self, batch: list[Recording | RecordFile], all_sites: bool, windows: bool) -> list[Finding]:
        read: list[Recording] = []
        findings: list[Finding | None] = []
        for item in batch:
            try:
                recording = item.read() if isinstance(item, RecordFile) else item
                read.append(self._ready(recording))
            except EcgEdgeError as error:
                findings.append(self._failed(item, error))
            else:
                findings.append(None)
        answers = iter(self._answers_or_errors(read, all_sites, windows))
        return [finding or next(answers) for finding in findings]

    def _answers_or_errors(self, recordings: list[Recording], all_sites: bool, windows: bool) -> list[Finding]:
        try:
            return self._answers(recordings, all_sites, windows)
        except EcgEdgeError as error:
            if len(recordings) == 1:
                return [self._failed(recordings[0], error)]
            return [finding for each in recordings for finding in self._answers_or_errors([each], all_sites, windows)]

    def _failed(self, item: Recording | RecordFile, error: EcgEdgeError) -> Finding:
        return Finding(item.name, item.source, "error", self.provenance, error=str(error))

    def _ready(self, recording: Recording) -> Recording:
        """Return the recording at the models' sampling rate, if it is long enough."""
        if not isinstance(recording, Recording):
            msg = f"expected a Recording, found {type(recording).__name__}; wrap an array: Recording(signal)"
            raise TypeError(msg)
        ready = at_rate(recording, self.infarction.spec.sampling_rate)
        for spec in (self.infarction.spec, self.localization.spec):
            if ready.samples < spec.window:
                own = original(recording)
                needed = -(-spec.window * own.sampling_rate // spec.sampling_rate)
                raise TooShortError(own.samples, int(needed), own.sampling_rate)
        return ready

    def _answers(self, recordings: list[Recording], all_sites: bool, windows: bool) -> list[Finding]:
        recordings = [self._ready(recording) for recording in recordings]
        spec = self.infarction.spec
        first = window_scores(self.infarction, recordings)
        detected = [_probability(scores, spec)[0] >= spec.thresholds[0] for scores in first]
        located = [i for i, found in enumerate(detected) if found or all_sites]
        second = window_scores(self.localization, [recordings[i] for i in located])
        sites = {i: self._sites(recordings[i], scores, windows) for i, scores in zip(located, second, strict=True)}
        return [
            self._finding(recording, first[i], detected[i], sites.get(i, ()), windows)
            for i, recording in enumerate(recordings)
        ]

    def _sites(self, recording: Recording, scores: NDArray[np.float32], windows: bool) -> tuple[SiteFinding, ...]:
        spec = self.localization.spec
        timelines = [_timeline(spec, recording, each) if windows else None for each in scores.T]
        parts = zip(spec.labels, _probability(scores, spec), spec.thresholds, timelines, strict=True)
        return tuple(SiteFinding(*part) for part in parts)

    def _finding(
        self,
        recording: Recording,
        scores: NDArray[np.float32],
        detected: bool,
        sites: tuple[SiteFinding, ...],
        windows: bool,
    ) -> Finding:
        unproven = self.localization.spec.unproven
        return Finding(
            recording.name,
            recording.source,
            "detected" if detected else "not_detected",
            self.provenance,
            probability=_probability(scores, self.infarction.spec)[0],
            threshold=self.infarction.spec.thresholds[0],
            sites=sites,
            warnings=tuple(
                Note("unproven_site", f"{site.site} was learned from too few examples to be trusted", site=site.site)
                for site in sites
                if detected and site.found and site.site in unproven
            ),
            duration_s=original(recording).duration_s,
            sampling_rate=original(recording).sampling_rate,
            timeline=_timeline(self.infarction.spec, recording, scores[:, 0]) if windows else None,
        )


def _detector(folder: Path, provider: str, threads: int) -> Detector:
    return Detector(folder, provider=provider, threads=threads)


def _batches(recordings: Iterable[Recording | RecordFile], size: int) -> Iterator[list[Recording | RecordFile]]:
    remaining = iter(recordings)
    while batch := list(islice(remaining, size)):
        yield batch


def window_scores(model: Model, recordings: list[Recording]) -> list[NDArray[np.float32]]:
    """Return the scores of all windows of each recording, shape (windows, labels); equal lengths share calls."""
    parts: list[list[NDArray[np.float32]]] = [[] for _ in recordings]
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, recording in enumerate(recordings):
        by_length[recording.samples].append(i)
    for samples, rows in by_length.items():
        for some, chunk in _calls(model.spec, samples, rows):
            stretches = [recordings[i].stretch(chunk.start, chunk.stop) for i in some]
            ecg = np.stack(stretches) if len(stretches) > 1 else stretches[0][None]
            answers = model.window_scores(ecg)
            if not np.isfinite(answers).all():
                raise UncomputableError(float(np.abs(ecg).max()))
            for i, scores in zip(some, answers, strict=True):
                parts[i].append(scores)
    return [np.concatenate(each) for each in parts]


def _calls(spec: ModelSpec, samples: int, rows: list[int]) -> Iterator[tuple[list[int], Chunk]]:
    """Yield which recordings of equal length, and which stretch of them, to hand to the model together."""
    whole = samples == spec.whole_length
    at_least = n_regular_windows(samples, spec.window, spec.stride, spec.tail) if whole else 1
    together = max(1, spec.windows_per_call // at_least)
    for i in range(0, len(rows), together):
        some = rows[i : i + together]
        most = spec.windows_per_call // len(some)
        stretches = [Chunk(0, samples)] if whole else chunks(samples, spec.window, spec.stride, most, spec.tail)
        for stretch in stretches:
            yield some, stretch


def _probability(scores: NDArray[np.float32], spec: ModelSpec) -> list[float]:
    return [float(each) for each in mean_probability(scores, spec.average)]


def _timeline(spec: ModelSpec, recording: Recording, scores: NDArray[np.float32]) -> Timeline:
    starts = window_starts(recording.samples, spec.window, spec.stride, spec.tail) / recording.sampling_rate
    return Timeline(tuple(starts.tolist()), tuple(window_probabilities(scores, spec.average).tolist()))
