"""Text that fits: its width, its lines, and no character that a file of XML cannot hold."""

from collections.abc import Iterator
from unicodedata import east_asian_width

from ecg_edge.wording import printable

# Widths in parts of the font size, those of DejaVu Sans: the fonts of other systems are narrower.
_NARROW = dict.fromkeys("ijlI|.,:;'!()[]ft /-", 0.4)
_WIDE = dict.fromkeys("mwMW@%ШЩЖМЮФшщжмюф", 1.0)
_OTHER, _CAPITAL, _SQUARE, _BOLD = 0.62, 0.76, 1.05, 1.12
# A size that was computed from the width fits but for the last digit of a float.
_ROUNDING_MM = 1e-6


def clean(text: str) -> str:
    """Return text in one line, without characters that control, turn the direction of writing, or are no XML."""
    return printable(" ".join(text.split()))


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width in mm that a line of text needs at most."""
    return sum(map(_measure_character, text)) * size * (_BOLD if bold else 1)


def _measure_character(character: str) -> float:
    known = _NARROW.get(character) or _WIDE.get(character)
    if known:
        return known
    if east_asian_width(character) in "WF" or ord(character) > 0xFFFF:
        return _SQUARE
    return _CAPITAL if character.isupper() else _OTHER


def shorten(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Return as much of a text as fits into a width, with an ellipsis if something is left out."""
    if measure(text, size, bold=bold) <= width + _ROUNDING_MM:
        return text
    kept = text
    while kept and measure(f"{kept}…", size, bold=bold) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrap(text: str, size: float, width: float) -> Iterator[str]:
    """Yield the lines of a text; a word that is longer than a line is broken."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if measure(longer, size) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while measure(line, size) > width:
            head = shorten(line, size, width)[:-1] or line[:1]
            yield head
            line = line[len(head) :]
    if line:
        yield line
