"""The checks that a model must pass before it is written. Each check has its own error."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from ecg_edge.model.aggregation import mean_probability
from ecg_edge.model.runtime import onnxruntime
from ecg_edge.model.spec import METADATA_KEY, ModelSpec
from ecg_edge.model.windows import n_regular_windows
from export.errors import (
    AxesError,
    NamesError,
    OffsetError,
    OperatorsError,
    ShapesError,
    ValuesError,
    WindowExactnessError,
)

TOLERANCE = 1e-5
OPSETS = range(17, 21)
LENGTHS = (800, 5000, 5050, 20_000)
OPERATORS = frozenset(
    "Add AveragePool Cast Clip Concat Constant ConstantOfShape Conv Div Erf Exp Expand Flatten Gather Gemm "
    "Identity IsNaN LayerNormalization MatMul Max MaxPool Min Mod Mul Neg Pad Pow Range ReduceMax ReduceMean ReduceSum "
    "Relu Reshape Shape Sigmoid Slice Softmax Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where".split()
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model file may contain."""

    operators: frozenset[str]
    most_bytes: int
    offset_mv: float = 0
    """Largest offset of a lead that must not change an answer; 0 if any offset may."""


SHIPPED = Limits(OPERATORS, most_bytes=1_000_000)
OFFSET_MV = 300.0
OFFSET_TOLERANCE = 1e-4


def check_model(
    content: bytes, reference: nn.Module, spec: ModelSpec, signals: NDArray[np.float32], limits: Limits = SHIPPED
) -> None:
    """Raise an ExportCheckError unless the model keeps the contract.

    Args:
        content: The ONNX file.
        reference: The torch module that maps (batch, leads, samples) to probability and window probability.
        spec: What the file promises.
        signals: Recordings to try it on, millivolts, shape (at least 3, leads, samples).
        limits: What the file may contain.
    """
    model = onnx.load_from_string(content)
    _check_names(model, spec)
    _check_axes(model, spec)
    _check_operators(model, content, limits)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    usual = [samples for samples in LENGTHS if samples >= spec.window]
    for samples in (spec.window, spec.window + 1, spec.window + spec.stride - 1, *usual):
        _check_answers(session, reference, spec, _repeat_to_length(signals[:3], samples))
    _check_window_exactness(session, spec, _repeat_to_length(signals[:1], 5050))
    if limits.offset_mv:
        _check_offsets(session, _repeat_to_length(signals[:1], 5000), limits.offset_mv)


def _repeat_to_length(signals: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    return np.tile(signals, (1, 1, ceil(samples / signals.shape[2])))[..., :samples].copy()


def _check_names(model: onnx.ModelProto, spec: ModelSpec) -> None:
    inputs, outputs = ([value.name for value in part] for part in (model.graph.input, model.graph.output))
    expected = ["probability", "window_probability", *(["window_logit"] if spec.average == "logit" else [])]
    if inputs != ["ecg"] or outputs != expected:
        msg = f"the model must have the input ecg and the outputs {', '.join(expected)}, found {inputs} and {outputs}"
        raise NamesError(msg)
    keys = [entry.key for entry in model.metadata_props]
    if keys != [METADATA_KEY]:
        msg = f"the metadata must have the key {METADATA_KEY!r} and no other, found {keys}"
        raise NamesError(msg)


def _check_axes(model: onnx.ModelProto, spec: ModelSpec) -> None:
    expected = {
        "ecg": ["batch", len(spec.leads), "samples"],
        "probability": ["batch", len(spec.labels)],
        "window_probability": ["batch", "windows", len(spec.labels)],
        "window_logit": ["batch", "windows", len(spec.labels)],
    }
    for value in (*model.graph.input, *model.graph.output):
        kind = value.type.tensor_type
        axes = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
        if axes != expected[value.name] or kind.elem_type != onnx.TensorProto.FLOAT:
            msg = f"{value.name} must be float32 {expected[value.name]}, found {axes}"
            raise AxesError(msg)


def _check_operators(model: onnx.ModelProto, content: bytes, limits: Limits) -> None:
    onnx.checker.check_model(model)
    if [opset.domain for opset in model.opset_import] != [""] or model.opset_import[0].version not in OPSETS:
        msg = f"the model must use the standard opset 17 to 20 and no other domain, found {list(model.opset_import)}"
        raise OperatorsError(msg)
    if strange := _collect_operators(model.graph) - limits.operators:
        msg = f"these operators are not allowed: {', '.join(sorted(strange))}"
        raise OperatorsError(msg)
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer):
        msg = "the weights must be inside the file"
        raise OperatorsError(msg)
    if len(content) >= limits.most_bytes:
        msg = f"the file has {len(content)} bytes; it must have fewer than {limits.most_bytes}"
        raise OperatorsError(msg)


