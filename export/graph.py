"""The ONNX graph of a trained network: the same answers as torch, with as little done for each window as there can be.

- Layer norm, feed-forward and projections run once a frame, and so do all biases: that of the attention's output moves
  to the frames before the windows are cut out, that of the keys falls out of the softmax, and that of the values passes
  through it unchanged.
- Heads are told apart before the windows are cut out, so that nothing of a window is ever transposed but its answer.
- Windows are cut out in blocks of frames where the window and the step between windows have a common divisor.
- Convolutions and pooling are 2-D with height 1, and stay in the blocked layout for which onnxruntime has CPU kernels.
- What calibration and the mean of the members do to the logits is inside the last layer's weights.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from torch import Tensor

from ecg_edge.spec import METADATA_KEY, ModelSpec
from export.builder import GraphBuilder
from export.network import LEADS, NetworkSettings
from export.reference import Exported

OPSET = 18
# The first that knows opset 18, so that the oldest onnxruntime that is allowed can read the file.
_IR_VERSION = 8
_Weights = dict[str, NDArray[np.float64]]


def to_onnx(exported: Exported, spec: ModelSpec) -> onnx.ModelProto:
    """Return the ONNX model of what is to be exported, its spec in the metadata."""
    add, network = GraphBuilder(), exported.network
    share = 1 / len(network.members)
    calibration = _Calibration(*(share * each.double().numpy() for each in (exported.slope, exported.intercept)))
    ecg = add("Unsqueeze", "ecg", add.integers(2))
    members = [_Member(add, network.settings, _weights(member.state_dict())) for member in network.members]
    logits = [member.logits(ecg, calibration) for member in members]
    add("Sigmoid", reduce(partial(add, "Add"), logits), name="window_probability")
    add("ReduceMean", "window_probability", add.integers(1), keepdims=0, name="probability")
    labels = network.n_labels
    outputs = {"probability": ["batch", labels], "window_probability": ["batch", "windows", labels]}
    graph = add.graph(spec.name, {"ecg": ["batch", LEADS, "samples"]}, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    return model


@dataclass(frozen=True, slots=True)
class _Calibration:
    """One member's share of the calibration, each shape (labels,)."""

    slope: NDArray[np.float64]
    intercept: NDArray[np.float64]


def _weights(state: Mapping[str, Tensor]) -> _Weights:
    return {key: value.double().numpy() for key, value in state.items()}


