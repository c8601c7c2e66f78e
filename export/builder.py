"""Writes ONNX graphs node by node."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


class GraphBuilder:
    """Collects nodes and constants in the order of the calls. Each value gets its own name."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._count = 0
        self._integers: dict[tuple[int, ...] | int, str] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:  # noqa: ANN401 - as ONNX
        """Add a node with one output and return the name of the output."""
        output = name or self._new_name(operator)
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = self._new_name("constant")
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        """Return the name of a constant int64 vector."""
        if values not in self._integers:
            self._integers[values] = self.constant(np.array(values, np.int64))
        return self._integers[values]

    def integer(self, value: int) -> str:
        """Return the name of a constant int64 scalar."""
        if value not in self._integers:
            self._integers[value] = self.constant(np.array(value, np.int64))
        return self._integers[value]

    def graph(self, name: str, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> onnx.GraphProto:
        """Return the graph; inputs and outputs are float32 with the given axes."""
        infos = (
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, axes) for key, axes in part.items()]
            for part in (inputs, outputs)
        )
        return helper.make_graph(self.nodes, name, next(infos), next(infos), self.constants)

    def _new_name(self, stem: str) -> str:
        self._count += 1
        return f"{self._prefix}{stem.lower()}_{self._count}"
