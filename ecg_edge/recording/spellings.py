"""Text of device files: padded with NULs, and often written in another encoding than it is read in."""

from collections.abc import Iterator

_ENCODINGS = ("utf-8", "cp1251", "cp866", "cp437")


def read_as_written(text: str) -> Iterator[str]:
    """Yield a text without padding in lower case, then the same bytes in the encodings of devices.

    Args:
        text: As read, often in Latin-1.
    """
    text = text.strip("\0 \t\r\n")
    yield text.casefold()
    if text.isascii():
        return
    for encoding in _ENCODINGS:
        try:
            yield text.encode("latin-1").decode(encoding).casefold()
        except UnicodeError:
            continue
