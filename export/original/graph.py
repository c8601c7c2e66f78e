"""One original network as a fast ONNX graph. It gives the same answers, and does the work that windows share once.

- The convolutions run once over the whole recording. The original pads each window with zeros, which changes 6 frames
  at each end, so those frames are computed again from the 12 samples at each end.
- `fc1` is a sum over blocks of samples that overlapping windows share. No window is copied, and the 100 MB of weights
  are read once for all windows of a call.
- Attention scores of pairs of samples do not depend on the window: see `attention.py`.
- The feed-forward layer differs from window to window. It runs in a Scan, one window at a time, so its data stay in the
  processor's cache, and memory does not grow with the number of windows.
"""

import numpy as np
import onnx
from onnx import helper

from ecg_edge.model.spec import METADATA_KEY, ModelSpec
from export.builder import GraphBuilder
from export.original.attention import Blocks, add_attention
from export.original.checkpoint import LEADS, OriginalNetwork
from export.original.encoder import build_encoder, build_encoder_after_attention, select_layer_weights
from export.original.scaler import SAMPLES, Scaler
from export.original.weights import CHANNELS, EDGE, Array, compute_block_size, split, store

OPSET = 18
OPERATORS = frozenset(
    "Add Cast Concat Conv Div Equal Exp Gather Identity LayerNormalization MatMul Max Mul Pad Range ReduceMax "
    "ReduceMean ReduceSum Relu Reshape Scan Shape Sigmoid Slice Softmax Squeeze Sub Sum Transpose Unsqueeze "
    "Where".split()
)
_NO_PADDING = (0, 0, 0)
_PADDING = (3, 2, 1)


def to_onnx(network: OriginalNetwork, spec: ModelSpec, scaler: Scaler, form: str = "float32") -> onnx.ModelProto:
    """Return the ONNX model of a network.

    Args:
        network: As read from its checkpoint, or with rounded weights.
        spec: Stride, tail and averaging of the windows; written into the metadata.
        scaler: Written into the graph.
        form: "float32", "float16" or "int8"; the weights of `network` must be values of this form.
    """
    model = helper.make_model(
        _Graph(network, spec, scaler, form).build(), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9
    )
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    return model


