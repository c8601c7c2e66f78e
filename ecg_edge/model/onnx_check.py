"""A look at an ONNX file before onnxruntime sees it: it must open no other file and run nothing but standard operators.

onnxruntime reads weights from files that a model names (its older versions from any file), and offers operators far
beyond the standard's. This reads no more of the file's structure than it takes to refuse such a model.
"""

from collections.abc import Callable, Iterator

_Value = int | memoryview
# Messages of ONNX's onnx.proto by the numbers of those fields that hold other messages.
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
# A graph, a node, its attribute, the graph in it: three graphs in one another.
_DEEPEST = 12


def check_onnx(content: bytes) -> None:
    """Refuse a model that is more than a graph of standard operators with its weights inside.

    Raises:
        ValueError: It is, or the bytes are no ONNX file.
    """
    try:
        _check("model", memoryview(content))
    except IndexError as error:
        msg = "is no ONNX file, or is cut off"
        raise ValueError(msg) from error


def _check(kind: str, message: memoryview, depth: int = 0) -> None:
    if depth > _DEEPEST:
        msg = "has graphs in graphs too deep"
        raise ValueError(msg)
    parts = _PARTS.get(kind, {})
    for number, value in _fields(message):
        for refused, why in _REFUSED.get(kind, {}).items():
            if number == refused and (found := why(value)):
                raise ValueError(found)
        part = parts.get(number)
        if part in _NEVER:
            raise ValueError(_NEVER[part])
        if part is not None and isinstance(value, memoryview):
            _check(part, value, depth + 1)


def _foreign(value: _Value) -> str | None:
    name = bytes(value) if isinstance(value, memoryview) else b"?"
    return None if name in _STANDARD else f"needs operators that are not standard ({name.decode('ascii', 'replace')})"


def _endless(value: _Value) -> str | None:
    return "has a loop, which may never end" if isinstance(value, memoryview) and bytes(value) == b"Loop" else None


def _outside(value: _Value) -> str | None:
    return "keeps weights in another file; save it as one file" if value != 0 else None


_REFUSED: dict[str, dict[int, Callable[[_Value], str | None]]] = {
    "operator set": {1: _foreign},
    "node": {4: _endless, 7: _foreign},
    # The place of the other file, and the mark that there is one.
    "tensor": {13: _outside, 14: _outside},
}
_NEVER = {
    "function": "defines operators of its own",
    "training": "holds instructions for training",
}


def _fields(message: memoryview) -> Iterator[tuple[int, _Value]]:
    """Yield number and value of each field of a protobuf message; fixed-width numbers as bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire)
        if wire == 2:
            length, at = _varint(message, at)
        if length is None or at + length > end or not 0 < number < 2**29:
            raise IndexError
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := message[at]) >= 0x80:
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if shift > _LONGEST_VARINT:
            raise IndexError
    return value | byte << shift, at + 1
