"""The ONNX graph of a trained network. It gives the same answers as torch, with as little work per window as possible.

- Windows are cut out at the pooling of the frames. Everything before it runs once over the recording.
- The attention works on tiles of frames, so few scores are computed of frames that are not neighbours.
- A bias that is the same for all frames is added after the pooling, once per window.
- Convolutions are 2-D with height 1 and stay in the blocked layout for which onnxruntime has CPU kernels.
- The calibration and the mean of the members are inside the weights of the last layer.
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

from ecg_edge.model.spec import METADATA_KEY, ModelSpec
from export.builder import GraphBuilder
from export.network import LEADS, NetworkSettings
from export.reference import Exported

OPSET = 18
# The lowest version that has opset 18, so that the oldest allowed onnxruntime reads the file.
_IR_VERSION = 8
# Frames. Smaller tiles need more calls, larger ones more scores of frames that are not neighbours.
_TILE = 8
_Weights = dict[str, NDArray[np.float64]]


def to_onnx(exported: Exported, spec: ModelSpec, *, centred: bool = False) -> onnx.ModelProto:
    """Return the ONNX model, with the spec in its metadata.

    Args:
        exported: The network and its calibration.
        spec: What the file promises.
        centred: Subtract its first sample from each lead. A network that does not see the baseline gives the same
            answer, with less rounding: beside an offset of 300 mV, the first convolution loses four digits.
    """
    add, network = GraphBuilder(), exported.network
    share = 1 / len(network.members)
    calibration = _Calibration(*(share * part.double().numpy() for part in (exported.slope, exported.intercept)))
    ecg = add("Unsqueeze", "ecg", add.integers(2))
    if centred:
        ecg = add("Sub", ecg, _take_first_sample(add, ecg))
    members = [_Member(add, network.settings, _read_weights(member.state_dict())) for member in network.members]
    logits = reduce(partial(add, "Add"), [member.logits(ecg, calibration) for member in members])
    add("Sigmoid", _cut_to_promised_windows(add, logits, network.settings), name="window_probability")
    add("ReduceMean", "window_probability", add.integers(1), keepdims=0, name="probability")
    labels = network.n_labels
    outputs = {"probability": ["batch", labels], "window_probability": ["batch", "windows", labels]}
    graph = add.graph(spec.name, {"ecg": ["batch", LEADS, "samples"]}, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    return model


def _take_first_sample(add: GraphBuilder, ecg: str) -> str:
    """Return the first sample of (b, 12, 1, s), or 0 if it is missing, so that it spoils no window; (b, 12, 1, 1)."""
    first = add("Slice", ecg, add.integers(0), add.integers(1), add.integers(3))
    zero = add.constant(np.zeros(1, np.float32))
    # An infinity times 0 is not a number.
    return add("Where", add("IsNaN", add("Mul", first, zero)), zero, first)


def _cut_to_promised_windows(add: GraphBuilder, logits: str, settings: NetworkSettings) -> str:
    """Remove the last window from (b, w, labels) if the recording ends before it; the frames can give one too many."""
    after = add("Sub", add("Shape", "ecg", start=2, end=3), add.integers(settings.window - settings.stride))
    return add("Slice", logits, add.integers(0), add("Div", after, add.integers(settings.stride)), add.integers(1))


@dataclass(frozen=True, slots=True)
class _Calibration:
    """One member's share of the calibration, shapes (labels,)."""

    slope: NDArray[np.float64]
    intercept: NDArray[np.float64]


def _read_weights(state: Mapping[str, Tensor]) -> _Weights:
    return {key: value.double().numpy() for key, value in state.items()}


