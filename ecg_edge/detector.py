"""Recordings in, findings out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from ecg_edge._version import __version__
from ecg_edge.cascade import Cascade
from ecg_edge.decision import MOST_S, DecisionRule
from ecg_edge.errors import EcgEdgeError, ModelError, NoMemoryError, OperatingPointError, UnreadableError
from ecg_edge.findings import Finding, Provenance
from ecg_edge.model.manifest import CheckedFile, read_files
from ecg_edge.model.operating_point import BALANCED
from ecg_edge.model.session import PROVIDERS, Model
from ecg_edge.model.spec import STAGES
from ecg_edge.package_data import shipped_models
from ecg_edge.quality.gate import GatePolicy
from ecg_edge.quality.measures import RATE
from ecg_edge.quality.plausibility import FAULTS
from ecg_edge.recording import LEADS, RecordFile, Recording
from ecg_edge.scheduling import Item, Turn, batches, work_side_by_side

if TYPE_CHECKING:
    from ecg_edge.stream import Stream


_KEPT_BYTES = 2**24


class Detector:
    """Infarction yes or no, and where, for one recording or many.

    Immutable, safe to share between threads, and picklable (the copy loads the same models again).

    Args:
        models: Folder with a manifest; the shipped models if none is given.
        provider: "cpu" or "cuda".
        threads: Recordings that `detect_many` works on at a time.
        quality_gate: What becomes of a recording that a quality rule refuses: "refuse" leaves it without an answer,
            "warn" answers it all the same, if any of its windows can be answered.
        max_duration_s: Longest recording in seconds that is answered. A small file may claim to last for years.
        operating_point: Which thresholds decide: "balanced", or another point that the models have, such as
            "sensitive" for screening and "specific" for confirmation. `operating_points` names them.

    Raises:
        ModelError: A model file is missing, changed or not of the contract.
        OperatingPointError: The models do not have the operating point.
        ProviderError: The requested provider does not run.
    """

    def __init__(  # noqa: PLR0913 - one parameter a setting
        self,
        models: str | os.PathLike[str] | None = None,
        *,
        provider: str = "cpu",
        threads: int = 1,
        quality_gate: GatePolicy = "refuse",
        max_duration_s: float = MOST_S,
        operating_point: str = BALANCED,
    ) -> None:
        if provider not in PROVIDERS:
            msg = f"provider is {provider!r}, expected one of {', '.join(PROVIDERS)}"
            raise ValueError(msg)
        if threads < 1:
            msg = f"threads is {threads}, expected 1 or more"
            raise ValueError(msg)
        if quality_gate not in get_args(GatePolicy):
            msg = f"quality_gate is {quality_gate!r}, expected {' or '.join(get_args(GatePolicy))}"
            raise ValueError(msg)
        if not max_duration_s > 0:
            msg = f"max_duration_s is {max_duration_s}, expected more than 0"
            raise ValueError(msg)
        _keep_freed_memory()
        self.folder = Path(models).resolve() if models is not None else shipped_models()
        self._provider, self._threads = provider, threads
        by_stage = _load_models(self.folder, provider)
        self.models = tuple(by_stage.values())
        """All models of the folder, by stage: infarction, localization and, if there is one, plausibility."""
        self.infarction, self.localization = by_stage["infarction"], by_stage["localization"]
        of_localization = self.localization.spec.points
        self.operating_points = tuple(name for name in self.infarction.spec.points if name in of_localization)
        """Names of the operating points that the models have; "balanced" is one of them."""
        self._check_operating_point(operating_point)
        provenances = tuple(model.provenance for model in self.models)
        self.provenance = Provenance(__version__, self.infarction.provider, provenances, operating_point)
        rule = DecisionRule(self.infarction.spec, self.localization.spec, self.provenance, quality_gate, max_duration_s)
        # Many short calls would pass the interpreter's lock back and forth: half of the threads measure, half compute.
        turn: AbstractContextManager[object] = nullcontext() if threads == 1 else Turn(ceil(threads / 2))
        self._cascade = Cascade(self.infarction, self.localization, rule, turn, by_stage.get("plausibility"))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made from."""
        rule = self._cascade.rule
        return _rebuild, (self.folder, self._provider, self._threads, rule.gate, rule.most_s, self.operating_point)

    @property
    def operating_point(self) -> str:
        """Name of the operating point whose thresholds decide."""
        return self.provenance.operating_point

    def at(self, operating_point: str) -> "Detector":
        """Return a detector that shares these models and decides at another operating point.

        Args:
            operating_point: One of `operating_points`.

        Raises:
            OperatingPointError: The models do not have the operating point.
        """
        self._check_operating_point(operating_point)
        # `copy` would load the models again, as unpickling does.
        other = object.__new__(Detector)
        vars(other).update(vars(self))
        other.provenance = replace(self.provenance, operating_point=operating_point)
        other._cascade = self._cascade._replace(rule=self._cascade.rule._replace(provenance=other.provenance))
        return other

    def _check_operating_point(self, name: str) -> None:
        if name not in self.operating_points:
            raise OperatingPointError(self.folder, name, self.operating_points)

    def detect(self, recording: Recording, *, all_sites: bool = False, windows: bool = False) -> Finding:
        """Answer one recording.

        Args:
            recording: Resampled if it has another rate than the models; what the quality gate refuses gets the status
                "cannot_analyse".
            all_sites: Run the second stage even where the first finds no infarction.
            windows: Keep the probability of each window that counts.

        Raises:
            InvalidRecordingError: The sampling rate is not supported, or the gate is set to warn and the result is
                not finite.
            MissingExtraError: It must be resampled and soxr is not installed.
            TypeError: It is not a Recording.
        """
        return self._cascade.answer([_require_recording(recording)], all_sites=all_sites, windows=windows)[0]

    def explain(self, recording: Recording) -> Finding:
        """Answer one recording, and say what carried the answer.

        The finding is that of `detect`, and its `explanation` says which leads and which time the probabilities rest
        on. It is a hint to where to look, not a reason. A recording without an answer has none, and a warning says so.

        Args:
            recording: As in `detect`.

        Raises:
            InvalidRecordingError, MissingExtraError, TypeError: As in `detect`.
        """
        (finding,) = self._cascade.answer([_require_recording(recording)], all_sites=False, windows=False, explain=True)
        return finding

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

        return Stream(self._cascade, sampling_rate, leads, units, name, self)

    def detect_many(
        self,
        recordings: Iterable[Recording | RecordFile],
        *,
        all_sites: bool = False,
        windows: bool = False,
        explain: bool = False,
    ) -> Iterator[Finding]:
        """Answer recordings in order; one that cannot be read or answered is a finding with status "error".

        Args:
            recordings: Recordings, or files of them, which are read only when their turn comes. Small ones of a
                sequence, such as a list, are answered a few at a time; on a CPU, each of any other iterable is answered
                before the next is waited for. A GPU waits for 64 of any kind.
            all_sites: As in `detect`.
            windows: As in `detect`.
            explain: Add what carried each answer, as `explain` does.
        """
        together = batches(recordings, self._provider, self._threads)
        answer = partial(self._answer_batch, all_sites=all_sites, windows=windows, explain=explain)
        if self._threads == 1 or (isinstance(recordings, Sequence) and len(recordings) == 1):
            yield from chain.from_iterable(map(answer, together))
        else:
            yield from chain.from_iterable(work_side_by_side(answer, together, self._threads))

    def _answer_batch(self, batch: list[Item], *, all_sites: bool, windows: bool, explain: bool) -> list[Finding]:
        """Read and answer items together; what cannot be read or answered becomes a finding with status "error"."""
        recordings: dict[int, Recording] = {}
        findings: dict[int, Finding] = {}
        for i, item in enumerate(batch):
            if not isinstance(item, RecordFile):
                recordings[i] = _require_recording(item)
                continue
            try:
                recording = item.read()
                # Only the list of records knows whether two of them have the same name.
                recordings[i] = recording if recording.name == item.name else replace(recording, name=item.name)
            except Exception as error:  # noqa: BLE001 - a fault in one file must not end the batch
                findings[i] = self._report_error(item, error)
        answers = self._answer_all(list(recordings.values()), all_sites=all_sites, windows=windows, explain=explain)
        findings.update(zip(recordings, answers, strict=True))
        return [findings[i] for i in range(len(batch))]

    def _answer_all(
        self, recordings: list[Recording], *, all_sites: bool, windows: bool, explain: bool
    ) -> list[Finding]:
        """Answer recordings together or, if one of them fails, each by itself."""
        try:
            return self._cascade.answer(recordings, all_sites=all_sites, windows=windows, explain=explain)
        except Exception as error:  # noqa: BLE001 - samples are read here too
            if len(recordings) == 1:
                return [self._report_error(recordings[0], error)]
        answer_one = partial(self._answer_all, all_sites=all_sites, windows=windows, explain=explain)
        return [finding for recording in recordings for finding in answer_one([recording])]

    def _report_error(self, item: Item, error: Exception) -> Finding:
        if isinstance(error, EcgEdgeError):
            message = str(error)
        elif isinstance(error, OSError):
            message = str(UnreadableError(item.source, f"cannot be read: {error.strerror or error}"))
        elif isinstance(error, MemoryError):
            message = str(NoMemoryError(error))
        else:
            message = str(UnreadableError(item.source, f"cannot be read: {type(error).__name__}: {error}"))
        return Finding(item.name, item.source, "error", self.provenance, error=message)


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of one recording for the next.

    glibc returns large blocks to the system when they are freed, until it has seen a larger one. Without this, a batch
    of small recordings may spend a third of its time on new pages.
    """
    np.empty(_KEPT_BYTES, np.uint8)


def _load_models(folder: Path, provider: str) -> dict[str, Model]:
    """Load the model of each stage; a folder need not have a model of plausibility.

    Raises:
        ModelError: A model is missing, changed, or made for another input than the quality gate measures.
        ProviderError: The provider would not run.
    """
    files = read_files(folder, "models")
    if missing := {"infarction", "localization"} - set(files):
        raise ModelError(folder, f"has no model for the stage {', '.join(sorted(missing))}")
    models = {stage: _load_model(files[stage], stage, provider) for stage in STAGES if stage in files}
    unknown = set(models["plausibility"].spec.labels) - set(FAULTS) if "plausibility" in models else set()
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ModelError(files["plausibility"].path, f"has labels that this version does not know: {names}")
    return models


def _load_model(file: CheckedFile, stage: str, provider: str) -> Model:
    model = Model(file, provider)
    spec = model.spec
    if spec.stage != stage:
        raise ModelError(file.path, f"is a model of the stage {spec.stage}, expected {stage}")
    if spec.leads != LEADS or spec.unit != "mV":
        raise ModelError(file.path, f"expects {len(spec.leads)} leads in {spec.unit}, not the 12 leads in mV")
    if spec.sampling_rate != RATE:
        raise ModelError(
            file.path, f"expects {spec.sampling_rate:g} Hz; the quality gate and all models must use {RATE} Hz"
        )
    return model


def _require_recording(item: object) -> Recording:
    if not isinstance(item, Recording):
        msg = f"expected a Recording, found {type(item).__name__}; wrap an array: Recording(signal)"
        raise TypeError(msg)
    return item


def _rebuild(  # noqa: PLR0913, PLR0917 - one parameter a setting
    folder: Path, provider: str, threads: int, quality_gate: GatePolicy, max_duration_s: float, operating_point: str
) -> Detector:
    return Detector(
        folder,
        provider=provider,
        threads=threads,
        quality_gate=quality_gate,
        max_duration_s=max_duration_s,
        operating_point=operating_point,
    )
