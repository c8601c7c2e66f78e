"""Check the size of an archive's directory before Python's zipfile reads it, because an entry takes 400 bytes there."""

import struct
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from ecg_edge.errors import UnreadableError

_MOST_BYTES = 16 * 2**20
# The record at the end of an archive, a comment of any length after it, and a pointer to a larger record before it.
_END = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 2**16
_POINTER = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_IS_ELSEWHERE = 0xFFFFFFFF
_LOCAL_HEADER = 30


def check_directory(path: str | Path, file: BinaryIO, size: int) -> None:
    """Refuse an archive with a directory that would take too much memory.

    Args:
        path: Of the archive, for the error message.
        file: The archive.
        size: Its size in bytes.

    Raises:
        UnreadableError: The directory is too large.
    """
    begin = max(0, size - _END.size - _LONGEST_COMMENT - _POINTER.size)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if at < 0:
        return  # zipfile says that this is not an archive
    length = _END.unpack_from(tail, at)[5]
    if at >= _POINTER.size:
        mark, _, offset, _ = _POINTER.unpack_from(tail, at - _POINTER.size)
        # Versions of zipfile differ in where they look for the larger record.
        for place in (offset, begin + at - _POINTER.size - _END_64.size) if mark == b"PK\6\7" else ():
            length = max(length % _IS_ELSEWHERE, _read_length(file, place, size))
    if length > _MOST_BYTES:
        raise UnreadableError(path, f"has too many entries: a directory of {length} bytes, at most {_MOST_BYTES}")


def has_overlap(entries: list[zipfile.ZipInfo]) -> bool:
    """Return whether any bytes belong to more than one entry."""
    spans = sorted((entry.header_offset, _LOCAL_HEADER + entry.compress_size) for entry in entries)
    return any(begin + length > following for (begin, length), (following, _) in pairwise(spans))


def _read_length(file: BinaryIO, place: int, size: int) -> int:
    """Return the length of the directory, as the larger record at this place states it; 0 without this record."""
    if not 0 <= place <= size - _END_64.size:
        return 0
    file.seek(place)
    record = _END_64.unpack(file.read(_END_64.size))
    return record[8] if record[0] == b"PK\6\6" else 0
