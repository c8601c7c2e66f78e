"""The README and the pages of docs/ keep their promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ecg_edge.cli.app import main
from ecg_edge.quality.rules import RULES

PROJECT = Path(__file__).resolve().parents[1]
README = PROJECT / "README.md"
PAGES = [README, *sorted((PROJECT / "docs").glob("*.md"))]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def words(path):
    return path.read_text(encoding="utf-8")


def headings(path):
    """The anchors of a page, as GitHub and mkdocs make them."""
    found = re.findall(r"^#+ (.+)$", CODE.sub("", words(path)), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def options():
    for name, command in main.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield from (f"{name} {option}" for option in parameter.opts if option.startswith("--"))


def test_the_readme_is_short():
    text = words(README)
    assert len(text.splitlines()) <= 120
    assert len(text.split()) <= 900


def test_the_command_line_page_names_every_command():
    page = words(PROJECT / "docs/cli.md")
    assert all(f"\n## {name}\n" in page for name in main.commands)


@pytest.mark.parametrize("command_and_option", list(options()))
def test_the_command_line_page_names_every_option(command_and_option):
    command, option = command_and_option.split()
    page = words(PROJECT / "docs/cli.md")
    start = page.index(f"\n## {command}\n")
    section = page[start : page.find("\n## ", start + 1)]
    assert f"`{option}" in section, f"docs/cli.md does not name {option} of {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_points_to_a_file_and_a_heading_that_exist(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", words(page))):
        if target.startswith(("http:", "https:")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.is_file(), f"{page.name} links to {target}"
        assert not anchor or anchor in headings(file), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [README, PROJECT / "docs/python.md"], ids=lambda page: page.name)
def test_the_python_code_runs(page):
    snippets = re.findall(r"^```python\n(.*?)^```", words(page), re.DOTALL | re.MULTILINE)
    assert snippets
    for snippet in snippets:
        command = [sys.executable, "-c", snippet]
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
        assert result.returncode == 0, result.stderr
        assert "detected" in result.stdout


def test_the_example_of_validation_runs_and_prints_what_the_page_shows(tmp_path):
    """All but the figures, which are those of a version of the models."""
    page = words(PROJECT / "docs/validation.md")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (block,) = re.findall(r"^```text\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (command,) = re.findall(r"^    ecg-edge (evaluate my_records .*)$", page, re.MULTILINE)
    for arguments in (["-c", snippet], ["-m", "ecg_edge", *command.split()]):
        run = [sys.executable, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        result = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert result.returncode == 0, result.stderr
    figure = re.compile(r"\d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)")
    printed = [figure.sub("#", line) for line in result.stdout.splitlines()]
    shown = [
        figure.sub("#", line) for line in block.splitlines() if " missed: " not in line and " alarms: " not in line
    ]
    assert len(shown) > 10
    assert set(shown) <= set(printed)


def test_every_page_is_in_the_navigation():
    navigation = words(PROJECT / "mkdocs.yml")
    assert all(f": {page.name}\n" in navigation for page in PAGES[1:])


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs_autorefs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert result.returncode == 0, result.stdout + result.stderr
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.rglob("*.html")]
    assert pages
    loaded = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=[\"']?(?:https?:)?//")
    assert not any(loaded.search(page) for page in pages), "the site loads something from the network"


def test_the_quality_page_names_every_rule():
    page = words(PROJECT / "docs/quality.md")
    assert all(f"| `{rule.code}` |" in page for rule in RULES.values())