class _Member:
    """One network of the graph; shapes in comments: b batch, c channels, f frames, w windows, h heads, n tiles.

    The attention works on tiles of frames. A tile and the next one contain every neighbourhood that begins in the tile.
    """

    def __init__(self, add: GraphBuilder, settings: NetworkSettings, weights: _Weights) -> None:
        self._add, self._settings, self._weights = add, settings, weights
        self._heads, self._channels = settings.heads, len(weights["attention.norm.weight"])
        self._width, self._neighbours = self._channels // self._heads, settings.neighbours
        self._tile = max(_TILE, self._neighbours)

    def logits(self, ecg: str, calibration: _Calibration) -> str:
        """Return the member's share of the calibrated logits, (b, w, labels)."""
        add = self._add
        frames = self._add_trunk(ecg)  # b c 1 f
        step = self._settings.stride // self._settings.hop
        of_frames = add("Concat", *self._pool(frames, (1, self._settings.frames), (1, step)), axis=1)
        attended = self._attend(self._squeeze_to_frames(frames))  # b 1 f c
        of_attended = self._pool(attended, (self._settings.frames - self._neighbours + 1, 1), (step, 1))
        squeezed = (add("Squeeze", pooled, add.integers(1)) for pooled in of_attended)
        joined = [self._squeeze_to_frames(of_frames), *squeezed]
        weight, bias = self._layer("hidden")
        # A bias that is the same for all frames can be added to their mean and maximum instead.
        bias = bias + weight[:, -2 * self._channels :] @ np.tile(self._sum_attended_bias(), 2)
        hidden = add("Relu", self._apply_affine(add("Concat", *joined, axis=2), weight, bias))
        labels = len(calibration.slope)  # auxiliary outputs follow them
        weight, bias = (part[:labels] for part in self._layer("output"))
        slope, intercept = calibration.slope, calibration.intercept
        return self._apply_affine(hidden, weight * slope[:, None], bias * slope + intercept)

    def _add_trunk(self, x: str) -> str:
        add, settings = self._add, self._settings
        for i, (_, _, stride) in enumerate(settings.convolutions):
            convolve = self._convolve_without_baseline if settings.baseline and i == 0 else self._convolve
            x = add("Relu", convolve(f"trunk.{2 * i}", x, stride))
        margin = settings.residual_kernel - 1
        for i in range(settings.residual_blocks):
            name = f"trunk.{2 * len(settings.convolutions) + i}"
            inner = add("Relu", self._convolve(f"{name}.first", x, 1))
            cut = add("Slice", x, add.integers(margin), add.integers(-margin), add.integers(3))
            x = add("Relu", add("Add", self._convolve(f"{name}.second", inner, 1), cut))
        return x

    def _pool(self, x: str, window: tuple[int, int], step: tuple[int, int]) -> list[str]:
        """Return the mean and the maximum of each window."""
        return [self._add(kind, x, kernel_shape=window, strides=step) for kind in ("AveragePool", "MaxPool")]

    def _attend(self, x: str) -> str:
        """Map frames (b, f, c) to the output of the attention block without its bias, (b, 1, fewer frames, c)."""
        add, before, after = self._add, self._neighbours // 2, (self._neighbours - 1) // 2
        n_frames = add("Shape", x, start=1, end=2)
        x = self._pad_to_whole_tiles(x, n_frames)
        scale, shift = (self._constant(self._weights[f"attention.norm.{part}"]) for part in ("weight", "bias"))
        normed = add("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-5)
        end = add("Sub", n_frames, add.integers(after))
        own = self._slice_frames(x, before, end)
        query = self._slice_frames(normed, before, before - self._tile)
        expanded = self._apply_affine(self._slice_frames(normed, before, end), *self._layer("attention.feed_forward.0"))
        fed = self._multiply(add("Relu", expanded), self._weights["attention.feed_forward.2.weight"])
        mixed = self._slice_frames(
            self._gather_neighbours(query, normed), 0, add("Sub", n_frames, add.integers(before + after))
        )
        return add("Unsqueeze", add("Add", add("Add", own, fed), mixed), add.integers(1))

    def _pad_to_whole_tiles(self, x: str, n_frames: str) -> str:
        """Add frames of zeros to (b, f, c), so that another tile follows each tile in which a neighbourhood begins."""
        add, least = self._add, self._tile - self._neighbours + 1
        # Counted down from a number of frames that no recording reaches: Mod gets no negative number.
        missing = add("Mod", add("Sub", add.integers(2**32 * self._tile - least), n_frames), add.integers(self._tile))
        missing = add("Add", missing, add.integers(least))
        return add("Pad", x, add("Concat", add.integers(0, 0, 0, 0), missing, add.integers(0), axis=0))

    def _slice_frames(self, x: str, start: int, end: int | str) -> str:
        add = self._add
        return add("Slice", x, add.integers(start), end if isinstance(end, str) else add.integers(end), add.integers(1))

    def _gather_neighbours(self, query: str, normed: str) -> str:
        """Return the weighted mean of the neighbours of each frame in `query`, (b, f, c)."""
        add = self._add
        weight = np.split(self._weights["attention.projections.weight"], 3)
        query = self._cut_into_tiles(self._project_to_heads(query, weight[0] / math.sqrt(self._width)))
        key, value = (self._project_to_heads(normed, part) for part in weight[1:])
        # NaN must not reach frames that are not neighbours: 0 times NaN is NaN.
        value = add("Where", add("IsNaN", value), self._constant(np.zeros(1)), value)
        key, value = (self._join_tile_pairs(self._cut_into_tiles(part)) for part in (key, value))
        scores = add("MatMul", query, add("Transpose", key, perm=[0, 1, 2, 4, 3]))
        scores = self._order_by_place(add("Add", scores, self._constant(self._build_place_bias()[:, None])))
        mixed = add("MatMul", self._order_by_frame(add("Softmax", scores, axis=-1)), value)
        joined = add("Reshape", add("Transpose", mixed, perm=[0, 2, 3, 1, 4]), add.integers(0, -1, self._channels))
        return self._multiply(joined, self._weights["attention.output.weight"])

    def _project_to_heads(self, x: str, weight: NDArray[np.float64]) -> str:
        """Return a projection of frames (b, f, c) for each head, (b, h, f, width)."""
        add = self._add
        by_head = weight.reshape(self._heads, self._width, -1).transpose(0, 2, 1)
        return add("MatMul", add("Unsqueeze", x, add.integers(1)), self._constant(by_head))

    def _cut_into_tiles(self, x: str) -> str:
        """Cut (b, h, f, width) into tiles, (b, h, n, tile, width)."""
        return self._add("Reshape", x, self._add.integers(0, 0, -1, self._tile, self._width))

    def _join_tile_pairs(self, x: str) -> str:
        """Join each tile with the next, (b, h, n, tile, width) to (b, h, n - 1, 2 * tile, width)."""
        add, last = self._add, np.iinfo(np.int64).max
        spans = ((0, -1), (1, last))
        pair = (add("Slice", x, *map(add.integers, span), add.integers(2)) for span in spans)
        return add("Concat", *pair, axis=3)

    def _build_place_bias(self) -> NDArray[np.float64]:
        """Return the bias of each score in a pair of tiles, (h, tile, 2 * tile). Other frames get any."""
        place = np.arange(2 * self._tile) - np.arange(self._tile)[:, None]
        return self._weights["attention.place_bias"][:, place.clip(0, self._neighbours - 1)]

    def _order_by_place(self, scores: str) -> str:
        """Select the scores of the neighbours from (b, h, n, tile, 2 * tile); the last axis becomes the neighbours.

        The neighbours of a frame begin one place later than those of the frame before. If the same numbers are laid out
        in rows that are one number longer, the neighbours of all frames stand in the same columns.
        """
        add, tile = self._add, self._tile
        flat = add("Reshape", scores, add.integers(0, 0, -1, 2 * tile * tile))
        rows = add("Reshape", self._pad(flat, 4, tile), add.integers(0, 0, -1, tile, 2 * tile + 1))
        return add("Slice", rows, add.integers(0), add.integers(self._neighbours), add.integers(4))

    def _order_by_frame(self, shares: str) -> str:
        """Undo `_order_by_place`, with zeros for frames that are not neighbours."""
        add, tile = self._add, self._tile
        rows = self._pad(shares, 5, 2 * tile + 1 - self._neighbours)
        flat = add("Reshape", rows, add.integers(0, 0, -1, tile * (2 * tile + 1)))
        whole = add("Slice", flat, add.integers(0), add.integers(2 * tile * tile), add.integers(3))
        return add("Reshape", whole, add.integers(0, 0, -1, tile, 2 * tile))

    def _pad(self, x: str, axes: int, by: int) -> str:
        return self._add("Pad", x, self._add.integers(*[0] * (2 * axes - 1), by))

    def _sum_attended_bias(self) -> NDArray[np.float64]:
        """Return the bias that the attention block adds to every frame, (c)."""
        return self._weights["attention.feed_forward.2.bias"] + self._weights["attention.output.bias"]

    def _squeeze_to_frames(self, x: str) -> str:
        """Return (b, f, c) of (b, c, 1, f)."""
        add = self._add
        return add("Squeeze", add("Transpose", x, perm=[0, 2, 3, 1]), add.integers(1))

    def _layer(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]

    def _convolve(self, name: str, x: str, stride: int) -> str:
        weight, bias = (self._constant(part) for part in self._layer(f"{name}.convolution"))
        return self._add("Conv", x, weight, bias, strides=[1, stride])

    def _convolve_without_baseline(self, name: str, x: str, stride: int) -> str:
        """Convolve the leads without their baseline; as `BaselineFree` in torch."""
        weight, bias = self._layer(f"{name}.convolution")
        channels, _, _, kernel = weight.shape
        deviation = np.full((channels, 1, 1, self._settings.baseline), -1 / self._settings.baseline)
        deviation[..., self._settings.baseline // 2] += 1
        seen = self._add("Conv", x, self._constant(weight), strides=[1, stride])
        return self._add(
            "Conv",
            seen,
            self._constant(deviation),
            self._constant(bias),
            dilations=[1, kernel // stride],
            group=channels,
        )

    def _apply_affine(self, x: str, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> str:
        return self._add("Add", self._multiply(x, weight), self._constant(bias))

    def _multiply(self, x: str, weight: NDArray[np.float64]) -> str:
        return self._add("MatMul", x, self._constant(weight.T))

    def _constant(self, values: NDArray[np.float64]) -> str:
        return self._add.constant(values.astype(np.float32))
