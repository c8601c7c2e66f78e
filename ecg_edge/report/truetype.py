"""A TrueType font: which glyph a character has, and how wide it is."""

import struct
from typing import NamedTuple

_CHARACTER_MAP = 4
"""Format of the table of characters in the Basic Multilingual Plane."""


class Font(NamedTuple):
    """A font file and what is needed to set text with it."""

    content: bytes
    glyphs: dict[str, int]
    """Number of the glyph of each character."""
    widths: tuple[int, ...]
    """Of each glyph, in thousandths of the font size."""


def read_font(content: bytes) -> Font:
    """Read a font with a character map of format 4, as the one of this package is."""
    (n_tables,) = struct.unpack_from(">H", content, 4)
    entries = (struct.unpack_from(">4sLLL", content, 12 + 16 * i) for i in range(n_tables))
    tables = {tag.decode(): offset for tag, _, offset, _ in entries}
    (units,) = struct.unpack_from(">H", content, tables["head"] + 18)
    (n_widths,) = struct.unpack_from(">H", content, tables["hhea"] + 34)
    (n_glyphs,) = struct.unpack_from(">H", content, tables["maxp"] + 4)
    advances = struct.unpack_from(">" + "Hh" * n_widths, content, tables["hmtx"])[::2]
    advances += advances[-1:] * (n_glyphs - n_widths)
    return Font(content, _read_glyphs(content, tables["cmap"]), tuple(round(1000 * wide / units) for wide in advances))


def _read_glyphs(content: bytes, table: int) -> dict[str, int]:
    (n_maps,) = struct.unpack_from(">H", content, table + 2)
    for i in range(n_maps):
        _, _, offset = struct.unpack_from(">HHL", content, table + 4 + 8 * i)
        (kind,) = struct.unpack_from(">H", content, table + offset)
        if kind == _CHARACTER_MAP:
            return _read_segments(content, table + offset)
    raise ValueError("the font has no character map of format 4")


def _read_segments(content: bytes, start: int) -> dict[str, int]:
    count = struct.unpack_from(">H", content, start + 6)[0] // 2
    columns = [f">{count}H", f">{count}H", f">{count}h", f">{count}H"]
    places = [start + 14 + (2 * count + 2) * (i > 0) + 2 * count * max(0, i - 1) for i in range(4)]
    ends, firsts, deltas, ranges = (
        struct.unpack_from(column, content, place) for column, place in zip(columns, places, strict=True)
    )
    glyphs = {}
    for i, (first, end, delta, jump) in enumerate(zip(firsts, ends, deltas, ranges, strict=True)):
        for code in range(first, min(end, 0xFFFE) + 1):
            glyph = code
            if jump:
                (glyph,) = struct.unpack_from(">H", content, places[3] + 2 * i + jump + 2 * (code - first))
            if glyph or not jump:
                glyphs[chr(code)] = (glyph + delta) % 65536
    return glyphs
