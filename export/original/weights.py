"""`fc1` has nearly all of the weights. It is cut as the graph needs it, and can be stored in fewer bytes."""

import math
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import TensorProto
from torch import nn

from export.builder import GraphBuilder
from export.original.checkpoint import OriginalNetwork

CHANNELS = 256
HIDDEN = 128
# Frames at each end of a window that the zero padding of the three convolutions changes: 3 + 2 + 1.
EDGE = 6

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FirstLayer:
    """The parts of `fc1`, shapes (inputs, HIDDEN)."""

    blocks: tuple[Array, ...]
    """For the features of each block of samples, channel-major; zero at the edges."""
    left: Array
    """For the first EDGE frames, channel-major."""
    right: Array
    """For the last EDGE frames, channel-major."""
    encoded: Array
    """For the transformer's output, sample-major."""


def compute_block_size(window: int, stride: int) -> int:
    """Return the length of the longest block that divides both a window and a stride."""
    return math.gcd(window, stride)


def split(weight: Array, window: int, block: int) -> FirstLayer:
    """Cut the weight of `fc1`, shape (HIDDEN, inputs)."""
    features = weight[:, : CHANNELS * window].reshape(HIDDEN, CHANNELS, window)
    inner = features.copy()
    inner[..., :EDGE] = inner[..., -EDGE:] = 0
    cuts = [inner[..., i : i + block] for i in range(0, window, block)]
    parts = [part.reshape(HIDDEN, -1).T for part in (*cuts, features[..., :EDGE], features[..., -EDGE:])]
    return FirstLayer(tuple(parts[:-2]), parts[-2], parts[-1], weight[:, CHANNELS * window :].T)


def join(layer: FirstLayer) -> Array:
    """Return the weight of `fc1`, shape (HIDDEN, inputs)."""
    features = np.concatenate([block.T.reshape(HIDDEN, CHANNELS, -1) for block in layer.blocks], axis=2)
    features[..., :EDGE] = layer.left.T.reshape(HIDDEN, CHANNELS, EDGE)
    features[..., -EDGE:] = layer.right.T.reshape(HIDDEN, CHANNELS, EDGE)
    return np.hstack([features.reshape(HIDDEN, -1), layer.encoded.T])


def round_weights(network: OriginalNetwork, stride: int, form: str) -> OriginalNetwork:
    """Return the network with the weights of `fc1` rounded to their stored form."""
    if form == "float32":
        return network
    window = network.architecture.window
    layer = split(network.fc1.weight.numpy(), window, compute_block_size(window, stride))
    blocks = tuple(_round_part(block, form) for block in layer.blocks)
    rest = (_round_part(part, form) for part in (layer.left, layer.right, layer.encoded))
    copy = deepcopy(network)
    copy.fc1.weight = nn.Parameter(torch.from_numpy(join(FirstLayer(blocks, *rest))), requires_grad=False)
    return copy


def store(graph: GraphBuilder, part: Array, form: str) -> str:
    """Add a part of `fc1` to a graph and return the name of its float32 values."""
    if form == "float32":
        return graph.constant(part)
    if form == "float16":
        return graph("Cast", graph.constant(part.astype(np.float16)), to=TensorProto.FLOAT)
    integers, scale = _quantize(part)
    # Not DequantizeLinear: onnxruntime makes an 8-bit product of that, which rounds the activations too.
    return graph("Mul", graph("Cast", graph.constant(integers), to=TensorProto.FLOAT), graph.constant(scale))


def _round_part(part: Array, form: str) -> Array:
    if form == "float16":
        return part.astype(np.float16).astype(np.float32)
    integers, scale = _quantize(part)
    return integers * scale


def _quantize(part: Array) -> tuple[NDArray[np.int8], Array]:
    """Return 8-bit integers and the scale of each column. The greatest weight of a column becomes 127."""
    scale = np.maximum(np.abs(part).max(axis=0), np.finfo(np.float32).tiny) / np.float32(127)
    return np.rint(part / scale).astype(np.int8), scale
