"""The test vectors of a models folder, made from the synthetic example recordings."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.manifest import read_files
from ecg_edge.model.session import Model
from ecg_edge.model.vectors import VECTORS, answer_windows, build_input
from ecg_edge.package_data import example_recordings
from ecg_edge.recording import LEADS
from export.folder import add_file

TOLERANCE = 1e-5
_DECIMALS = 8
_STEPS_PER_MV = 1000
_EXAMPLE = 5000
# One step less, so that the period is no multiple of a stride and no two windows of the long input are equal.
_STEPS = 2 * _EXAMPLE - 1
_MINUTE = 30_000
# Over the longest call: more than one window of every stride, and a tail that no stride of ours divides.
_OVER = 1733
_RULE = (
    "steps is base64 of little-endian int16, all steps of the first lead, then those of the next. Sample t of an input "
    "is step first + t % period of each lead, divided by steps_per_mv in double precision, then rounded to float32: "
    "millivolts. sha256 is that of the float32 bytes, little-endian, all samples of the first lead, then those of the "
    "next. answers has the probability of each label in each window, the window at the end included, and the mean of "
    "the recording; both are empty where the input is shorter than a window."
)


def write_vectors(folder: Path) -> None:
    """Write inputs and the answers of a folder's models to them, and add the file to the manifest.

    Raises:
        ModelError: A model is missing, changed or not of the contract.
    """
    models = {stage: Model(file) for stage, file in read_files(folder, "models").items()}
    specs = [model.spec for model in models.values()]
    longest = max(_MINUTE, *(spec.window + spec.windows_per_call * spec.stride for spec in specs))
    vectors: dict[str, Any] = {
        "schema": 1,
        "rule": _RULE,
        "tolerance": TOLERANCE,
        "leads": LEADS,
        "sampling_rate": specs[0].sampling_rate,
        "steps_per_mv": _STEPS_PER_MV,
        "steps": base64.b64encode(_make_steps().tobytes()).decode(),
    }
    vectors["inputs"] = [_describe_input(vectors, entry) for entry in _list_inputs(longest + _OVER)]
    vectors["models"] = {
        stage: {
            "sha256": model.provenance.sha256,
            "labels": model.spec.labels,
            "answers": {entry["name"]: _answer(model, build_input(vectors, entry)) for entry in vectors["inputs"]},
        }
        for stage, model in models.items()
    }
    add_file(folder, "ports", "vectors", VECTORS, json.dumps(vectors, separators=(",", ":")).encode())


def _make_steps() -> NDArray[np.int16]:
    """Return the infarction, then the normal recording, in microvolts, shape (12, _STEPS)."""
    signals = [np.load(example_recordings() / f"{name}.npy") for name in ("inferior_infarction", "normal")]
    steps: NDArray[np.int16] = np.rint(np.hstack(signals)[:, :_STEPS] * _STEPS_PER_MV).astype("<i2")
    return steps


def _list_inputs(longest: int) -> list[dict[str, Any]]:
    """Return short ones, two of ten seconds with and without a tail, and one that takes several calls."""
    ranges = {801: 1000, 860: _EXAMPLE + 700, 4950: _EXAMPLE, 5000: 0}
    inputs = [
        {"name": str(samples), "samples": samples, "first": first, "period": samples}
        for samples, first in ranges.items()
    ]
    return [*inputs, {"name": "long", "samples": longest, "first": 0, "period": _STEPS}]


def _describe_input(vectors: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"sha256": hashlib.sha256(build_input(vectors, entry).astype("<f4").tobytes()).hexdigest()}


def _answer(model: Model, ecg: NDArray[np.float32]) -> dict[str, Any]:
    windows, mean = answer_windows(model, ecg)
    return {"mean": mean.round(_DECIMALS).tolist(), "windows": windows.round(_DECIMALS).tolist()}
