"""Test vectors: inputs and their answers, window by window, for programs in other languages to check themselves.

The file holds steps of stored signals, one after the other in time. Sample t of an input is the step
`first + t % period`, divided by `steps_per_mv` in double precision and rounded to float32.
"""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.aggregation import mean_probability, window_probabilities
from ecg_edge.model.inference import window_scores
from ecg_edge.model.session import Model
from ecg_edge.recording import Recording

VECTORS = "vectors.json"
# Two hours at 500 Hz.
_MOST_SAMPLES = 4_000_000


def read_steps(vectors: dict[str, Any]) -> NDArray[np.int16]:
    """Return the stored steps, shape (leads, steps)."""
    steps = np.frombuffer(base64.b64decode(vectors["steps"], validate=True), "<i2")
    return steps.reshape(len(vectors["leads"]), -1)


def build_input(vectors: dict[str, Any], entry: dict[str, Any]) -> NDArray[np.float32]:
    """Return an input in millivolts, shape (leads, samples).

    Args:
        vectors: What the file holds.
        entry: One of its inputs.

    Raises:
        ValueError: The entry states more samples than any answer needs.
        IndexError: It needs steps that are not stored.
    """
    if not 0 < entry["samples"] <= _MOST_SAMPLES:
        msg = f"an input of {entry['samples']} samples, expected 1 to {_MOST_SAMPLES}"
        raise ValueError(msg)
    steps = read_steps(vectors)[:, entry["first"] + np.arange(entry["samples"]) % entry["period"]]
    ecg: NDArray[np.float32] = (steps / vectors["steps_per_mv"]).astype(np.float32)
    return ecg


def answer_windows(model: Model, ecg: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities of all windows and of the recording, without the quality gate.

    Args:
        model: Of any stage.
        ecg: Millivolts, shape (leads, samples).

    Returns:
        Shapes (windows, labels) and (labels,), or (0, labels) and (0,) if the recording is shorter than a window.
    """
    if ecg.shape[1] < model.spec.window:
        return np.empty((0, len(model.spec.labels))), np.empty(0)
    (scores,) = window_scores(model, [Recording(ecg)])
    average = model.spec.average
    mean = mean_probability(scores, average)
    return window_probabilities(scores, average).astype(np.float64), mean.astype(np.float64)
