"""`ecg-edge formats`, and the table of the documentation, which is the same."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from ecg_edge.cli.app import main
from ecg_edge.readers import registry

PAGE = Path(__file__).parents[2] / "docs" / "input-formats.md"


def run(*options):
    result = CliRunner().invoke(main, ["formats", *options])
    assert result.exit_code == 0
    return result.output


def test_the_page_has_the_table_that_the_command_prints():
    table = run("--format", "markdown")
    assert table in PAGE.read_text(encoding="utf-8"), (
        "put the output of ecg-edge formats --format markdown into the page"
    )


def test_every_format_is_shown_with_each_of_its_endings():
    text = run()
    for module in registry.formats():
        files = " ".join(one.files for one in module.DESCRIPTIONS)
        assert set(module.SUFFIXES) <= set(re.findall(r"\.\w+", files))
        assert all(f"{one.name}: " in text for one in module.DESCRIPTIONS)
    assert text.count("must be stated: ") == text.count("refused: ") == len(registry.descriptions())
    assert max(map(len, text.splitlines())) <= 120


def test_a_description_fits_into_a_table():
    for one in registry.descriptions():
        cells = (one.name, one.files, one.stated, one.checked, one.refused)
        assert all(cell and "|" not in cell and "\n" not in cell for cell in cells)
        assert (one.extra is None) == (one.library is None)


def test_an_installed_library_is_shown_with_its_version():
    pydicom = pytest.importorskip("pydicom")
    assert f"extra dicom: installed, pydicom {pydicom.__version__}" in run()


def test_a_missing_library_is_shown_with_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    assert 'extra resample: not installed; pip install "ecg_edge[resample]"' in run()


def test_a_broken_library_is_shown_with_its_error(monkeypatch, tmp_path):
    (tmp_path / "soxr.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "soxr", raising=False)
    assert "extra resample: the library soxr cannot be imported (ValueError: numpy.dtype size changed)" in run()


def test_a_library_without_a_version_is_shown(monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", ModuleType("soxr"))
    assert "extra resample: installed, soxr\n" in run()
