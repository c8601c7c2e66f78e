"""From stretches of recordings to window scores."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.session import Model
from ecg_edge.model.spec import ModelSpec
from ecg_edge.model.windows import Chunk, chunks, n_regular_windows, window_starts
from ecg_edge.recording import Recording

Watch = Callable[[int, int, NDArray[np.float32]], None]


class Scored(NamedTuple):
    """Some windows of one of several recordings."""

    recording: int
    """Its index."""
    starts: NDArray[np.int64]
    """First sample of each window, shape (windows,)."""
    scores: NDArray[np.float32]
    """As `finite_scores` gives them, shape (windows, labels)."""


def window_scores(model: Model, recordings: list[Recording]) -> list[NDArray[np.float32]]:
    """Return the scores of all windows of each recording, each of shape (windows, labels)."""
    parts: list[list[NDArray[np.float32]]] = [[] for _ in recordings]
    for scored in scored_windows(model, recordings):
        parts[scored.recording].append(scored.scores)
    return [np.concatenate(each) for each in parts]


def scored_windows(model: Model, recordings: list[Recording], watch: Watch | None = None) -> Iterator[Scored]:
    """Yield the windows of each recording in order, call by call; recordings of equal length share calls.

    Args:
        model: Of either stage.
        recordings: Each at least one window long.
        watch: Called with the index of a recording, the first sample and the samples of each stretch that is read.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, recording in enumerate(recordings):
        by_length[recording.samples].append(i)
    spec = model.spec
    for samples, rows in by_length.items():
        for some, chunk in _calls(spec, samples, rows):
            stretches = [recordings[i].stretch(chunk.start, chunk.stop) for i in some]
            ecg = stretches[0][None] if len(some) == 1 else np.stack(stretches)
            if watch is not None:
                for i, stretch in zip(some, ecg, strict=True):
                    watch(i, chunk.start, stretch)
            starts = chunk.start + window_starts(ecg.shape[2], spec.window, spec.stride, spec.tail)
            for i, scores in zip(some, finite_scores(model, ecg), strict=True):
                yield Scored(i, starts, scores)


def finite_scores(model: Model, ecg: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a model's window scores.

    NaN stands for a window that touches a sample that is not finite, infinity for one that the model has no number for.

    Args:
        model: Of either stage.
        ecg: Millivolts, shape (batch, 12, samples).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        energy = np.dot(ecg.ravel(), ecg.ravel())
    # One sample that is not finite makes the energy so; only then is it worth looking where.
    finite = None if np.isfinite(energy) else np.isfinite(ecg)
    scores = model.window_scores(ecg if finite is None else np.where(finite, ecg, np.float32(0)))
    if not np.isfinite(scores).all():
        scores = np.where(np.isfinite(scores), scores, np.float32("inf"))
    if finite is None or finite.all():
        return scores
    bad = np.cumsum(np.pad(~finite.all(axis=1), ((0, 0), (1, 0))), axis=1)
    starts = model.spec.stride * np.arange(scores.shape[1])
    touched = bad[:, starts + model.spec.window] > bad[:, starts]
    return np.where(touched[..., None], np.float32("nan"), scores)


def _calls(spec: ModelSpec, samples: int, rows: list[int]) -> Iterator[tuple[list[int], Chunk]]:
    """Yield which recordings of equal length, and which stretch of them, to hand to the model together."""
    whole = samples == spec.whole_length
    together = max(1, spec.windows_per_call // n_regular_windows(samples, spec.window, spec.stride, spec.tail))
    for i in range(0, len(rows), together):
        some = rows[i : i + together]
        most = spec.windows_per_call // len(some)
        stretches = [Chunk(0, samples)] if whole else chunks(samples, spec.window, spec.stride, most, spec.tail)
        for stretch in stretches:
            yield some, stretch
