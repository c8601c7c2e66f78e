"""The languages of the pages: which one a reader gets, and the texts."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ru")
COOKIE = "ecg_edge_language"
_FOLDER = Path(__file__).parent / "translations"


def choose_language(cookie: str | None, accepted: str | None) -> str:
    """Return one of `LANGUAGES`.

    Args:
        cookie: What the reader chose before.
        accepted: The browser's header `Accept-Language`.
    """
    if cookie in LANGUAGES:
        return cookie
    ranked = sorted(_parse(accepted or ""), key=lambda pair: -pair[1])
    return next((language for language, weight in ranked if language in LANGUAGES and weight > 0), LANGUAGES[0])


def translator(language: str) -> Callable[..., str]:
    """Return the function `t(key, **values)` of a language; a text that it lacks is English, or else the key."""
    texts, english = load_texts(language), load_texts(LANGUAGES[0])

    def translate(key: str, /, **values: object) -> str:
        text = texts.get(key, english.get(key, key))
        return text.format(**values) if values else text

    return translate


@cache
def load_texts(language: str) -> dict[str, str]:
    """Return all texts of a language by their keys."""
    loaded: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


def _parse(accepted: str) -> list[tuple[str, float]]:
    found = []
    for part in accepted.split(","):
        name, _, weight = part.partition(";q=")
        try:
            found.append((name.strip().lower().partition("-")[0], float(weight or 1)))
        except ValueError:
            continue
    return found
