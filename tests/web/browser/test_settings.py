"""Language and colours: chosen by the browser, changed by a switch, remembered."""

import re

import pytest

REVIEW = "Не подтверждено: требуется заключение врача"  # noqa: RUF001 - Russian


def ground(page):
    return page.run("return getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize(("language", "title"), [("en", "Records"), ("ru", "Записи ЭКГ"), ("fr", "Records")])
def test_the_browser_chooses_the_language(open_browser, language, title):
    page = open_browser(language=language)
    page.open("/")
    assert page.find("h1").text == title


def test_the_switch_changes_the_language_and_is_remembered(page):
    page.open("/submission")
    page.find(".language button[value=ru]").click()
    page.wait(lambda: page.find("h1").text == "Таблица и выгрузка")
    assert page.find("html").get_attribute("lang") == "ru"
    page.open("/")
    assert page.find("h1").text == "Записи ЭКГ"


def test_a_finding_in_russian_is_as_careful(open_browser, served, infarction):
    served.wait(served.upload(("language.npy", infarction)))
    page = open_browser(language="ru")
    page.open("/?q=language")
    assert REVIEW in page.find("tbody tr").text
    assert re.match(r"0,99\d\n", page.find(".cell-probability").text)
    page.open_record(served, "language")
    statement = page.find(".statement").text
    assert (
        statement
        == "ЭКГ-картина, характерная для инфаркта миокарда; локализация: нижняя стенка; давность не определена"
    )
    assert page.find(".review-badge").text == REVIEW
    assert "порог" in page.run("return document.querySelector('#paper svg').textContent")


def test_dark_colours_follow_the_system_and_the_switch_is_remembered(open_browser):
    page = open_browser(scheme="dark")
    page.open("/")
    dark = ground(page)
    assert page.find("#theme").get_attribute("aria-pressed") == "true"
    page.find("#theme").click()
    light = ground(page)
    assert light != dark
    page.open("/submission")
    assert ground(page) == light
    assert page.find("#theme").get_attribute("aria-pressed") == "false"
