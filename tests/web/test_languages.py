"""English and Russian."""

import json
import string
from pathlib import Path

import pytest
from served import form_token

import ecg_edge
from ecg_edge.web.languages import LANGUAGES, choose_language, load_texts, translator

TEXTS = Path(ecg_edge.__file__).parent / "web" / "translations"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de,fr;q=0.9,ru;q=0.2", "ru"),
        ("en;q=0.5,ru;q=0.6", "ru"),
        ("ru;q=0,en;q=0.1", "en"),
        ("de", "en"),
        ("ru;q=x,,;;q=,en", "en"),
    ],
)
def test_the_language_is_the_browsers(accepted, language):
    assert choose_language(None, accepted) == language
    assert choose_language("ru", accepted) == "ru"
    assert choose_language("xx", accepted) == language


def test_both_languages_have_the_same_texts_with_the_same_values():
    english, russian = (json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES)
    # Messages about the signal are English already.
    assert {key for key in russian if not key.startswith(("note.", "mark.", "refused."))} == english.keys()
    for key, text in english.items():
        assert fields(text) == fields(russian[key]), key


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_a_text_that_is_missing_is_its_key():
    assert translator("ru")("no.such.text") == "no.such.text"
    assert load_texts("ru") != load_texts("en")


def test_a_reader_can_switch_and_stays_on_the_page(served):
    browser = served.browser(headers={"Accept-Language": "en"})
    page = browser.get("/submission")
    assert '<html lang="en"' in page.text
    fields = {"language": "ru", "token_of_form": form_token(page)}
    answer = browser.post("/language", data=fields, headers={"Referer": f"{served.address}/submission"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/submission")
    assert '<html lang="ru"' in browser.get("/submission").text
    elsewhere = browser.post("/language", data=fields, headers={"Referer": "https://evil.example/x"})
    assert elsewhere.headers["location"] == "/"
    odd = browser.post("/language", data=fields, headers={"Referer": f"{served.address}//evil.example"})
    assert odd.headers["location"] == "/"


def test_a_browser_that_prefers_russian_gets_it_for_errors_too(served):
    browser = served.browser(headers={"Accept-Language": "ru", "Accept": "text/html"})
    missing = browser.get("/nothing")
    assert missing.status_code == 404
    assert '<html lang="ru"' in missing.text
