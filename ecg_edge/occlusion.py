"""Takes parts of a recording away and compares the answers: which leads, and which time, carried them.

A lead that is taken away shows what the other leads let expect of an ECG without infarction. A flat lead would say
something: that there is no R wave.
"""

from collections.abc import Callable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UncomputableError
from ecg_edge.explanation import LEAD_GROUPS, Explanation, Occlusion, TimeCourse
from ecg_edge.findings import Note
from ecg_edge.model.aggregation import WindowMean, window_probabilities
from ecg_edge.model.inference import finite_scores, read_inputs
from ecg_edge.model.session import Model
from ecg_edge.model.spec import ModelSpec
from ecg_edge.model.windows import n_regular_windows
from ecg_edge.recording import LEADS, Recording
from ecg_edge.recording.expected_leads import make_replacement

Countable = Callable[[NDArray[np.float32], NDArray[np.int64], int], NDArray[np.bool_]]
"""From the scores of windows, their first samples and their length to whether each of them counts."""
PARTS = {**LEAD_GROUPS, **{lead: (lead,) for lead in LEADS}}
"""The leads of each part that is taken away."""
NOT_EXPLAINED = Note("not_explained", "there is no explanation, because the recording was not answered")
# The limb leads of each group, as one direction. The two are perpendicular, so the groups share nothing.
_DIRECTIONS = {"inferior": "aVF", "lateral": "I", "anterolateral": "I"}
_COPIES_PER_CALL = 4
_MOST_STRETCHES = 1000


def explain_by_occlusion(
    recording: Recording, stages: Sequence[tuple[Model, Sequence[str]]], countable: Countable
) -> Explanation:
    """Explain the answers for one recording.

    Args:
        recording: At the models' sampling rate, at least one window long. It is read in stretches.
        stages: Each model with those of its labels that are explained.
        countable: As in the answers themselves: windows that do not count in them do not count here.

    Raises:
        UncomputableError: An answer without a part is not finite.
        InferenceError: onnxruntime fails.
    """
    changes: dict[str, dict[str, float]] = {part: {} for part in PARTS}
    time_course: dict[str, TimeCourse] = {}
    for model, labels in stages:
        columns = [model.spec.labels.index(label) for label in labels]
        whole, parts, course = _score(model, recording, countable)
        probabilities = _compute_probabilities(whole)
        for part, mean in parts.items():
            changed = _compute_probabilities(mean) - probabilities
            changes[part] |= {label: float(changed[column]) for label, column in zip(labels, columns, strict=True)}
        time_course |= {
            label: course.describe(column, probabilities[column]) for label, column in zip(labels, columns, strict=True)
        }
    occlusions = [Occlusion(part, leads, changes[part]) for part, leads in PARTS.items()]
    return Explanation(tuple(occlusions[: len(LEAD_GROUPS)]), tuple(occlusions[len(LEAD_GROUPS) :]), time_course)


def _score(
    model: Model, recording: Recording, countable: Countable
) -> tuple[WindowMean, dict[str, WindowMean], "_CourseSums"]:
    """Return the mean of a recording, the mean without each part, and the course over its windows."""
    whole, parts = WindowMean(model.spec), {part: WindowMean(model.spec) for part in PARTS}
    course = _CourseSums(model.spec, recording.samples)
    for model_input in read_inputs(model.spec, [recording]):
        starts = model_input.starts(model.spec)
        (scores,) = finite_scores(model, model_input.ecg)
        counts = countable(scores, starts, model.spec.window)
        whole.add(scores, counts)
        course.add(scores[counts], starts[counts])
        replacements = list_replacements(model_input.ecg[0])
        for first in range(0, len(PARTS), _COPIES_PER_CALL):
            with np.errstate(over="ignore", invalid="ignore"):
                copies = replacements[first : first + _COPIES_PER_CALL] @ model_input.ecg
            for part, of_copy in zip([*PARTS][first:], finite_scores(model, copies), strict=False):
                parts[part].add(of_copy, counts)
    return whole, parts, course


def list_replacements(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the matrices that take each part away, shape (parts, 12, 12). A flat lead is a lost one, and stays flat.

    Args:
        signal: Millivolts, shape (12, n).
    """
    flat = signal.max(axis=1) == signal.min(axis=1)
    lost = frozenset(lead for lead, is_flat in zip(LEADS, flat, strict=True) if is_flat)
    return np.stack(
        [
            make_replacement(choose_direction(part), frozenset(lead for lead in leads if lead.startswith("V")), lost)
            for part, leads in PARTS.items()
        ]
    )


def choose_direction(part: str) -> str | None:
    """Return the limb lead whose direction stands for the limb leads of a part, or None if it has none."""
    limbs = [lead for lead in PARTS[part] if not lead.startswith("V")]
    return _DIRECTIONS.get(part, limbs[0]) if limbs else None


def _compute_probabilities(mean: WindowMean) -> NDArray[np.float64]:
    probabilities = mean.probability()
    if probabilities is None:
        raise UncomputableError
    return np.array(probabilities)


class _CourseSums:
    """Mean probability of each stretch of a recording. The number of stretches is limited, whatever the length.

    Args:
        spec: Spec of the model that gives the scores.
        samples: Length of the recording.
    """

    def __init__(self, spec: ModelSpec, samples: int) -> None:
        self._spec = spec
        n_windows = 1 + n_regular_windows(samples, spec.window, spec.stride, spec.tail)
        self._together = ceil(n_windows / _MOST_STRETCHES)
        n_stretches = ceil(n_windows / self._together)
        self._sums, self._counts = np.zeros((n_stretches, len(spec.labels))), np.zeros(n_stretches, np.int64)
        self._first, self._last = np.full(n_stretches, samples), np.zeros(n_stretches, np.int64)

    def add(self, scores: NDArray[np.float32], starts: NDArray[np.int64]) -> None:
        """Add windows that count: their scores and first samples."""
        # The window at the end of the recording, which is not a regular one, comes after the last regular one.
        stretches = -(-starts // self._spec.stride) // self._together
        np.add.at(self._sums, stretches, window_probabilities(scores, self._spec.average))
        np.add.at(self._counts, stretches, 1)
        np.minimum.at(self._first, stretches, starts)
        np.maximum.at(self._last, stretches, starts)

    def describe(self, column: int, probability: float) -> TimeCourse:
        """Return the course of one label, without stretches in which no window counts."""
        some = self._counts > 0
        rate = self._spec.sampling_rate
        return TimeCourse(
            tuple((self._first[some] / rate).tolist()),
            tuple(((self._last[some] + self._spec.window) / rate).tolist()),
            tuple((self._sums[some, column] / self._counts[some] - probability).tolist()),
        )
