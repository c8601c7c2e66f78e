"""The transformer layer of one window, as the body of a Scan."""

import math
from collections.abc import Mapping

import numpy as np
import onnx

from export.original.builder import GraphBuilder
from export.original.checkpoint import LEADS
from export.original.weights import Array

_PREFIX = "transformer_encoder.layers.0."
_EPSILON = 1e-5
# Hidden units of the feed-forward layer at a time: 800 samples of 128 stay in a core's cache.
_PIECE = 128


def encoder(weights: Mapping[str, Array], window: int, heads: int) -> onnx.GraphProto:
    """Return a graph that maps a scaled window (window, LEADS) to the layer's output of the same shape.

    Args:
        weights: The `state_dict` of the network.
        window: Samples.
        heads: Of the attention; they divide LEADS.
    """
    layer = _Layer({key.removeprefix(_PREFIX): value for key, value in weights.items()})
    attended = layer.norm(layer.add("Add", "window", layer.attention("window", window, heads)), "norm1")
    layer.norm(layer.add("Add", attended, layer.feed_forward(attended)), "norm2", name="encoded")
    return layer.add.graph("encoder", {"window": [window, LEADS]}, {"encoded": [window, LEADS]})


class _Layer:
    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.add, self._weights = GraphBuilder("encoder_"), weights

    def norm(self, x: str, which: str, name: str = "") -> str:
        add = self.add
        weight, bias = (add.constant(self._weights[f"{which}.{part}"]) for part in ("weight", "bias"))
        return add("LayerNormalization", x, weight, bias, axis=-1, epsilon=_EPSILON, name=name)

    def attention(self, x: str, window: int, heads: int) -> str:
        add, width = self.add, LEADS // heads
        query, key, value = (
            add("Reshape", each, add.integers(window, heads, width)) for each in self._projected(x, width)
        )
        query, value = (add("Transpose", each, perm=[1, 0, 2]) for each in (query, value))
        scores = add("MatMul", query, add("Transpose", key, perm=[1, 2, 0]))
        mixed = add("MatMul", add("Softmax", scores, axis=-1), value)
        mixed = add("Reshape", add("Transpose", mixed, perm=[1, 0, 2]), add.integers(window, LEADS))
        return self._linear(mixed, self._weights["self_attn.out_proj.weight"], self._weights["self_attn.out_proj.bias"])

    def _projected(self, x: str, width: int) -> tuple[str, str, str]:
        weights = np.split(self._weights["self_attn.in_proj_weight"], 3)
        biases = np.split(self._weights["self_attn.in_proj_bias"], 3)
        scale = np.float32(1 / math.sqrt(width))
        query = self._linear(x, weights[0] * scale, biases[0] * scale)
        return query, self._linear(x, weights[1], biases[1]), self._linear(x, weights[2], biases[2])

    def feed_forward(self, x: str) -> str:
        add, terms = self.add, []
        first, bias, second = (self._weights[key] for key in ("linear1.weight", "linear1.bias", "linear2.weight"))
        for i in range(0, len(bias), _PIECE):
            units = slice(i, i + _PIECE)
            hidden = add("Relu", self._linear(x, first[units], bias[units]))
            terms.append(add("MatMul", hidden, add.constant(second[:, units].T)))
        return add("Add", add("Sum", *terms), add.constant(self._weights["linear2.bias"]))

    def _linear(self, x: str, weight: Array, bias: Array) -> str:
        return self.add("Add", self.add("MatMul", x, self.add.constant(weight.T)), self.add.constant(bias))
