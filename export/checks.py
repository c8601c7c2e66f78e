"""The ladder of checks that a model passes before it is written; each rung has an error of its own."""

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from ecg_edge.spec import METADATA_KEY, ModelSpec
from export.errors import ExportCheckError

TOLERANCE = 1e-5
MOST_BYTES = 1_000_000
OPSETS = range(17, 21)
OPERATORS = frozenset(
    "Add AveragePool Cast Clip Concat Constant ConstantOfShape Conv Div Erf Exp Expand Flatten Gather Gemm Identity "
    "LayerNormalization MatMul Max MaxPool Min Mul Neg Pad Pow Range ReduceMax ReduceMean ReduceSum Relu Reshape Shape "
    "Sigmoid Slice Softmax Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where".split()
)


class NamesError(ExportCheckError):
    """Inputs, outputs or metadata are not named as the contract says."""


class AxesError(ExportCheckError):
    """An axis that must be free is fixed, or the other way round."""


class OperatorsError(ExportCheckError):
    """An operator, an opset, external data or the size is outside of what the contract allows."""


class ShapesError(ExportCheckError):
    """An answer has another shape than the contract says."""


class ValuesError(ExportCheckError):
    """An answer differs from the torch network's."""


class WindowExactnessError(ExportCheckError):
    """A window's answer depends on samples outside of it."""


def check_model(content: bytes, reference: nn.Module, spec: ModelSpec, signals: NDArray[np.float32]) -> None:
    """Raise an ExportCheckError unless the model keeps the contract.

    Args:
        content: The ONNX file.
        reference: The torch module that maps (batch, leads, samples) to probability and window probability.
        spec: What the file promises.
        signals: Recordings to try it on, millivolts, shape (at least 3, leads, samples).
    """
    model = onnx.load_from_string(content)
    _check_names(model)
    _check_axes(model, spec)
    _check_operators(model, content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for samples in (spec.window, spec.window + 1, 5000, 5050, 20_000):
        for batch in (1, 3):
            _check_answers(session, reference, spec, _stretched(signals[:batch], samples))
    _check_window_exactness(session, spec, _stretched(signals[:1], 5050))


def _stretched(signals: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    return np.tile(signals, (1, 1, -(-samples // signals.shape[2])))[..., :samples].copy()


def _check_names(model: onnx.ModelProto) -> None:
    inputs, outputs = ([value.name for value in part] for part in (model.graph.input, model.graph.output))
    if inputs != ["ecg"] or outputs != ["probability", "window_probability"]:
        msg = f"expected the input ecg and the outputs probability and window_probability, found {inputs} and {outputs}"
        raise NamesError(msg)
    if [each.key for each in model.metadata_props] != [METADATA_KEY]:
        msg = f"expected {METADATA_KEY!r} alone in the metadata, found {[each.key for each in model.metadata_props]}"
        raise NamesError(msg)


def _check_axes(model: onnx.ModelProto, spec: ModelSpec) -> None:
    expected = {
        "ecg": ["batch", len(spec.leads), "samples"],
        "probability": ["batch", len(spec.labels)],
        "window_probability": ["batch", "windows", len(spec.labels)],
    }
    for value in (*model.graph.input, *model.graph.output):
        kind = value.type.tensor_type
        axes = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
        if axes != expected[value.name] or kind.elem_type != onnx.TensorProto.FLOAT:
            msg = f"{value.name} must be float32 {expected[value.name]}, found {axes}"
            raise AxesError(msg)


def _check_operators(model: onnx.ModelProto, content: bytes) -> None:
    onnx.checker.check_model(model)
    if [each.domain for each in model.opset_import] != [""] or model.opset_import[0].version not in OPSETS:
        msg = f"expected the standard domain at opset 17 to 20 alone, found {list(model.opset_import)}"
        raise OperatorsError(msg)
    if strange := {node.op_type for node in model.graph.node} - OPERATORS:
        msg = f"operators outside of the allowed set: {', '.join(sorted(strange))}"
        raise OperatorsError(msg)
    if any(each.data_location == onnx.TensorProto.EXTERNAL for each in model.graph.initializer):
        msg = "the weights must be inside of the file"
        raise OperatorsError(msg)
    if len(content) >= MOST_BYTES:
        msg = f"the file has {len(content)} bytes, {MOST_BYTES} is the limit"
        raise OperatorsError(msg)


def _check_answers(
    session: onnxruntime.InferenceSession, reference: nn.Module, spec: ModelSpec, ecg: NDArray[np.float32]
) -> None:
    probability, windows = session.run(["probability", "window_probability"], {"ecg": ecg})
    batch, _, samples = ecg.shape
    n_windows = 1 + (samples - spec.window) // spec.stride
    if probability.shape != (batch, len(spec.labels)) or windows.shape != (batch, n_windows, len(spec.labels)):
        msg = f"{batch} recordings of {samples} samples give the shapes {probability.shape} and {windows.shape}"
        raise ShapesError(msg)
    with torch.no_grad():
        expected = [each.numpy() for each in reference(torch.from_numpy(ecg))]
    difference = max(float(np.abs(a - b).max()) for a, b in zip((probability, windows), expected, strict=True))
    mean_difference = float(np.abs(probability - windows.mean(axis=1)).max())
    if not max(difference, mean_difference) <= TOLERANCE:
        msg = (
            f"{batch} recordings of {samples} samples: {difference:.1e} from torch, {mean_difference:.1e} from the mean"
        )
        raise ValuesError(msg)


def _check_window_exactness(session: onnxruntime.InferenceSession, spec: ModelSpec, ecg: NDArray[np.float32]) -> None:
    whole = session.run(["window_probability"], {"ecg": ecg})[0][0]
    for index, together in enumerate(whole):
        start = index * spec.stride
        alone = session.run(["window_probability"], {"ecg": ecg[..., start : start + spec.window]})[0][0, 0]
        if not np.abs(together - alone).max() <= TOLERANCE:
            msg = f"window {index} alone differs by {np.abs(together - alone).max():.1e} from itself in a recording"
            raise WindowExactnessError(msg)
