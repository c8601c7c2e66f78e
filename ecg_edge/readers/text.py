"""The encoding of text: UTF-8, or UTF-16 with a byte order mark; what else it may be is named."""

import codecs

_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 8192
# Half of the bytes are 0 if all letters are Latin; commas, digits and ends of lines are in any table.
_FEWEST_ZEROS = 1 / 16


def decode_text(content: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        ValueError: It is neither. The message says what it is, as far as that shows, and what to do.
    """
    wide = find_wide_encoding(content)
    if wide is not None:
        msg = f"is {wide}; save it in UTF-8"
        raise ValueError(msg)
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        msg = "is not text in UTF-8; save it in UTF-8"
        raise ValueError(msg) from error
    if "\0" in text:
        msg = "is not a table: it has characters with the code 0"
        raise ValueError(msg)
    return text


def find_wide_encoding(head: bytes) -> str | None:
    """Return what text that is not read because of its encoding is, such as UTF-16 without a byte order mark.

    Args:
        head: The first bytes of a file.

    Returns:
        Words for people; None for text in UTF-8, in UTF-16 with a mark, and for what does not look like text.
    """
    head = head[:_HEAD]
    if head.startswith(_UTF_32):
        return "text in UTF-32"
    if not head or head.startswith(_UTF_16):
        return None
    zeros = [at for at, byte in enumerate(head) if byte == 0]
    if len(zeros) < max(2, _FEWEST_ZEROS * len(head)):
        return None
    even = len(head) - len(head) % 2
    for encoding, parity in (("utf-16-le", 1), ("utf-16-be", 0)):
        if all(at % 2 == parity for at in zeros) and _is_text(head[:even].decode(encoding, "replace")):
            return "text in UTF-16 without a byte order mark"
    return None


def _is_text(text: str) -> bool:
    # The last character may be half of a pair.
    return all(letter.isprintable() or letter.isspace() for letter in text[:-1])
