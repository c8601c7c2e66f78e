"""Refuse SCP-ECG, MFER and Philips files that would make the library allocate or compute without bounds."""

import base64
import binascii
from collections.abc import Iterator
from math import inf
from xml.etree import ElementTree as ET

from ecg_edge.errors import UnreadableError

SCP = "SCP-ECG"
MFER = "MFER"
_MOST_BYTES = {SCP: 2 * 2**20, MFER: 16 * 2**20}
# SCP-ECG states the bytes of a lead in 16 bits, and a sample takes one bit at least.
_MOST_SAMPLES_OF_A_LEAD = 2**19
_SCP_SECTION_HEADER = 16
_MOST_MFER_DEFINITIONS = 50_000
_MOST_MFER_CHANNELS = 256
_MOST_MFER_DEPTH = 4
_MFER_CHANNELS, _MFER_ORDER, _MFER_ATTRIBUTES, _MFER_SET, _MFER_END = 0x05, 0x01, 0x3F, 0x67, 0x80
# XLI writes up to 600 bytes for a code of 10 bits.
_MOST_XLI_CODES = 1_500_000
_MOST_XLI_BYTES = 8 * 2**20
_LAST_CODE = 2**10 - 2


def check_size(size: int, kind: str, source: str) -> None:
    """Refuse a file that is too large for its format."""
    most = _MOST_BYTES.get(kind)
    if most and size > most:
        raise UnreadableError(source, f"is larger than {most} bytes, too large for {kind}")


def check_scp(content: bytes, source: str) -> None:
    """Refuse an SCP-ECG whose lead definitions state more samples than a lead can have."""
    sections = _list_scp_sections(content)
    leads = sections.get(3, b"")
    n_leads = leads[0] if leads else 0
    for at in range(2, min(2 + 9 * n_leads, len(leads) - 8), 9):
        first, last = _read_word(leads, at, 4), _read_word(leads, at + 4, 4)
        if last - first >= _MOST_SAMPLES_OF_A_LEAD:
            raise UnreadableError(source, f"states {last - first + 1} samples of a lead, more than SCP-ECG can hold")
    # The length of the reference beat is stated in another section, in milliseconds.
    length_ms, interval_us = _read_word(sections.get(4, b""), 0, 2), _read_word(sections.get(5, b""), 2, 2)
    if interval_us and length_ms * 1000 // interval_us >= _MOST_SAMPLES_OF_A_LEAD:
        raise UnreadableError(source, "states a reference beat that is longer than SCP-ECG can hold")


def check_mfer(content: bytes, source: str) -> None:
    """Refuse an MFER with very many definitions or channels, or with definitions nested deeply."""
    little = False
    for number, (tag, start, length, depth) in enumerate(_walk_mfer(content)):
        value = content[start : start + 4]
        if number > _MOST_MFER_DEFINITIONS or depth > _MOST_MFER_DEPTH:
            raise UnreadableError(source, "has too many MFER definitions, or nests them too deeply")
        if length == inf and tag not in {_MFER_ATTRIBUTES, _MFER_SET}:
            raise UnreadableError(source, f"has an MFER definition without a length (tag {tag:#04x})")
        if tag == _MFER_ORDER:
            little = value[:1] == b"\1"
        if tag == _MFER_CHANNELS:
            n_channels = int.from_bytes(value[: int(length)], "little" if little else "big")
            if n_channels > _MOST_MFER_CHANNELS:
                raise UnreadableError(source, f"has {n_channels} channels, more than {_MOST_MFER_CHANNELS}")


