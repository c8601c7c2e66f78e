"""The texts of the pages: each in both languages, none missing, none left over; and nothing inline in the pages."""

import json
import re
from pathlib import Path

import pytest

from ecg_edge import Detector
from ecg_edge.quality.plausibility import FAULTS
from ecg_edge.quality.rules import RULES

WEB = Path(__file__).parents[3] / "ecg_edge" / "web"
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
SCRIPTS = sorted((WEB / "static").glob("*.js"))
ENGLISH, RUSSIAN = (
    json.loads((WEB / f"translations/{language}.json").read_text(encoding="utf-8")) for language in ("en", "ru")
)
SOURCES = sorted(WEB.glob("*.py"))
# The English texts of these are those of the package itself.
OF_THE_PACKAGE = ("note.", "mark.", "refused.")


def used_keys():
    for template in TEMPLATES:
        yield from re.findall(r"\bt\(\"([a-z0-9_.]+)\"(?! ~)", template.read_text(encoding="utf-8"))


def test_both_languages_have_the_same_texts():
    assert list(ENGLISH) == [key for key in RUSSIAN if not key.startswith(OF_THE_PACKAGE)]


def test_both_languages_take_the_same_values():
    for key, text in ENGLISH.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", RUSSIAN[key])), key


def test_each_text_that_a_page_names_is_there():
    assert [key for key in used_keys() if not key.endswith(".") and key not in ENGLISH] == []


def test_each_text_is_used():
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (*TEMPLATES, *SOURCES))
    groups = set(re.findall(r"\"([a-z_]+\.)\" ~", pages))
    unused = [key for key in ENGLISH if f'"{key}"' not in pages and f"'{key}'" not in pages]
    assert [key for key in unused if not key.startswith(tuple(groups))] == []


def test_each_note_of_the_quality_gate_has_a_russian_text():
    codes = {*RULES, *(fault.code for fault in FAULTS.values()), "derived_leads", "unproven_site", "too_long"}
    codes |= {"uncertain_site", "uncertain_infarction"}
    assert {f"note.{code}" for code in codes} <= set(RUSSIAN)


def test_each_site_of_the_models_has_a_name():
    assert {f"site.{label}" for label in Detector().localization.spec.labels} <= set(ENGLISH)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_nothing_stands_inline_that_the_policy_of_the_pages_forbids(template):
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "| safe" not in text
    assert "http://" not in text
    assert "https://" not in text
