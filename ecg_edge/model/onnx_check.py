"""Checks an ONNX file before onnxruntime loads it: one file, standard operators only.

onnxruntime reads weights from other files that a model names (older versions read any file), and it runs operators
beyond the standard. This module parses just enough of the file to refuse both.
"""

from collections.abc import Callable, Iterator

from ecg_edge.model.onnx_cost import check_cost
from ecg_edge.model.onnx_fields import Value, read_fields

# For each message of onnx.proto: the numbers of the fields that hold other messages.
_PARTS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "operator set", 14: "metadata", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse tensor",
        23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
_STANDARD = (b"", b"ai.onnx")
# Each nested graph takes three levels: node, attribute, graph. This allows three graphs in one another.
_DEEPEST = 12


def check_onnx(content: bytes) -> None:
    """Refuse a model that is not one graph of standard operators with its weights inside.

    Raises:
        ValueError: The model is refused, or the bytes are not an ONNX file.
    """
    try:
        _check("model", memoryview(content))
        for graph in _list_graphs("model", memoryview(content)):
            check_cost(graph)
    except IndexError as error:
        msg = "is not an ONNX file, or is cut off"
        raise ValueError(msg) from error


def _check(kind: str, message: memoryview, depth: int = 0) -> None:
    if depth > _DEEPEST:
        msg = "has graphs that are nested too deeply"
        raise ValueError(msg)
    parts = _PARTS.get(kind, {})
    for number, value in read_fields(message):
        check = _CHECKS.get(kind, {}).get(number)
        fault = None if check is None else check(value)
        if fault is not None:
            raise ValueError(fault)
        part = parts.get(number)
        if part in _REFUSED_PARTS:
            raise ValueError(_REFUSED_PARTS[part])
        if part is not None and isinstance(value, memoryview):
            _check(part, value, depth + 1)


def _list_graphs(kind: str, message: memoryview) -> Iterator[memoryview]:
    """Yield the graph of a model and the graphs inside its nodes."""
    if kind == "graph":
        yield message
    parts = _PARTS.get(kind, {})
    for number, value in read_fields(message):
        part = parts.get(number)
        if part in {"graph", "node", "attribute"} and isinstance(value, memoryview):
            yield from _list_graphs(part, value)


def _find_foreign(value: Value) -> str | None:
    name = bytes(value) if isinstance(value, memoryview) else b"?"
    return None if name in _STANDARD else f"uses operators that are not standard ({name.decode('ascii', 'replace')})"


def _find_loop(value: Value) -> str | None:
    return "has a loop, which may never end" if isinstance(value, memoryview) and bytes(value) == b"Loop" else None


def _find_settings(value: Value) -> str | None:
    """Refuse the settings of a session in the metadata: onnxruntime may follow them."""
    found = isinstance(value, memoryview) and bytes(value) == b"ort_config"
    return "has settings of onnxruntime in its metadata (ort_config)" if found else None


def _find_external(value: Value) -> str | None:
    return "keeps weights in another file; save it as one file" if value != 0 else None


_CHECKS: dict[str, dict[int, Callable[[Value], str | None]]] = {
    "operator set": {1: _find_foreign},
    "metadata": {1: _find_settings},
    "node": {4: _find_loop, 7: _find_foreign},
    # The location of the other file, and the flag that there is one.
    "tensor": {13: _find_external, 14: _find_external},
}
_REFUSED_PARTS = {
    "function": "defines its own operators",
    "training": "contains training instructions",
}
