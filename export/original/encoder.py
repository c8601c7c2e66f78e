"""The transformer layer for one window, as the body of a Scan."""

import math
from collections.abc import Mapping

import numpy as np
import onnx

from export.builder import GraphBuilder
from export.original.checkpoint import LEADS
from export.original.weights import Array

_PREFIX = "transformer_encoder.layers.0."
_EPSILON = 1e-5
# Hidden units of the feed-forward layer that are computed at a time: 800 samples of 128 stay in a core's cache.
_PIECE = 128


def select_layer_weights(state: Mapping[str, Array]) -> dict[str, Array]:
    """Return the weights of the transformer layer among the weights of the network."""
    return {key.removeprefix(_PREFIX): value for key, value in state.items() if key.startswith(_PREFIX)}


def build_encoder(weights: Mapping[str, Array], window: int, heads: int) -> onnx.GraphProto:
    """Return a graph that maps a scaled window (window, LEADS) to the layer's output of the same shape.

    Args:
        weights: Weights of the layer.
        window: Samples of a window.
        heads: Heads of the attention, a divisor of LEADS.
    """
    add = GraphBuilder("encoder_")
    return _build_graph(add, weights, window, add_window_attention(add, weights, "window", window, heads), ["window"])


def build_encoder_after_attention(weights: Mapping[str, Array], window: int) -> onnx.GraphProto:
    """Return a graph for the rest of the layer. Its inputs are the scaled window and the output of `add_attention`."""
    return _build_graph(GraphBuilder("encoder_"), weights, window, "mixed", ["window", "mixed"])


def project(add: GraphBuilder, weights: Mapping[str, Array], x: str, width: int) -> tuple[str, str, str]:
    """Return queries, keys and values, all heads side by side. Queries are scaled for heads of this width."""
    weight = np.split(weights["self_attn.in_proj_weight"], 3)
    bias = np.split(weights["self_attn.in_proj_bias"], 3)
    scale = np.float32(1 / math.sqrt(width))
    query = _add_linear(add, x, weight[0] * scale, bias[0] * scale)
    return query, _add_linear(add, x, weight[1], bias[1]), _add_linear(add, x, weight[2], bias[2])


def add_window_attention(add: GraphBuilder, weights: Mapping[str, Array], x: str, window: int, heads: int) -> str:
    """Return the attention of a window before its output projection."""
    width = LEADS // heads
    query, key, value = (
        add("Reshape", part, add.integers(window, heads, width)) for part in project(add, weights, x, width)
    )
    query, value = (add("Transpose", part, perm=[1, 0, 2]) for part in (query, value))
    scores = add("MatMul", query, add("Transpose", key, perm=[1, 2, 0]))
    mixed = add("MatMul", add("Softmax", scores, axis=-1), value)
    return add("Reshape", add("Transpose", mixed, perm=[1, 0, 2]), add.integers(window, LEADS))


def _build_graph(
    add: GraphBuilder, weights: Mapping[str, Array], window: int, mixed: str, inputs: list[str]
) -> onnx.GraphProto:
    output = _add_linear(add, mixed, weights["self_attn.out_proj.weight"], weights["self_attn.out_proj.bias"])
    x = _add_norm(add, weights, "norm1", add("Add", "window", output))
    x = _add_norm(add, weights, "norm2", add("Add", x, _add_feed_forward(add, weights, x)))
    add("Identity", x, name="encoded")
    shape: list[str | int] = [window, LEADS]
    return add.graph("encoder", dict.fromkeys(inputs, shape), {"encoded": shape})


def _add_norm(add: GraphBuilder, weights: Mapping[str, Array], which: str, x: str) -> str:
    weight, bias = (add.constant(weights[f"{which}.{part}"]) for part in ("weight", "bias"))
    return add("LayerNormalization", x, weight, bias, axis=-1, epsilon=_EPSILON)


def _add_feed_forward(add: GraphBuilder, weights: Mapping[str, Array], x: str) -> str:
    first, bias, second = (weights[key] for key in ("linear1.weight", "linear1.bias", "linear2.weight"))
    terms = []
    for i in range(0, len(bias), _PIECE):
        units = slice(i, i + _PIECE)
        hidden = add("Relu", _add_linear(add, x, first[units], bias[units]))
        terms.append(add("MatMul", hidden, add.constant(second[:, units].T)))
    return add("Add", add("Sum", *terms), add.constant(weights["linear2.bias"]))


def _add_linear(add: GraphBuilder, x: str, weight: Array, bias: Array) -> str:
    return add("Add", add("MatMul", x, add.constant(weight.T)), add.constant(bias))
