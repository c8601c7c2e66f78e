"""Who may use the server: the token of programs, the session of browsers, and the mark that ties forms to a browser."""

import hashlib
import hmac
import secrets
import time

from starlette.requests import HTTPConnection
from starlette.responses import Response

from ecg_edge.web.guesses import Guesses
from ecg_edge.web.problems import ProblemError

SESSION_COOKIE = "ecg_edge_session"
BROWSER_COOKIE = "ecg_edge_browser"
CSRF_HEADER = "X-CSRF-Token"
_SESSION_S = 12 * 3600


class Access:
    """Checks tokens, sessions and forms.

    Args:
        token: What clients must know; None if everybody may use the server.
        secret: Known to the server alone; the same after a restart, so that open pages go on.
    """

    def __init__(self, token: str | None, secret: str) -> None:
        self._token, self._secret = token, secret.encode()
        self._guesses = Guesses()

    @property
    def needs_token(self) -> bool:
        """Whether clients must know a token."""
        return self._token is not None

    def is_token(self, request: HTTPConnection, given: str) -> bool:
        """Return whether a request has the token; the time that it takes tells nothing about the token.

        Raises:
            ProblemError: Too many wrong tokens came from its address.
        """
        if self._token is None:
            return True
        host = "" if request.client is None else request.client.host
        self._guesses.check(host)
        if hmac.compare_digest(_hash(given), _hash(self._token)):
            return True
        self._guesses.note(host, given)
        return False

    def is_granted(self, request: HTTPConnection) -> bool:
        """Return whether a request has the token or a session.

        Raises:
            ProblemError: It has a token, and too many wrong ones came from its address.
        """
        if self._token is None:
            return True
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.is_token(request, given.strip())
        return self._is_session(request.cookies.get(SESSION_COOKIE, ""))

    def open_session(self, response: Response, *, secure: bool) -> None:
        """Let a browser use the server for some hours."""
        end = str(int(time.time()) + _SESSION_S)
        _set_cookie(response, SESSION_COOKIE, f"{end}.{self._sign('session', end)}", secure=secure)

    def browser_of(self, request: HTTPConnection) -> str:
        """Return what tells a browser from others; a new one if it has none yet."""
        found = request.cookies.get(BROWSER_COOKIE, "")
        return found if len(found) == 32 and found.isalnum() else secrets.token_hex(16)

    def form_token(self, browser: str) -> str:
        """Return what forms and scripts of a browser must send with each change."""
        return self._sign("form", browser)

    def remember_browser(self, response: Response, browser: str, *, secure: bool) -> None:
        """Let a browser send what its form token belongs to."""
        _set_cookie(response, BROWSER_COOKIE, browser, secure=secure)

    def check_form(self, request: HTTPConnection, given: str | None) -> None:
        """Refuse a change that a browser was led to; programs have no cookies and need no form token.

        Raises:
            ProblemError: The form token is missing or wrong.
        """
        cookies = request.cookies
        if SESSION_COOKIE not in cookies and BROWSER_COOKIE not in cookies and given is None:
            return
        if not hmac.compare_digest(_hash(given or ""), _hash(self.form_token(cookies.get(BROWSER_COOKIE, "")))):
            raise ProblemError(403, f"the form token is missing or old; load the page again (header {CSRF_HEADER})")

    def _is_session(self, cookie: str) -> bool:
        end, _, signature = cookie.partition(".")
        if (
            not end.isascii()
            or not end.isdecimal()
            or not hmac.compare_digest(_hash(signature), _hash(self._sign("session", end)))
        ):
            return False
        return int(end) > time.time()

    def _sign(self, purpose: str, text: str) -> str:
        # A new token ends all sessions.
        key = self._secret + (self._token or "").encode()
        return hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _set_cookie(response: Response, name: str, value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=_SESSION_S, httponly=True, samesite="strict", secure=secure)
