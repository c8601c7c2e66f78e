"""Unpack deflated bytes within limits, so that a small file cannot ask for much memory."""

import zlib

from ecg_edge.errors import UnreadableError

# Recordings compress to between a half and a tenth of their size, a bomb to a thousandth.
MOST_RATIO = 100
SMALL = 2**20
"""Bytes that may be unpacked from any number of bytes."""


def inflate(packed: bytes, source: str, most: int) -> bytes:
    """Unpack a raw deflate stream; bytes after its end are left out.

    Args:
        packed: The stream.
        source: Name of the file in error messages.
        most: Largest number of bytes that may come out.

    Raises:
        UnreadableError: The stream is damaged or cut off, or unpacks to too much.
    """
    limit = min(most, SMALL + MOST_RATIO * len(packed))
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(packed, limit + 1)
    except zlib.error as error:
        raise UnreadableError(source, f"cannot be unpacked: {error}") from error
    if len(content) > limit:
        raise UnreadableError(source, f"unpacks to more than {limit} bytes, like a bomb")
    if not stream.eof:
        raise UnreadableError(source, "is cut off: its deflated content has no end")
    return content
