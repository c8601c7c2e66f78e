"""Attention of overlapping windows, with scores and exponentials computed once for all windows that share them.

Windows consist of blocks of samples, and a query attends to the blocks of its window. What a block of keys adds to the
answer does not depend on the window: `sum(exp(score - m) * value)` and `sum(exp(score - m))`, where `m` is the greatest
score in the block. A window adds up its blocks with the weights `exp(m - greatest m)`. Except for rounding, the result
is the softmax.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from export.builder import GraphBuilder
from export.original.checkpoint import LEADS
from export.original.encoder import project
from export.original.weights import Array


@dataclass(frozen=True, slots=True)
class Blocks:
    """How windows consist of blocks."""

    size: int
    """Samples of a block."""
    in_window: int
    in_stride: int
    heads: int

    @property
    def reachable(self) -> int:
        """Number of blocks that share a window with one block, itself included."""
        return 2 * self.in_window - 1

    @property
    def worth_sharing(self) -> bool:
        """Whether sharing needs fewer pairs of blocks than answering each window alone."""
        return self.in_stride * self.reachable < self.in_window**2


def add_attention(add: GraphBuilder, weights: Mapping[str, Array], blocks: Blocks, ecg: str, starts: str) -> str:
    """Return the attention of each window before its output projection, shape (batch * windows, window, LEADS).

    Args:
        add: The graph.
        weights: Weights of the transformer layer.
        blocks: How windows consist of blocks.
        ecg: Scaled, shape (batch, samples, LEADS), with the samples that the windows cover.
        starts: First sample of each window, shape (windows,).
    """
    width, size = LEADS // blocks.heads, blocks.size
    query, key, value = project(add, weights, ecg, width)
    query = add("Reshape", query, add.integers(-1, size, blocks.heads, width))
    n_blocks = add("Div", add("Shape", ecg, start=1, end=2), add.integers(size))
    key, value = (_gather_reachable(add, part, n_blocks, blocks) for part in (key, value))
    mixed = add(
        "Scan",
        add("Transpose", query, perm=[0, 2, 3, 1]),
        add("Transpose", key, perm=[0, 3, 1, 2, 4]),
        add("Transpose", value, perm=[0, 3, 1, 4, 2]),
        num_scan_inputs=3,
        body=_build_block_graph(blocks, width),
    )
    rows = add("Concat", add.integers(-1), add("Mul", n_blocks, add.integers(blocks.in_window)), axis=0)
    mixed = add("Reshape", mixed, add("Concat", rows, add.integers(size * LEADS), axis=0))
    # The row of a window's first block in the first place. Each next block is one block and one place later.
    first = add("Div", add("Mul", starts, add.integer(blocks.in_window)), add.integer(size))
    further = add.constant(np.arange(blocks.in_window) * (blocks.in_window + 1))
    mixed = add("Gather", mixed, add("Add", add("Unsqueeze", first, add.integers(1)), further), axis=1)
    return add("Reshape", mixed, add.integers(-1, blocks.in_window * size, LEADS))


def _gather_reachable(add: GraphBuilder, x: str, n_blocks: str, blocks: Blocks) -> str:
    """Return the blocks that each block reaches, with zeros beyond the ends.

    The shape is (batch * blocks, reachable, size, heads, width).
    """
    beyond = blocks.in_window - 1
    padded = add("Pad", x, add.integers(0, beyond * blocks.size, 0, 0, beyond * blocks.size, 0))
    padded = add("Reshape", padded, add.integers(0, -1, blocks.size, LEADS))
    first = add("Range", add.integer(0), add("Squeeze", n_blocks), add.integer(1))
    rows = add("Add", add("Unsqueeze", first, add.integers(1)), add.constant(np.arange(blocks.reachable)))
    shape = (-1, blocks.reachable, blocks.size, blocks.heads, LEADS // blocks.heads)
    return add("Reshape", add("Gather", padded, rows, axis=1), add.integers(*shape))


def _build_block_graph(blocks: Blocks, width: int) -> onnx.GraphProto:
    """Return a graph that answers the queries of one block for each window that contains it.

    Queries are the last axis everywhere: elementwise kernels are fast on a long last axis.
    """
    add, n = GraphBuilder("attention_"), blocks.in_window
    scores = add("MatMul", "key", add("Unsqueeze", "query", add.integers(1)))  # heads, reachable, keys, queries
    greatest = add("ReduceMax", scores, add.integers(2))
    # A row of ones below the values: the last row of the product is the sum of the exponentials.
    value = add("Pad", "value", add.integers(0, 0, 0, 0, 0, 0, 1, 0), add.constant(np.array(1, np.float32)))
    sums = add("MatMul", value, add("Exp", add("Sub", scores, greatest)))
    place = np.arange(n)
    reached = add.constant(place[None, :] - place[:, None] + n - 1)  # by place of the query, place of the key
    greatest, sums = (add("Gather", part, reached, axis=1) for part in (greatest, sums))  # heads, n, n, ..., queries
    weight = add("Exp", add("Sub", greatest, add("ReduceMax", greatest, add.integers(2))))
    total = add("ReduceSum", add("Mul", weight, sums), add.integers(2), keepdims=0)
    above = add("Slice", total, add.integers(0), add.integers(width), add.integers(2))
    below = add("Slice", total, add.integers(width), add.integers(width + 1), add.integers(2))
    mixed = add("Transpose", add("Div", above, below), perm=[1, 3, 0, 2])
    add("Reshape", mixed, add.integers(n, blocks.size, LEADS), name="mixed")
    inputs = {
        "query": [blocks.heads, width, blocks.size],
        "key": [blocks.heads, blocks.reachable, blocks.size, width],
        "value": [blocks.heads, blocks.reachable, width, blocks.size],
    }
    return add.graph("attention", inputs, {"mixed": [n, blocks.size, LEADS]})
