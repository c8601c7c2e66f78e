"""Time of each operator of a model, from onnxruntime's profiler."""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.runtime import onnxruntime

_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """Milliseconds in each of several calls."""

    by_operator: list[Counter[str]]
    by_node: list[Counter[str]]
    """Keys are the operator and the node's name."""


def profile(content: bytes, provider: str, ecg: NDArray[np.float32], calls: int) -> Profile:
    """Call a model under the profiler, on one thread, as the runtime does.

    Args:
        content: The ONNX file.
        provider: onnxruntime's name of it.
        ecg: Input, shape (batch, 12, samples).
        calls: Number of measured calls, the length of the result.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(content, options, providers=[provider])
        for _ in range(_WARM_UP + calls):
            session.run(["window_probability"], {"ecg": ecg})
        events = json.loads(Path(session.end_profiling()).read_bytes())
    return _count_times(events)


def _count_times(events: list[dict[str, Any]]) -> Profile:
    runs = sorted((e["ts"], e["ts"] + e["dur"]) for e in events if e["name"] == "model_run")[_WARM_UP:]
    nodes = [e for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time")]
    result = Profile([], [])
    for start, end in runs:
        operators: Counter[str] = Counter()
        names: Counter[str] = Counter()
        for node in (event for event in nodes if start <= event["ts"] <= end):
            operator, milliseconds = node["args"]["op_name"], node["dur"] / 1e3
            operators[operator] += milliseconds
            names[f"{operator} {node['name'].removesuffix('_kernel_time')}"] += milliseconds
        result.by_operator.append(operators)
        result.by_node.append(names)
    return result