class _Graph:
    def __init__(self, network: OriginalNetwork, spec: ModelSpec, scaler: Scaler, form: str) -> None:
        self._add = GraphBuilder()
        self._weights: dict[str, Array] = {key: value.numpy() for key, value in network.state_dict().items()}
        self._spec, self._scaler, self._form = spec, scaler, form
        self._heads = network.architecture.heads
        self._block = compute_block_size(spec.window, spec.stride)
        self._fc1 = split(self._weights["fc1.weight"], spec.window, self._block)

    def build(self) -> onnx.GraphProto:
        add, weights = self._add, self._weights
        n_windows = self._count_windows("ecg")
        ecg = self._cut_to_windows(self._scale("ecg"), n_windows)
        starts = add("Mul", add("Range", add.integer(0), n_windows, add.integer(1)), add.integer(self._spec.stride))
        terms = [*self._add_blocks(ecg, n_windows), *self._add_edges(ecg, starts), self._add_encoded(ecg, starts)]
        hidden = add("Relu", add("Add", add("Sum", *terms), add.constant(weights["fc1.bias"])))
        product = add("MatMul", hidden, add.constant(weights["fc2.weight"].T))
        outputs = self._average(add("Add", product, add.constant(weights["fc2.bias"])))
        return add.graph("original", {"ecg": ["batch", LEADS, "samples"]}, outputs)

    def _average(self, logit: str) -> dict[str, list[str | int]]:
        add, labels = self._add, len(self._spec.labels)
        windows = add("Sigmoid", logit, name="window_probability")
        outputs: dict[str, list[str | int]] = {"probability": ["batch", labels], windows: ["batch", "windows", labels]}
        if self._spec.average == "probability":
            add("ReduceMean", windows, add.integers(1), keepdims=0, name="probability")
            return outputs
        add("Sigmoid", add("ReduceMean", logit, add.integers(1), keepdims=0), name="probability")
        return outputs | {add("Identity", logit, name="window_logit"): ["batch", "windows", labels]}

    def _count_samples(self, ecg: str) -> str:
        return self._add("Squeeze", self._add("Shape", ecg, start=2, end=3))

    def _scale(self, ecg: str) -> str:
        """Scale by time index if the recording has `SAMPLES` samples, otherwise by the mean of the means and scales."""
        add = self._add
        samples = self._count_samples(ecg)
        own = add("Range", add.integer(0), samples, add.integer(1))
        row = add("Where", add("Equal", samples, add.integer(SAMPLES)), own, add.integer(SAMPLES))
        mean, scale = (
            add("Gather", add.constant(np.append(values, values.mean())), row)
            for values in (self._scaler.mean, self._scaler.scale)
        )
        return add("Div", add("Sub", ecg, mean), scale)

    def _count_windows(self, ecg: str) -> str:
        add, spec = self._add, self._spec
        if spec.tail == "window":
            last = add("Sub", self._count_samples(ecg), add.integer(spec.window))
            return add("Add", add("Div", last, add.integer(spec.stride)), add.integer(1))
        rounding_up = add("Add", self._count_samples(ecg), add.integer(spec.stride - 1 - spec.window))
        return add("Max", add("Div", rounding_up, add.integer(spec.stride)), add.integer(1))

    def _cut_to_windows(self, ecg: str, n_windows: str) -> str:
        add, spec = self._add, self._spec
        end = add("Add", add("Mul", n_windows, add.integer(spec.stride)), add.integers(spec.window - spec.stride))
        return add("Slice", ecg, add.integers(0), end, add.integers(2))

    def _convolve(self, ecg: str, before: tuple[int, ...], after: tuple[int, ...]) -> str:
        add = self._add
        # 2-D with height 1: onnxruntime has blocked CPU kernels for 2-D convolutions only.
        x = add("Unsqueeze", ecg, add.integers(2))
        for i, (left, right) in enumerate(zip(before, after, strict=True), 1):
            weight, bias = self._weights[f"conv{i}.weight"], self._weights[f"conv{i}.bias"]
            x = add("Conv", x, add.constant(weight[:, :, None]), add.constant(bias), pads=[0, left, 0, right])
            x = add("Relu", x)
        return x

    def _add_blocks(self, ecg: str, n_windows: str) -> list[str]:
        add, step = self._add, self._spec.stride // self._block
        features = self._convolve(ecg, _PADDING, _PADDING)
        blocks = add("Reshape", features, add.integers(0, CHANNELS, -1, self._block))
        blocks = add("Transpose", blocks, perm=[0, 2, 1, 3])
        blocks = add("Reshape", blocks, add.integers(0, -1, CHANNELS * self._block))
        steps = add("Mul", n_windows, add.integer(step))
        terms = []
        for i, weight in enumerate(self._fc1.blocks):
            end = add("Add", steps, add.integers(i - step + 1))
            of_windows = add("Slice", blocks, add.integers(i), end, add.integers(1), add.integers(step))
            terms.append(add("MatMul", of_windows, store(add, weight, self._form)))
        return terms

    def _add_edges(self, ecg: str, starts: str) -> list[str]:
        left = self._cut_ends(ecg, starts, 0)
        right = self._cut_ends(ecg, starts, self._spec.window - 2 * EDGE)
        return [
            self._multiply_by_window(self._convolve(left, _PADDING, _NO_PADDING), starts, self._fc1.left),
            self._multiply_by_window(self._convolve(right, _NO_PADDING, _PADDING), starts, self._fc1.right),
        ]

    def _cut_ends(self, ecg: str, starts: str, first: int) -> str:
        """Return the samples of each window on which its first or last EDGE frames depend."""
        add = self._add
        ends = self._gather(ecg, 2, starts, first, 2 * EDGE)
        return add("Reshape", add("Transpose", ends, perm=[0, 2, 1, 3]), add.integers(-1, LEADS, 2 * EDGE))

    def _add_encoded(self, ecg: str, starts: str) -> str:
        add, window = self._add, self._spec.window
        weights = select_layer_weights(self._weights)
        rows = add("Transpose", ecg, perm=[0, 2, 1])
        windows = add("Reshape", self._gather(rows, 1, starts, 0, window), add.integers(-1, window, LEADS))
        blocks = Blocks(self._block, window // self._block, self._spec.stride // self._block, self._heads)
        if blocks.worth_sharing:
            mixed = add_attention(add, weights, blocks, rows, starts)
            body = build_encoder_after_attention(weights, window)
            encoded = add("Scan", windows, mixed, num_scan_inputs=2, body=body)
        else:
            encoded = add("Scan", windows, num_scan_inputs=1, body=build_encoder(weights, window, self._heads))
        return self._multiply_by_window(encoded, starts, self._fc1.encoded)

    def _gather(self, x: str, axis: int, starts: str, first: int, length: int) -> str:
        """Return `length` samples of each window, from its sample `first`. The axis becomes (windows, length)."""
        add = self._add
        offsets = add.constant(np.arange(first, first + length))
        return add("Gather", x, add("Add", add("Unsqueeze", starts, add.integers(1)), offsets), axis=axis)

    def _multiply_by_window(self, x: str, starts: str, weight: Array) -> str:
        """Return (batch, windows, HIDDEN) from the features of the windows, (batch * windows, ...)."""
        add = self._add
        shape = add("Concat", add.integers(-1), add("Shape", starts), add.integers(len(weight)), axis=0)
        return add("MatMul", add("Reshape", x, shape), store(add, weight, self._form))