def _collect_operators(graph: onnx.GraphProto) -> set[str]:
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    bodies = [attribute.g for attribute in attributes if attribute.type == onnx.AttributeProto.GRAPH]
    return {node.op_type for node in graph.node}.union(*map(_collect_operators, bodies))


def _check_answers(
    session: onnxruntime.InferenceSession, reference: nn.Module, spec: ModelSpec, ecg: NDArray[np.float32]
) -> None:
    """Compare the file with torch on all recordings together, and on the first one alone."""
    with torch.no_grad():
        expected = [output.numpy() for output in reference(torch.from_numpy(ecg))]
    n_windows = n_regular_windows(ecg.shape[2], spec.window, spec.stride, spec.tail)
    names = ["probability", "window_probability", f"window_{spec.average}"]
    for batch in (len(ecg), 1):
        probability, windows, scores = session.run(names, {"ecg": ecg[:batch]})
        if probability.shape != (batch, len(spec.labels)) or windows.shape != (batch, n_windows, len(spec.labels)):
            msg = (
                f"{batch} recordings of {ecg.shape[2]} samples must give {n_windows} windows, "
                f"found the shapes {probability.shape} and {windows.shape}"
            )
            raise ShapesError(msg)
        mean = [mean_probability(of_record, spec.average) for of_record in scores]
        from_torch = max(
            _greatest_difference(a, b[:batch]) for a, b in zip((probability, windows), expected, strict=True)
        )
        from_mean = _greatest_difference(probability, np.stack(mean))
        if not max(from_torch, from_mean) <= TOLERANCE:
            msg = (
                f"{batch} recordings of {ecg.shape[2]} samples: probabilities differ by {from_torch:.1e} from torch "
                f"and by {from_mean:.1e} from the mean of the windows; {TOLERANCE} is allowed"
            )
            raise ValuesError(msg)


def _greatest_difference(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.abs(a - b).max())


def _check_window_exactness(session: onnxruntime.InferenceSession, spec: ModelSpec, ecg: NDArray[np.float32]) -> None:
    whole = session.run(["window_probability"], {"ecg": ecg})[0][0]
    for index, together in enumerate(whole):
        start = index * spec.stride
        alone = session.run(["window_probability"], {"ecg": ecg[..., start : start + spec.window]})[0][0, 0]
        if not np.abs(together - alone).max() <= TOLERANCE:
            difference = np.abs(together - alone).max()
            msg = f"window {index} alone and in its recording: the probability differs by {difference:.1e}"
            raise WindowExactnessError(msg)
    at = ecg.shape[2] // 2
    spoilt = np.where(np.arange(ecg.shape[2]) == at, np.float32("nan"), ecg)
    starts = spec.stride * np.arange(len(whole))
    away = (starts > at) | (starts + spec.window <= at)
    found = session.run(["window_probability"], {"ecg": spoilt})[0][0]
    if not np.abs(found - whole)[away].max() <= TOLERANCE:
        msg = "a sample that is not a number changes windows that do not contain it"
        raise WindowExactnessError(msg)


def _check_offsets(session: onnxruntime.InferenceSession, ecg: NDArray[np.float32], most_mv: float) -> None:
    """Refuse a model whose answer changes with a constant offset of the leads, as electrodes give it."""
    expected = session.run(["window_probability"], {"ecg": ecg})[0]
    random = np.random.default_rng(0)
    leads = ecg.shape[1]
    alone = most_mv * np.concatenate([np.eye(leads), -np.eye(leads)])
    for offset in (*alone, np.full(leads, most_mv), np.full(leads, -most_mv), random.uniform(-most_mv, most_mv, leads)):
        found = session.run(["window_probability"], {"ecg": ecg + offset.astype(np.float32)[:, None]})[0]
        difference = np.abs(found - expected).max()
        if not difference <= OFFSET_TOLERANCE:
            msg = f"offsets of {most_mv:g} mV change a probability by {difference:.1e}; {OFFSET_TOLERANCE} is allowed"
            raise OffsetError(msg)
