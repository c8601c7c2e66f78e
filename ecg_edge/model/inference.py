"""Reads recordings in stretches and scores their windows."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.session import PROVIDERS, Model
from ecg_edge.model.spec import ModelSpec
from ecg_edge.model.windows import Chunk, chunks, n_regular_windows, window_starts
from ecg_edge.recording import Recording


class ModelInput(NamedTuple):
    """One stretch of one or several recordings of equal length."""

    recordings: list[int]
    """Index of each recording."""
    start: int
    """First sample of the stretch."""
    ecg: NDArray[np.float32]
    """Millivolts, shape (recordings, 12, samples)."""

    def starts(self, spec: ModelSpec) -> NDArray[np.int64]:
        """Return the first sample of each window, counted from the beginning of the recording."""
        return self.start + window_starts(self.ecg.shape[2], spec.window, spec.stride, spec.tail)

    def has_all_windows(self, spec: ModelSpec, samples: int) -> bool:
        """Return whether one call with this stretch gives all windows of recordings of a number of samples."""
        if self.ecg.shape[2] != samples or samples < spec.window:
            return False
        n_regular = n_regular_windows(samples, spec.window, spec.stride, spec.tail)
        return len(self.starts(spec)) == n_regular <= spec.windows_per_call


# On a CPU, more recordings of ten seconds in one call leave the processor's caches.
_RECORDINGS_PER_CALL = 4
# Recordings are read and measured in larger groups, so that numpy's calls are fewer.
_CALLS_TOGETHER = 2


def window_scores(model: Model, recordings: list[Recording]) -> list[NDArray[np.float32]]:
    """Return the scores of all windows of each recording, each of shape (windows, labels)."""
    parts: list[list[NDArray[np.float32]]] = [[] for _ in recordings]
    for model_input in read_inputs(model.spec, recordings):
        for i, scores in zip(model_input.recordings, finite_scores(model, model_input.ecg), strict=True):
            parts[i].append(scores)
    return [np.concatenate(scores) for scores in parts]


def read_inputs(spec: ModelSpec, recordings: list[Recording]) -> Iterator[ModelInput]:
    """Read recordings in stretches, in the order of their windows; recordings of equal length are read together.

    Args:
        spec: Of the model that answers them.
        recordings: Each at least one window long, at the model's sampling rate.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, recording in enumerate(recordings):
        by_length[recording.samples].append(i)
    for samples, rows in by_length.items():
        for some, chunk in _list_stretches(spec, samples, rows):
            stretches = [recordings[i].stretch(chunk.start, chunk.stop) for i in some]
            yield ModelInput(some, chunk.start, stretches[0][None] if len(some) == 1 else np.stack(stretches))


def finite_scores(model: Model, ecg: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a model's window scores.

    A window that contains a sample that is not finite gets NaN. A window without a finite answer gets infinity.

    Args:
        model: Of any stage.
        ecg: Millivolts, shape (batch, 12, samples).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.dot(ecg.ravel(), ecg.ravel())
    # If one sample is not finite, neither is the energy. Only then the samples are checked one by one.
    finite = None if np.isfinite(energy) else np.isfinite(ecg)
    scores = _score_in_calls(model, ecg if finite is None else np.where(finite, ecg, np.float32(0)))
    if not np.isfinite(scores).all():
        scores = np.where(np.isfinite(scores), scores, np.float32("inf"))
    if finite is None or finite.all():
        return scores
    bad = np.cumsum(np.pad(~finite.all(axis=1), ((0, 0), (1, 0))), axis=1)
    starts = model.spec.stride * np.arange(scores.shape[1])
    touched = bad[:, starts + model.spec.window] > bad[:, starts]
    return np.where(touched[..., None], np.float32("nan"), scores)


def _score_in_calls(model: Model, ecg: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a model's window scores, with so few recordings in a call that it is fast and its memory is bounded."""
    spec = model.spec
    most = max(1, spec.windows_per_call // n_regular_windows(ecg.shape[2], spec.window, spec.stride, spec.tail))
    most = min(most, _RECORDINGS_PER_CALL) if model.provider == PROVIDERS["cpu"] else most
    if len(ecg) <= most:
        return model.window_scores(ecg)
    return np.concatenate([model.window_scores(ecg[i : i + most]) for i in range(0, len(ecg), most)])


def _list_stretches(spec: ModelSpec, samples: int, rows: list[int]) -> Iterator[tuple[list[int], Chunk]]:
    """Yield which recordings of equal length, and which stretch of them, are read together."""
    whole = samples == spec.whole_length
    n_windows = n_regular_windows(samples, spec.window, spec.stride, spec.tail)
    together = max(1, _CALLS_TOGETHER * spec.windows_per_call // n_windows) if n_windows <= spec.windows_per_call else 1
    for i in range(0, len(rows), together):
        some = rows[i : i + together]
        stretches = (
            [Chunk(0, samples)]
            if whole
            else chunks(samples, spec.window, spec.stride, spec.windows_per_call, spec.tail)
        )
        for stretch in stretches:
            yield some, stretch
