"""Errors as clients see them: problem+json (RFC 9457) for programs, a page for people."""

from http import HTTPStatus
from typing import Any

PROBLEM_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is answered with an error.

    Args:
        status: Of HTTP.
        detail: What was found, what was expected, what to do.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def title_of(status: int) -> str:
    """Return the short name of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def make_problem(status: int, detail: str) -> dict[str, Any]:
    """Return the JSON object of an error."""
    return {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail}
