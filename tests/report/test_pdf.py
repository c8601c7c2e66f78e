"""Reports as PDF: true to scale, with text that can be searched."""

import io
import sys

import numpy as np
import pytest
from drawn import read_pdf_lines, read_svg

from ecg_edge.errors import MissingExtraError
from ecg_edge.report.pdf import load_font, spell

pytest.importorskip("pydyf")
pypdf = pytest.importorskip("pypdf")


def read_pages(report):
    return pypdf.PdfReader(io.BytesIO(report.to_pdf()), strict=True).pages


def test_a_page_is_a4_in_landscape(beats, draw):
    (page,) = read_pages(draw(beats()))
    assert [float(edge) * 25.4 / 72 for edge in page.mediabox] == pytest.approx([0, 0, 297, 210], abs=0.01)


def test_the_lines_are_where_the_svg_has_them(beats, draw):
    report = draw(beats())
    (page,) = read_pages(report)
    found = {tuple(np.round(line[[0, -1]].ravel(), 2)) for line in read_pdf_lines(page)}
    svg = read_svg(report.to_svg())
    for part in ("grid-1mm", "grid-5mm", "trace", "pulse", "threshold"):
        for line in svg.lines(part):
            ends = line[[0, -1]].ravel()
            assert any(np.abs(np.array(other) - ends).max() < 0.02 for other in found), part


def test_the_text_can_be_searched_also_in_cyrillic(beats, draw):
    (page,) = read_pages(draw(beats(name="Иванов Ёж № 7")))
    text = page.extract_text()
    assert "Иванов Ёж № 7" in text
    assert "Unconfirmed: for review by a clinician" in text
    assert "25 mm/s, 10 mm/mV, filters: none" in text
    assert all(lead in text for lead in ("aVR", "V6"))


def test_characters_without_a_glyph_are_written_as_their_numbers(beats, draw):
    (page,) = read_pages(draw(beats(name="山 😀 ok")))
    assert "\\u5c71 \\U0001f600 ok" in page.extract_text().replace("\n", " ")
    assert spell("a山", load_font()) == "a\\u5c71"


def test_parentheses_and_backslashes_are_text(beats, draw):
    report = draw(beats(name="a) Tj (b \\ ET"))
    (page,) = read_pages(report)
    assert "a) Tj (b \\ ET" in page.extract_text()
    assert pypdf.PdfReader(io.BytesIO(report.to_pdf())).metadata.title == "ECG a) Tj (b \\ ET"


def test_the_same_report_has_the_same_bytes(beats, draw):
    assert draw(beats()).to_pdf() == draw(beats()).to_pdf()


def test_without_the_library_the_error_names_the_extra(beats, draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydyf", None)
    report = draw(beats())
    with pytest.raises(
        MissingExtraError, match=r'a report as PDF needs an optional library: pip install "ecg_edge\[pdf\]"'
    ):
        report.to_pdf()
    assert report.to_svg()


def test_every_letter_of_the_font_has_its_glyph_and_width():
    fonts = pytest.importorskip("fontTools.ttLib")
    ours = load_font()
    theirs = fonts.TTFont(io.BytesIO(ours.content))
    assert ours.glyphs == {chr(code): theirs.getGlyphID(name) for code, name in theirs.getBestCmap().items()}
    units = theirs["head"].unitsPerEm
    widths = [round(1000 * theirs["hmtx"][name][0] / units) for name in theirs.getGlyphOrder()]
    assert list(ours.widths) == widths
    russian = {chr(code) for code in range(0x410, 0x450)} | {"Ё", "ё", "№"}
    assert russian <= ours.glyphs.keys()


def test_text_is_at_most_as_wide_as_it_is_measured():
    from ecg_edge.report.text import measure

    font = load_font()
    for text in (
        "Pattern consistent with myocardial infarction",
        "Предварительное заключение",
        "0123456789 sha256 abcdef",
        "WARNING Mmm",
    ):
        width = sum(font.widths[font.glyphs[character]] for character in text) / 1000
        assert width <= measure(text, 1)
