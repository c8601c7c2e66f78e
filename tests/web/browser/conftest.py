"""A browser for the tests of the page: Debian's chromium, driven by selenium. Without them, the tests are skipped."""

import shutil

import pytest
from javascript import go_without
from opened import Browser


@pytest.fixture(scope="session")
def chromium():
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        go_without("browser", "this machine does not have chromium and chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        go_without("browser", "selenium is not installed")
    return webdriver, programs


@pytest.fixture(scope="session")
def browsers(chromium):
    """One browser a language: starting one takes seconds."""
    started = {}

    def choose(language):
        if language not in started:
            started[language] = Browser(chromium, language)
        return started[language]

    yield choose
    for browser in started.values():
        browser.driver.quit()


@pytest.fixture
def open_browser(browsers, served, tmp_path):
    """Open a browser at the server; at the end, it must have reported nothing."""
    opened = []

    def begin(language="en", **options):
        opened.append(browsers(language).begin(served.address, tmp_path, **options))
        return opened[-1]

    yield begin
    assert [report for browser in opened for report in browser.reports()] == []


@pytest.fixture
def page(open_browser):
    return open_browser()
