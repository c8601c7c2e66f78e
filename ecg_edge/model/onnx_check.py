"""Checks an ONNX file before onnxruntime loads it: one file, standard operators only.

onnxruntime reads weights from other files that a model names (older versions read any file), and it runs operators
beyond the standard. This module parses just enough of the file to refuse both.
"""

from collections.abc import Callable, Iterator

_Value = int | memoryview
# For each message of onnx.proto: the numbers of the fields that hold other messages.
_PARTS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "operator set", 20: "training", 25: "function"},
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
_LONGEST_VARINT = 63
# Each nested graph takes three levels: node, attribute, graph. This allows three graphs in one another.
_DEEPEST = 12


def check_onnx(content: bytes) -> None:
    """Refuse a model that is not one graph of standard operators with its weights inside.

    Raises:
        ValueError: The model is refused, or the bytes are not an ONNX file.
    """
    try:
        _check("model", memoryview(content))
    except IndexError as error:
        msg = "is not an ONNX file, or is cut off"
        raise ValueError(msg) from error


def _check(kind: str, message: memoryview, depth: int = 0) -> None:
    if depth > _DEEPEST:
        msg = "has graphs that are nested too deeply"
        raise ValueError(msg)
    parts = _PARTS.get(kind, {})
    for number, value in _read_fields(message):
        check = _CHECKS.get(kind, {}).get(number)
        fault = None if check is None else check(value)
        if fault is not None:
            raise ValueError(fault)
        part = parts.get(number)
        if part in _REFUSED_PARTS:
            raise ValueError(_REFUSED_PARTS[part])
        if part is not None and isinstance(value, memoryview):
            _check(part, value, depth + 1)


def _find_foreign(value: _Value) -> str | None:
    name = bytes(value) if isinstance(value, memoryview) else b"?"
    return None if name in _STANDARD else f"uses operators that are not standard ({name.decode('ascii', 'replace')})"


def _find_loop(value: _Value) -> str | None:
    return "has a loop, which may never end" if isinstance(value, memoryview) and bytes(value) == b"Loop" else None


def _find_external(value: _Value) -> str | None:
    return "keeps weights in another file; save it as one file" if value != 0 else None


_CHECKS: dict[str, dict[int, Callable[[_Value], str | None]]] = {
    "operator set": {1: _find_foreign},
    "node": {4: _find_loop, 7: _find_foreign},
    # The location of the other file, and the flag that there is one.
    "tensor": {13: _find_external, 14: _find_external},
}
_REFUSED_PARTS = {
    "function": "defines its own operators",
    "training": "contains training instructions",
}


def _read_fields(message: memoryview) -> Iterator[tuple[int, _Value]]:
    """Yield the number and the value of each field of a protobuf message; fixed-width numbers as bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _read_varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _read_varint(message, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire)
        if wire == 2:
            length, at = _read_varint(message, at)
        if length is None or at + length > end or not 0 < number < 2**29:
            raise IndexError
        yield number, message[at : at + length]
        at += length


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := message[at]) >= 0x80:
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if shift > _LONGEST_VARINT:
            raise IndexError
    return value | byte << shift, at + 1
