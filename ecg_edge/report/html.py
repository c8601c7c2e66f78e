"""Sheets as one page of HTML that prints in true millimetres: no script, nothing from outside."""

from collections.abc import Iterator, Sequence
from html import escape

from ecg_edge.report.shapes import HEIGHT_MM, WIDTH_MM, Sheet
from ecg_edge.report.svg import write_figure
from ecg_edge.report.words import Told

_STYLE = f"""
@page {{ size: {WIDTH_MM:g}mm {HEIGHT_MM:g}mm; margin: 0 }}
body {{ margin: 0; background: #ffffff; color: #000000; font: 16px/1.4 Arial, Helvetica, sans-serif }}
figure {{ margin: 0 }}
svg {{ display: block }}
figure + figure {{ break-before: page }}
main {{ padding: 1em; max-width: 60em }}
th, td {{ text-align: left; padding: 0 1em 0 0 }}
@media print {{ main {{ display: none }} }}
"""


def write_html(sheets: Sequence[Sheet], told: Told) -> str:
    """Return the page: the sheets, and below them the same in words for reading aloud and copying."""
    figures = [f"<figure>\n{write_figure(sheet, number)}\n</figure>" for number, sheet in enumerate(sheets, 1)]
    return "\n".join([
        "<!DOCTYPE html>",
        '<html xmlns="http://www.w3.org/1999/xhtml" lang="en">',
        "<head>",
        '<meta charset="utf-8"/>',
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>""",
        '<meta name="viewport" content="width=device-width"/>',
        f"<title>{escape(told.record)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        *figures,
        "<main>",
        *_write_words(told),
        "</main>",
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip


def _write_words(told: Told) -> Iterator[str]:
    yield f"<h1>{escape(told.record)}</h1>"
    yield from (f"<p>{escape(line)}</p>" for line in (told.statement, told.answer, told.review) if line)
    if told.sites:
        yield "<table>\n<thead><tr><th>site</th><th>probability</th><th>threshold</th><th></th></tr></thead>\n<tbody>"
        for name, probability, threshold, found in told.sites:
            cells = (name, probability, threshold, "found" if found else "")
            yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        yield "</tbody>\n</table>"
    if told.notes:
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in told.notes)}</ul>"
    yield from (f"<p>{escape(line)}</p>" for line in (told.recording, told.settings, told.provenance))
