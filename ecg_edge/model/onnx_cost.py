"""Refuses a graph whose constants cost minutes or gigabytes: onnxruntime computes with them while it loads a model."""

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from ecg_edge.model.onnx_fields import read_fields, read_varint

_MOST_ELEMENTS = 2**22
# Operators that make something large from a small input, and the position of the input that gives the size.
_SIZES = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Pad": 1, "Resize": 3, "OneHot": 1, "Range": 1}
# Operators that take their size from an attribute.
_RANDOM = {
    "Bernoulli",
    "EyeLike",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}
# What exporters leave to onnxruntime to compute from constants, cheap for the size of its inputs.
_CHEAP = {
    "Add",
    "Div",
    "Equal",
    "Exp",
    "Greater",
    "Less",
    "Max",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Pow",
    "Sqrt",
    "Sub",
    "Where",
}
_CHEAP |= {
    "Cast",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Pad",
    "Range",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "Reshape",
    "Shape",
    "Slice",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
}


class _Node(NamedTuple):
    operator: str
    inputs: list[str]
    outputs: list[str]
    value: list[int] | None
    """Integers of a Constant."""


def check_cost(graph: memoryview) -> None:
    """Refuse a graph in which constants give a large size, or an expensive operator has only constants to work on.

    Args:
        graph: A GraphProto.

    Raises:
        ValueError: The graph is refused.
        IndexError: The bytes are not a graph.
    """
    constants = dict(_list_initializers(graph))
    for node in _list_nodes(graph):
        if node.operator in _RANDOM:
            _refuse(f"uses the operator {node.operator}, whose result is random or of any size")
        place = _SIZES.get(node.operator)
        size = node.inputs[place] if place is not None and place < len(node.inputs) else None
        if size in constants:
            _check_size(node.operator, constants[size])
        if node.inputs and not all(name in constants or not name for name in node.inputs):
            continue
        if node.inputs and node.operator not in _CHEAP:
            _refuse(f"computes {node.operator} with constants only")
        constants |= dict.fromkeys(node.outputs, node.value)


def _check_size(operator: str, size: list[int] | None) -> None:
    if size is None:
        _refuse(f"computes the size of {operator} from constants")
    elif prod(max(1, abs(part)) for part in size) > _MOST_ELEMENTS:
        _refuse(f"makes {prod(map(abs, size))} numbers with {operator}, more than {_MOST_ELEMENTS}")


def _refuse(why: str) -> None:
    raise ValueError(why)


def _list_initializers(graph: memoryview) -> Iterator[tuple[str, list[int] | None]]:
    """Yield the name of each initializer, and its numbers if they are integers."""
    for number, value in read_fields(graph):
        if number == 5 and isinstance(value, memoryview):
            yield _read_text(value, 8), _read_integers(value)


def _list_nodes(graph: memoryview) -> Iterator[_Node]:
    for number, value in read_fields(graph):
        if number != 1 or not isinstance(value, memoryview):
            continue
        fields = [(at, bytes(part) if isinstance(part, memoryview) else part) for at, part in read_fields(value)]
        names = {
            at: [part.decode("utf-8", "replace") for key, part in fields if key == at and isinstance(part, bytes)]
            for at in (1, 2, 4)
        }
        operator = names[4][0] if names[4] else ""
        yield _Node(operator, names[1], names[2], _read_constant(value) if operator == "Constant" else None)


def _read_constant(node: memoryview) -> list[int] | None:
    for number, attribute in read_fields(node):
        if number == 5 and isinstance(attribute, memoryview):
            for place, value in read_fields(attribute):
                if place == 5 and isinstance(value, memoryview):
                    return _read_integers(value)
    return None


def _read_text(message: memoryview, field: int) -> str:
    found = [
        bytes(value) for number, value in read_fields(message) if number == field and isinstance(value, memoryview)
    ]
    return found[-1].decode("utf-8", "replace") if found else ""


def _read_integers(tensor: memoryview) -> list[int] | None:
    """Return the numbers of a short int64 tensor; None for others."""
    numbers: list[int] = []
    for number, value in read_fields(tensor):
        if number == 2 and value != 7:
            return None
        if number == 9 and isinstance(value, memoryview):
            raw = bytes(value[:4096])
            numbers += [int.from_bytes(raw[i : i + 8], "little", signed=True) for i in range(0, len(raw), 8)]
        elif number == 7 and isinstance(value, memoryview):
            numbers += _read_packed(value[:4096])
        elif number == 7 and isinstance(value, int):
            numbers.append(value)
    return numbers


def _read_packed(value: memoryview) -> list[int]:
    numbers, at = [], 0
    while at < len(value):
        found, at = read_varint(value, at)
        numbers.append(found)
    return numbers
