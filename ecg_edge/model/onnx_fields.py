"""Read the fields of a protobuf message, as far as an ONNX file needs it."""

from collections.abc import Iterator

Value = int | memoryview
_LONGEST_VARINT = 63


def read_fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield the number and the value of each field of a protobuf message; fixed-width numbers as bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = read_varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = read_varint(message, at)
            yield number, value
            continue
        length = {1: 8, 5: 4}.get(wire)
        if wire == 2:
            length, at = read_varint(message, at)
        if length is None or at + length > end or not 0 < number < 2**29:
            raise IndexError
        yield number, message[at : at + length]
        at += length


def read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of variable length, and the position after it."""
    value = shift = 0
    while (byte := message[at]) >= 0x80:
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if shift > _LONGEST_VARINT:
            raise IndexError
    return value | byte << shift, at + 1
