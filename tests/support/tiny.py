"""Models small enough to know the answer by heart.

Each window's probability of a label is sigmoid(10 * mean of one lead - 5): 0.5 at a mean of 0.5 mV, monotone in it.
Lead I drives infarction; leads I to aVF drive the six sites; leads I to V6 drive the twelve faults of plausibility.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ecg_edge.model.operating_point import OperatingPoint
from ecg_edge.model.spec import METADATA_KEY, ModelSpec
from ecg_edge.quality.plausibility import FAULTS
from ecg_edge.recording import LEADS

SITES = ("septal", "anterior", "lateral", "anterolateral", "anteroseptal", "inferior")

LABELS = {"infarction": ("infarction",), "localization": SITES, "plausibility": tuple(FAULTS)}
WINDOWS = {"infarction": (800, 100), "localization": (700, 50), "plausibility": (1000, 250)}


def spec(stage: str, /, **changes: object) -> ModelSpec:
    labels, (window, stride) = LABELS[stage], WINDOWS[stage]
    values = {
        "name": f"tiny_{stage}",
        "version": "0",
        "stage": stage,
        "leads": LEADS,
        "sampling_rate": 500.0,
        "unit": "mV",
        "window": window,
        "stride": stride,
        "labels": labels,
        "thresholds": (0.5,) * len(labels),
        "threshold_method": "by hand",
        "unproven": ("lateral",) if stage == "localization" else (),
        "windows_per_call": 7,
        "calibration": {},
        "metrics": {},
        "training_data": "none",
        "licence": "MIT",
    }
    return ModelSpec(**(values | changes))


def points(stage: str, **thresholds: float) -> dict[str, OperatingPoint]:
    """Return operating points with one threshold for all labels but those that are unproven, beside "balanced"."""
    labels, unproven = LABELS[stage], spec(stage).unproven
    return {
        name: OperatingPoint(f"{name} by hand", tuple(0.5 if label in unproven else at for label in labels), unproven)
        for name, at in ({"balanced": 0.5} | thresholds).items()
    }


def model(spec: ModelSpec) -> onnx.ModelProto:
    n = len(spec.labels)
    weight = np.zeros((n, 12, 1), np.float32)
    weight[np.arange(n), np.arange(n), 0] = 10
    nodes = [
        # All samples, or all but the last where a window must have a sample after it.
        helper.make_node("Shape", ["ecg"], ["samples"], start=2),
        helper.make_node("Sub", ["samples", "after"], ["but_last"]),
        helper.make_node("Max", ["but_last", "window"], ["end"]),
        helper.make_node("Slice", ["ecg", "zero", "end", "time"], ["used"]),
        helper.make_node("AveragePool", ["used"], ["mean"], kernel_shape=[spec.window], strides=[spec.stride]),
        helper.make_node("Conv", ["mean", "weight", "bias"], ["logit"]),
        helper.make_node("Transpose", ["logit"], ["window_logit"], perm=[0, 2, 1]),
        helper.make_node("Sigmoid", ["window_logit"], ["window_probability"]),
        helper.make_node("ReduceMean", [f"window_{spec.average}", "axis"], ["averaged"], keepdims=0),
        helper.make_node("Sigmoid" if spec.average == "logit" else "Identity", ["averaged"], ["probability"]),
    ]
    outputs = ["window_probability", *(["window_logit"] if spec.average == "logit" else [])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("ecg", TensorProto.FLOAT, ["batch", 12, "samples"])],
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", n]),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "windows", n]) for name in outputs),
        ],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.full(n, -5, np.float32), "bias"),
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(np.array([int(spec.tail == "dropped")]), "after"),
            numpy_helper.from_array(np.array([spec.window]), "window"),
            numpy_helper.from_array(np.array([0]), "zero"),
            numpy_helper.from_array(np.array([2]), "time"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(made, {METADATA_KEY: spec.to_json()})
    return made


def write_models(folder: Path, **changes: dict[str, object]) -> Path:
    """Write both models and their manifest. `changes` are the changed fields of each stage's spec.

    A model of plausibility is written if it is among them.
    """
    stages = ("infarction", "localization", *({"plausibility"} & changes.keys()))
    return write_files(folder, {stage: model(spec(stage, **changes.get(stage, {}))) for stage in stages})


def write_files(folder: Path, models: dict[str, onnx.ModelProto]) -> Path:
    """Write models by stage and their manifest."""
    folder.mkdir(exist_ok=True)
    entries = {}
    for stage, made in models.items():
        content = made.SerializeToString()
        (folder / f"{stage}.onnx").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        entries[stage] = {"file": f"{stage}.onnx", "sha256": sha256, "size": len(content)}
    (folder / "manifest.json").write_text(json.dumps({"schema": 1, "models": entries}))
    return folder
