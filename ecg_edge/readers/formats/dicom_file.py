"""Read the waveforms of a DICOM file with pydicom: preamble, transfer syntaxes, and limits before the library reads."""

import io
import struct
from typing import Any, NamedTuple

from ecg_edge.errors import UnreadableError
from ecg_edge.extras import optional_library
from ecg_edge.readers.formats.inflating import inflate

# Ten seconds take about 0.1 MB, an hour 43 MB.
MOST_BYTES = 64 * 2**20
_PREAMBLE = 128
_MAGIC = b"DICM"
_MOST_BYTES_OF_META = 2**14
# Reading an item takes a thousand times longer than reading its bytes. A 12-lead recording has about a hundred.
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_MOST_ITEMS = 5000
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_BIG_ENDIAN, _DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
# Value representations of the elements that a file without a preamble may begin with.
_FIRST_KINDS = {b"UL", b"CS", b"UI", b"DA", b"TM", b"DT", b"LO", b"SH"}
_MOST_OF_FIRST = 256


class Waveforms(NamedTuple):
    """The multiplex groups of a file."""

    groups: list[Any]
    order: str
    """Order of the bytes of their samples: "<" or ">"."""


def is_dicom(head: bytes) -> bool:
    """Return whether the first bytes are those of a DICOM file, with or without a preamble."""
    return _find_magic(head) is not None or _guess_syntax(head) is not None


def read_waveforms(content: bytes, source: str) -> Waveforms:
    """Return the multiplex groups of a file.

    Raises:
        UnreadableError: It has no waveform, a transfer syntax that is not read, or is larger than the limits.
        MissingExtraError: pydicom is not installed.
    """
    with optional_library("pydicom", "a DICOM waveform", "dicom"):
        import pydicom
        from pydicom.filereader import read_dataset
    check_size(len(content), source)
    syntax, start = _read_syntax(content, source, read_dataset)
    if syntax not in {_IMPLICIT, _EXPLICIT, _BIG_ENDIAN, _DEFLATED}:
        raise UnreadableError(source, f"has the transfer syntax {syntax}; save it as uncompressed little endian")
    if syntax == _DEFLATED:
        content, start = inflate(content[start:], source, MOST_BYTES), 0
    n_items = sum(content.count(item) for item in _ITEMS)
    if n_items > _MOST_ITEMS:
        raise UnreadableError(source, f"has {n_items} items, more than {_MOST_ITEMS}")
    file, little = io.BytesIO(content), syntax != _BIG_ENDIAN
    file.seek(start)
    dataset = read_dataset(file, syntax == _IMPLICIT, little, specific_tags=[pydicom.tag.Tag("WaveformSequence")])
    if not dataset.get("WaveformSequence"):
        raise UnreadableError(source, "is a DICOM file without a waveform")
    return Waveforms(list(dataset.WaveformSequence), "<" if little else ">")


def check_size(size: int, source: str) -> None:
    """Refuse a file that is too large.

    Raises:
        UnreadableError: It is.
    """
    if size > MOST_BYTES:
        raise UnreadableError(source, f"is larger than {MOST_BYTES} bytes")


def _find_magic(content: bytes) -> int | None:
    """Return where the four letters of a DICOM file stand; None if they are missing."""
    return next((at for at in (_PREAMBLE, 0) if content[at : at + 4] == _MAGIC), None)


def _read_syntax(content: bytes, source: str, read_dataset: Any) -> tuple[str, int]:  # noqa: ANN401
    """Return the transfer syntax, and where the elements begin that are written in it."""
    magic = _find_magic(content)
    start = 0 if magic is None else magic + 4
    if content[start : start + 2] != b"\2\0":
        guessed = _guess_syntax(content[start : start + 16])
        if guessed is None:
            raise UnreadableError(source, "is not a valid DICOM file: its first element is not known")
        return guessed, start
    if content[start : start + 6] == b"\2\0\0\0UL":
        length = 12 + int.from_bytes(content[start + 8 : start + 12], "little")
    else:
        length = _MOST_BYTES_OF_META
    if length > _MOST_BYTES_OF_META:
        raise UnreadableError(source, f"is not a valid DICOM file: its meta information has {length} bytes")
    # A deflated file may unpack to any size, so only its meta information is read first.
    file = io.BytesIO(content[start : start + length])
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    return str(meta.get("TransferSyntaxUID") or ""), start + file.tell()


def _guess_syntax(head: bytes) -> str | None:
    """Return the transfer syntax of a file that begins with an element of group 8 (or 2); None if it does not."""
    if len(head) < 12:
        return None
    kind, (group, element) = head[4:6], struct.unpack("<HH", head[:4])
    if group == 2 and element <= 0x0100 and kind in {b"UL", b"OB", b"UI"}:
        return _EXPLICIT
    if group == 8 and element <= 0x0100:
        if kind in _FIRST_KINDS:
            return _EXPLICIT
        return _IMPLICIT if 0 < int.from_bytes(head[4:8], "little") <= _MOST_OF_FIRST else None
    group, element = struct.unpack(">HH", head[:4])
    return _BIG_ENDIAN if group == 8 and element <= 0x0100 and kind in _FIRST_KINDS else None