class _Member:
    """One network of the graph; shapes in comments: b batch, f frames, w windows, t frames of a window, h heads."""

    def __init__(self, add: GraphBuilder, settings: NetworkSettings, weights: _Weights) -> None:
        self._add, self._settings, self._weights = add, settings, weights
        self._heads, self._channels = settings.heads, len(weights["attention.norm.weight"])
        self._frames, self._step = settings.frames, settings.stride // settings.hop
        self._block = math.gcd(self._frames, self._step)

    def logits(self, ecg: str, calibration: _Calibration) -> str:
        """Return what the member adds to the calibrated logits, (b, w, labels)."""
        add = self._add
        frames = self._trunk(ecg)  # b c 1 f
        pools = [
            add(kind, frames, kernel_shape=[1, self._frames], strides=[1, self._step])
            for kind in ("AveragePool", "MaxPool")
        ]
        joined = [self._frames_last(add("Concat", *pools, axis=1)), *self._attended(frames, pools[0])]
        hidden = add("Relu", self._linear("hidden", add("Concat", *joined, axis=2)))
        labels = len(calibration.slope)  # auxiliary outputs follow them
        weight, bias = (self._weights[f"output.{part}"][:labels] for part in ("weight", "bias"))
        return self._affine(hidden, weight.T * calibration.slope, bias * calibration.slope + calibration.intercept)

    def _trunk(self, x: str) -> str:
        add, settings = self._add, self._settings
        for i, (_, _, stride) in enumerate(settings.convolutions):
            x = add("Relu", self._convolution(f"trunk.{2 * i}", x, stride))
        margin = settings.residual_kernel - 1
        for i in range(settings.residual_blocks):
            name = f"trunk.{2 * len(settings.convolutions) + i}"
            inner = add("Relu", self._convolution(f"{name}.first", x, 1))
            cut = add("Slice", x, add.integers(margin), add.integers(-margin), add.integers(3))
            x = add("Relu", add("Add", self._convolution(f"{name}.second", inner, 1), cut))
        return x

    def _attended(self, frames: str, one_per_window: str) -> list[str]:
        """Return the mean and the greatest of the attention block's output in each window, each (b, w, c)."""
        add = self._add
        n_windows = add("Shape", one_per_window, start=3, end=4)
        before = self._used(self._frames_last(frames), n_windows)  # b f c
        scale, shift = (self._constant(self._weights[f"attention.norm.{part}"]) for part in ("weight", "bias"))
        normed = add("LayerNormalization", before, scale, shift, axis=-1, epsilon=1e-5)
        inner = add("Relu", self._linear("attention.feed_forward.0", normed))
        own = add("Add", add("Add", before, self._matmul("attention.feed_forward.2", inner)), self._own_bias())
        windows = self._blocks_of_windows(n_windows)
        mixed = self._matmul("attention.output", self._mixed(normed, windows))  # b w t c
        output = add("Add", self._cut_out(own, windows, (0,), self._channels), mixed)
        return [add(kind, output, add.integers(2), keepdims=0) for kind in ("ReduceMean", "ReduceMax")]

    def _own_bias(self) -> str:
        """Return the biases that every frame gets whatever its window, (c)."""
        weights, name = self._weights, "attention.output"
        of_values = weights["attention.projections.bias"][2 * self._channels :]
        passed = weights[f"{name}.weight"] @ of_values
        return self._constant(weights["attention.feed_forward.2.bias"] + weights[f"{name}.bias"] + passed)

    def _mixed(self, normed: str, windows: str) -> str:
        """Return the values that each frame of each window has gathered, heads joined, (b, w, t, c)."""
        add, heads, width = self._add, self._heads, self._channels // self._heads
        weight = np.split(self._weights["attention.projections.weight"], 3)
        of_query = self._weights["attention.projections.bias"][: self._channels]
        scale = 1 / math.sqrt(width)
        query = self._affine(normed, weight[0].T * scale, of_query * scale)
        key, value = (add("MatMul", normed, self._constant(each.T)) for each in weight[1:])
        heads_first = (
            add("Transpose", add("Reshape", each, add.integers(0, -1, heads, width)), perm=[0, 2, 1, 3])
            for each in (query, key, value)
        )
        query, key, value = (self._cut_out(each, windows, (0, 0), width) for each in heads_first)  # b h w t width
        scores = add("MatMul", query, add("Transpose", key, perm=[0, 1, 2, 4, 3]))
        scores = add("Add", scores, self._constant(self._position_bias()[:, None]))
        mixed = add("MatMul", add("Softmax", scores, axis=-1), value)
        mixed = add("Transpose", mixed, perm=[0, 2, 3, 1, 4])
        return add("Reshape", mixed, add.integers(0, 0, 0, -1))

    def _used(self, frames: str, n_windows: str) -> str:
        """Cut frames (b, f, c) to those of whole windows, which are a whole number of blocks."""
        add = self._add
        if self._block == 1:
            return frames
        end = add("Add", add("Mul", n_windows, add.integers(self._step)), add.integers(self._frames - self._step))
        return add("Slice", frames, add.integers(0), end, add.integers(1))

    def _blocks_of_windows(self, n_windows: str) -> str:
        """Return the numbers of the blocks of each window, (w, blocks of a window)."""
        add = self._add
        each = add("Range", add.integer(0), add("Squeeze", n_windows), add.integer(1))
        first = add("Mul", each, add.integer(self._step // self._block))
        return add("Add", add("Unsqueeze", first, add.integers(1)), add.integers(*range(self._frames // self._block)))

    def _cut_out(self, x: str, windows: str, shape: tuple[int, ...], last: int) -> str:
        """Cut windows out: (*shape, f, last) to (*shape, w, t, last), where 0 stands for any size."""
        add, axis = self._add, len(shape)
        if self._block > 1:
            x = add("Reshape", x, add.integers(*shape, -1, self._block * last))
        x = add("Gather", x, windows, axis=axis)
        return add("Reshape", x, add.integers(*shape, 0, self._frames, last)) if self._block > 1 else x

    def _position_bias(self) -> NDArray[np.float64]:
        """Return the bias of each score, shape (heads, frames, frames), as `export.network.Attention` has it."""
        at = np.arange(self._frames)
        return self._weights["attention.distance_bias"][:, at[:, None] - at + self._frames - 1]

    def _frames_last(self, x: str) -> str:
        """Return (b, f, c) of (b, c, 1, f)."""
        add = self._add
        return add("Squeeze", add("Transpose", x, perm=[0, 2, 3, 1]), add.integers(1))

    def _convolution(self, name: str, x: str, stride: int) -> str:
        weight, bias = (self._constant(self._weights[f"{name}.convolution.{part}"]) for part in ("weight", "bias"))
        return self._add("Conv", x, weight, bias, strides=[1, stride])

    def _linear(self, name: str, x: str) -> str:
        return self._affine(x, self._weights[f"{name}.weight"].T, self._weights[f"{name}.bias"])

    def _matmul(self, name: str, x: str) -> str:
        return self._add("MatMul", x, self._constant(self._weights[f"{name}.weight"].T))

    def _affine(self, x: str, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> str:
        return self._add("Add", self._add("MatMul", x, self._constant(weight)), self._constant(bias))

    def _constant(self, values: NDArray[np.float64]) -> str:
        return self._add.constant(values.astype(np.float32))
