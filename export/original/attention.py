"""Attention of overlapping windows, with scores and exponentials computed once for all windows that share them.

A query attends to the samples of its window. Cut into blocks of which windows consist, that is a choice of neighbouring
blocks, and what a block of keys adds to the answer does not depend on the window: `sum(exp(score - m) * value)` and
`sum(exp(score - m))`, with `m` the greatest score in the block. A window adds up its blocks, each weighted with
`exp(m - greatest m)`. That is the softmax, to rounding, whatever the scores.
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
        """Blocks that share a window with one block, itself included."""
        return 2 * self.in_window - 1

    @property
    def worth_sharing(self) -> bool:
        """Whether fewer pairs of blocks are needed than when each window is answered alone."""
        return self.in_stride * self.reachable < self.in_window**2


def add_attention(add: GraphBuilder, weights: Mapping[str, Array], blocks: Blocks, ecg: str, starts: str) -> str:
    """Return what attention gives each window before its output projection, shape (batch * windows, window, LEADS).

    Args:
        add: The graph.
        weights: Of the transformer layer.
        blocks: Of windows.
        ecg: Scaled, shape (batch, samples, LEADS), samples as many as the windows cover.
        starts: First sample of each window, shape (windows,).
    """
    width, size = LEADS // blocks.heads, blocks.size
    query, key, value = project(add, weights, ecg, width)
    query = add("Reshape", query, add.integers(-1, size, blocks.heads, width))
    n_blocks = add("Div", add("Shape", ecg, start=1, end=2), add.integers(size))
    key, value = (_gather_reachable(add, each, n_blocks, blocks) for each in (key, value))
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
    # Row of a window's first block as the first of a window; each further one is a block and a place further.
    first = add("Div", add("Mul", starts, add.integer(blocks.in_window)), add.integer(size))
    further = add.constant(np.arange(blocks.in_window) * (blocks.in_window + 1))
    mixed = add("Gather", mixed, add("Add", add("Unsqueeze", first, add.integers(1)), further), axis=1)
    return add("Reshape", mixed, add.integers(-1, blocks.in_window * size, LEADS))


def _gather_reachable(add: GraphBuilder, x: str, n_blocks: str, blocks: Blocks) -> str:
    """Return for each block those that it reaches, zeros beyond the ends.

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
    """Return a graph that answers the queries of one block in each window that holds it.

    Queries are the last axis of all that is computed: it is the long one, which elementwise kernels like.
    """
    add, n = GraphBuilder("attention_"), blocks.in_window
    scores = add("MatMul", "key", add("Unsqueeze", "query", add.integers(1)))  # heads, reachable, keys, queries
    greatest = add("ReduceMax", scores, add.integers(2))
    # A row of ones below the values: the product then ends in the sum of the exponentials.
    value = add("Pad", "value", add.integers(0, 0, 0, 0, 0, 0, 1, 0), add.constant(np.array(1, np.float32)))
    sums = add("MatMul", value, add("Exp", add("Sub", scores, greatest)))
    place = np.arange(n)
    reached = add.constant(place[None, :] - place[:, None] + n - 1)  # by place of the query, place of the key
    greatest, sums = (add("Gather", each, reached, axis=1) for each in (greatest, sums))  # heads, n, n, ..., queries
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
