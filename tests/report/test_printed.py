"""A browser prints the page in true millimetres."""

import shutil
import subprocess

import numpy as np
import pytest
from drawn import read_pdf_lines

pypdf = pytest.importorskip("pypdf")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")


@pytest.fixture
def print_page(tmp_path):
    def make(report, ending):
        page, printed = tmp_path / f"report{ending}", tmp_path / "printed.pdf"
        report.save(page)
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        command = [BROWSER, *options, f"--user-data-dir={tmp_path}", f"--print-to-pdf={printed}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return pypdf.PdfReader(printed).pages

    return make


def test_the_printed_page_is_one_sheet_of_a4(beats, draw, print_page):
    (page,) = print_page(draw(beats()), ".html")
    assert float(page.mediabox.width) * 25.4 / 72 == pytest.approx(297, abs=0.5)
    assert float(page.mediabox.height) * 25.4 / 72 == pytest.approx(210, abs=0.5)


def test_printed_millimetres_are_millimetres(beats, draw, print_page):
    (page,) = print_page(draw(beats(), speed=25, gain=10), ".html")
    lines = read_pdf_lines(page)
    upright = sorted(
        {
            round(line[0, 0], 3)
            for line in lines
            if len(line) == 2 and abs(np.ptp(line[:, 0])) < 0.01 and np.ptp(line[:, 1]) > 100
        }
    )
    assert len(upright) >= 266  # each millimetre of the grid
    grid = np.array(upright[:266])
    assert np.diff(grid) == pytest.approx(1, abs=0.01)
    assert np.ptp(grid) == pytest.approx(265, rel=0.001)
    pulses = [line for line in lines if len(line) == 6 and np.ptp(line[:, 1]) > 5]
    assert pulses
    for pulse in pulses:
        assert np.ptp(pulse[:, 1]) == pytest.approx(10, rel=0.005)
        assert np.ptp(pulse[2:4, 0]) == pytest.approx(5, rel=0.005)


def test_each_sheet_is_printed_on_a_page_of_its_own(beats, draw, print_page):
    from dataclasses import replace

    from ecg_edge.findings import Note
    from ecg_edge.report import Choices, draw_report

    recording = beats()
    notes = tuple(Note(f"code_{i}", f"warning {i}") for i in range(30))
    report = draw_report(recording, replace(draw(recording).finding, warnings=notes), 1.6, Choices())
    assert len(print_page(report, ".html")) == len(report.sheets) == 2