def _walk_mfer(content: bytes) -> Iterator[tuple[int, int, float, int]]:
    """Yield tag, position of the value, length and depth of each definition, in order, and each filling byte."""
    at, ends = 0, [float(len(content))]
    while at < len(content):
        while len(ends) > 1 and at >= ends[-1]:
            ends.pop()
        tag = content[at]
        at += 1
        if not tag:
            if ends[-1] == inf and content[at : at + 1] == b"\0":
                ends.pop()  # two zeros end a value without a length
            yield tag, at, 0, len(ends)
            continue
        if tag == _MFER_END and ends[-1] != inf:
            at = int(ends[-1])
            continue
        if tag == _MFER_ATTRIBUTES:
            at = _skip_mfer_channel(content, at)
        length, at = _read_mfer_length(content, at)
        if tag in {_MFER_ATTRIBUTES, _MFER_SET}:
            ends.append(at + length)
        yield tag, at, length, len(ends)
        if tag not in {_MFER_ATTRIBUTES, _MFER_SET}:
            at += int(min(length, len(content)))


def check_xli(tree: ET.Element, source: str) -> None:
    """Refuse compressed Philips waveforms that unpack to more than 8 MiB."""
    total = codes = 0
    for waveforms in tree.iter("parsedwaveforms"):
        try:
            packed = base64.b64decode("".join((waveforms.text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            continue  # plain numbers, or an error that the library reports
        at = 0
        while at + 8 <= len(packed):
            size = int.from_bytes(packed[at : at + 4], "little", signed=True)
            chunk = packed[at + 8 : at + 8 + max(size, 0)]
            codes += len(chunk) * 8 // 10
            if codes > _MOST_XLI_CODES:
                raise UnreadableError(source, "has compressed waveforms that are too long")
            total += _count_unpacked(chunk)
            if total > _MOST_XLI_BYTES:
                raise UnreadableError(source, f"has waveforms that unpack to more than {_MOST_XLI_BYTES} bytes")
            if size <= 0:
                break
            at += 8 + size


def _count_unpacked(chunk: bytes) -> int:
    """Return the number of bytes that a Lempel-Ziv-Welch stream of 10-bit codes unpacks to."""
    lengths = dict.fromkeys(range(256), 1)
    total = previous = 0
    following, buffer, held = 256, 0, 0
    for byte in chunk:
        buffer, held = (buffer << 8 | byte) & 0xFFFFF, held + 8
        if held < 10:
            continue
        held -= 10
        code = buffer >> held & 0x3FF
        if code > _LAST_CODE:
            break
        length = lengths.setdefault(code, previous + 1)
        if previous and following <= _LAST_CODE:
            lengths[following] = previous + 1
            following += 1
        previous = length
        total += length
        if total > _MOST_XLI_BYTES:
            break
    return total


def _list_scp_sections(content: bytes) -> dict[int, bytes]:
    """Return the bodies of the sections of an SCP-ECG that lie within it."""
    end = min(6 + _read_word(content, 10, 4), len(content))
    found = {}
    for at in range(6 + _SCP_SECTION_HEADER, end - 9, 10):
        number, length, index = (
            _read_word(content, at, 2),
            _read_word(content, at + 2, 4),
            _read_word(content, at + 6, 4),
        )
        if number in {3, 4, 5} and length and index:
            found[number] = content[index - 1 + _SCP_SECTION_HEADER : index - 1 + length]
    return found


def _skip_mfer_channel(content: bytes, at: int) -> int:
    """Return where the number of a channel ends. The library would compute with a number of any length."""
    length = next((i for i, byte in enumerate(content[at : at + 5], 1) if byte < 0x80), None)
    if length is None:
        msg = "a channel number of more than 5 bytes"
        raise ValueError(msg)
    return at + length


def _read_mfer_length(content: bytes, at: int) -> tuple[float, int]:
    """Return the length of a definition, infinite if it is not stated, and where its value begins."""
    first = content[at] if at < len(content) else 0
    if first < 0x80:
        return first, at + 1
    if first == 0x80:
        return inf, at + 1
    size = first & 0x7F
    return int.from_bytes(content[at + 1 : at + 1 + size], "big"), at + 1 + size


def _read_word(content: bytes, at: int, size: int) -> int:
    return int.from_bytes(content[at : at + size], "little")
