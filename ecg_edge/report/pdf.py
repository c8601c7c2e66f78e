"""Sheets as the pages of a PDF file, with the font of this package embedded."""

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, singledispatchmethod
from importlib.resources import files
from typing import TYPE_CHECKING

from ecg_edge.extras import optional_library
from ecg_edge.report.shapes import HEIGHT_MM, WIDTH_MM, Area, Lines, Sheet, Words
from ecg_edge.report.shapes import Line as Corners
from ecg_edge.report.truetype import Font, read_font

if TYPE_CHECKING:
    import pydyf

_POINTS = 72 / 25.4
_BOLD = 0.035
"""Width of the outline that makes letters bold, in parts of their size."""
_MOST_IN_BLOCK = 100
"""Entries of a block of a character map, by the standard."""


def write_pdf(sheets: Sequence[Sheet]) -> bytes:
    """Return a PDF file with one page a sheet.

    Raises:
        MissingExtraError: The extra `pdf` is not installed.
    """
    with optional_library("pydyf", "a report as PDF", "pdf"):
        import pydyf

    document = pydyf.PDF()
    font = load_font()
    content = [_Page(font, sheet) for sheet in sheets]
    used = sorted({character for page in content for character in page.used})
    reference = _add_font(document, font, used)
    for page in content:
        stream = pydyf.Stream([page.commands], compress=True)
        document.add_object(stream)
        document.add_page(_make_page(document, stream, reference))
    document.info["Title"] = pydyf.String(sheets[0].title)
    document.info["Subject"] = pydyf.String(" ".join(sheet.description for sheet in sheets))
    document.catalog["Lang"] = pydyf.String("en")
    document.catalog["ViewerPreferences"] = "<< /DisplayDocTitle true /PrintScaling /None >>"
    output = io.BytesIO()
    document.write(output)
    return output.getvalue()


@cache
def load_font() -> Font:
    """Return the font of this package."""
    return read_font((files("ecg_edge.report") / "font" / "DejaVuSans.ttf").read_bytes())


def spell(text: str, font: Font) -> str:
    """Return a text in the characters of a font: others are written as their numbers."""
    return "".join(c if c in font.glyphs else c.encode("unicode_escape").decode() for c in text)


class _Page:
    """The drawing commands of one sheet, in millimetres from its lower left corner."""

    def __init__(self, font: Font, sheet: Sheet) -> None:
        self._font = font
        self.used: set[str] = set()
        lines = [f"{_POINTS:.6f} 0 0 {_POINTS:.6f} 0 0 cm 1 J 1 j"]
        for shape in sheet.shapes:
            lines += self._draw(shape)
        self.commands = "\n".join(lines)

    @singledispatchmethod
    def _draw(self, shape: object) -> Iterable[str]:
        raise TypeError(type(shape).__name__)

    @_draw.register
    def _(self, shape: Lines) -> Iterator[str]:
        dash = " ".join(f"{length:g}" for length in shape.dash)
        yield f"{_write_colour(shape.colour)} RG {shape.width:g} w [{dash}] 0 d {0 if dash else 1} J"
        yield from map(_write_path, shape.lines)
        yield "S"

    @_draw.register
    def _(self, shape: Area) -> Iterator[str]:
        yield f"{_write_colour(shape.colour)} rg {_write_path(shape.corners)} f"

    @_draw.register
    def _(self, shape: Words) -> Iterator[str]:
        text = spell(shape.text, self._font)
        self.used.update(text)
        glyphs = [self._font.glyphs[character] for character in text]
        width = sum(self._font.widths[glyph] for glyph in glyphs) / 1000 * shape.size
        left = shape.x - width * {"start": 0, "middle": 0.5, "end": 1}[shape.anchor]
        colour = _write_colour(shape.colour)
        bold = f"{colour} RG {_BOLD * shape.size:.3f} w [] 0 d 2 Tr" if shape.bold else "0 Tr"
        codes = "".join(f"{glyph:04x}" for glyph in glyphs)
        yield f"BT {colour} rg {bold} /F {shape.size:g} Tf {left:.3f} {HEIGHT_MM - shape.y:.3f} Td <{codes}> Tj ET"


def _write_colour(colour: str) -> str:
    return " ".join(f"{int(colour[i : i + 2], 16) / 255:.3g}" for i in (1, 3, 5))


def _write_path(corners: Corners) -> str:
    (x, y), *others = ((x, HEIGHT_MM - y) for x, y in corners.tolist())
    return f"{x:.3f} {y:.3f} m " + " ".join(f"{x:.3f} {y:.3f} l" for x, y in others)


def _make_page(document: "pydyf.PDF", stream: "pydyf.Stream", font: bytes) -> "pydyf.Dictionary":
    import pydyf

    box = pydyf.Array([0, 0, round(WIDTH_MM * _POINTS, 3), round(HEIGHT_MM * _POINTS, 3)])
    return pydyf.Dictionary({
        "Type": "/Page",
        "Parent": document.pages.reference,
        "MediaBox": box,
        "Contents": stream.reference,
        "Resources": pydyf.Dictionary({"Font": pydyf.Dictionary({"F": font})}),
    })  # fmt: skip


def _add_font(document: "pydyf.PDF", font: Font, used: Sequence[str]) -> bytes:
    """Embed a font and return the reference to it."""
    import pydyf

    file = pydyf.Stream([font.content], {"Length1": len(font.content)}, compress=True)
    document.add_object(file)
    descriptor = pydyf.Dictionary({
        "Type": "/FontDescriptor",
        "FontName": "/DejaVuSans",
        "Flags": 4,
        "FontBBox": pydyf.Array([-1021, -463, 1793, 1232]),
        "ItalicAngle": 0,
        "Ascent": 928,
        "Descent": -236,
        "CapHeight": 729,
        "StemV": 80,
        "FontFile2": file.reference,
    })  # fmt: skip
    document.add_object(descriptor)
    descendant = pydyf.Dictionary({
        "Type": "/Font",
        "Subtype": "/CIDFontType2",
        "BaseFont": "/DejaVuSans",
        "CIDSystemInfo": "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
        "CIDToGIDMap": "/Identity",
        "FontDescriptor": descriptor.reference,
        "W": pydyf.Array([0, pydyf.Array(font.widths)]),
    })  # fmt: skip
    document.add_object(descendant)
    letters = pydyf.Stream([_map_to_unicode(font, used)], compress=True)
    document.add_object(letters)
    whole = pydyf.Dictionary({
        "Type": "/Font",
        "Subtype": "/Type0",
        "BaseFont": "/DejaVuSans",
        "Encoding": "/Identity-H",
        "DescendantFonts": pydyf.Array([descendant.reference]),
        "ToUnicode": letters.reference,
    })  # fmt: skip
    document.add_object(whole)
    reference: bytes = whole.reference
    return reference


def _map_to_unicode(font: Font, used: Sequence[str]) -> str:
    """Return the character of each glyph, so that text can be searched and copied."""
    entries = [f"<{font.glyphs[character]:04x}> <{ord(character):04x}>" for character in used]
    blocks = [entries[i : i + _MOST_IN_BLOCK] for i in range(0, len(entries), _MOST_IN_BLOCK)]
    lines = ["/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Letters def /CMapType 2 def"]
    lines += ["1 begincodespacerange <0000> <ffff> endcodespacerange"]
    for block in blocks:
        lines += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    return "\n".join([*lines, "endcmap end end"])
