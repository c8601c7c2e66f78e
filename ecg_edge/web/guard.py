"""What every request must pass before a route sees it: host, origin, token, size; and the headers of every answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from socket import gethostname
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecg_edge.web.access import Access
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.settings import LOOPBACK_NAMES, Settings, is_loopback

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; sandbox"
"""Of a picture or a downloaded page that is opened by itself."""
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_OPEN_PATHS = ("/login", "/language", "/v1/health")
"""Need no token. Neither do the files under `/static/`."""
_SLOWEST_S = 30.0
"""Longest wait for the next piece of a body, and for all of it if it is short."""
_SLOWEST_RATE = 4096
"""Bytes a second of a longer body: who sends one byte at a time must not keep others from the memory of bodies."""
_LINGER_S = 2.0

Refuse = Callable[[Scope, Receive, Send, ProblemError], Awaitable[None]]


class Limits(NamedTuple):
    """Bytes of a body."""

    upload: int
    text: int = 16 * 2**20
    """Of JSON and tables, which take ten times as much when they are parsed."""
    other: int = 2**20

    def of(self, path: str, headers: Headers) -> int:
        """Return the most bytes that a path takes."""
        if path not in ("/upload", "/v1/uploads", "/v1/records", "/v1/submission"):
            return self.other
        is_form = headers.get("content-type", "").lower().startswith("multipart/")
        return self.upload if is_form and path != "/v1/submission" else min(self.upload, self.text)


class Guard:
    """Middleware that refuses what must not reach the routes.

    Args:
        app: The routes.
        settings: Say under which names the server is reached.
        access: Checks tokens.
        refuse: Answers with a problem, or with a page for people.
    """

    def __init__(self, app: ASGIApp, settings: Settings, access: Access, refuse: Refuse) -> None:
        self._app, self._access, self._refuse = app, access, refuse
        self._limits = Limits(settings.max_upload)
        self._only_loopback = settings.is_loopback
        names = {*LOOPBACK_NAMES, *settings.names}
        if not self._only_loopback:
            names |= {gethostname(), settings.host}
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._limits.of(scope["path"], Headers(scope=scope)))
        answer = _Answer(send)
        try:
            self._check(HTTPConnection(scope))
            if scope["type"] == "http":
                body.check_length(Headers(scope=scope))
                await self._app(scope, body.receive, answer.send)
            else:
                await self._app(scope, receive, send)
        except ProblemError as problem:
            if answer.started:
                raise
            await self._refuse(scope, receive, answer.send, problem)

    def _check(self, request: HTTPConnection) -> None:
        self._check_host(request.headers.get("host", ""))
        if request.scope["type"] == "websocket" or request.scope["method"] not in SAFE_METHODS:
            _check_origin(request.headers)
        path = request.scope["path"]
        if not (path in _OPEN_PATHS or path.startswith("/static/") or self._access.is_granted(request)):
            raise ProblemError(
                401,
                "this server needs its token: as the header 'Authorization: Bearer TOKEN', or on the page /login",
                {"WWW-Authenticate": "Bearer"},
            )

    def _check_host(self, host: str) -> None:
        """Refuse names that this server does not have: a foreign name may be made to lead here (DNS rebinding)."""
        name = _name_of(host)
        if name in self._names or is_loopback(name):
            return
        if not self._only_loopback and _is_address(name):
            return
        raise ProblemError(421, f"this server is not {name or 'without a name'}; allow a name with --name")


class _Body:
    """Counts the bytes of a body while they come."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._found = receive, most, 0
        self._left_s = _SLOWEST_S

    def check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal() and len(length) < 16) or int(length) > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        if self._found < 0:
            return await self._receive()
        started = time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), min(self._left_s, _SLOWEST_S))
        except TimeoutError as error:
            raise ProblemError(408, "the body of the request came too slowly", {"Connection": "close"}) from error
        if message["type"] == "http.request":
            found = len(message.get("body", b""))
            # Only the time that the server waited counts, not the time in which it was busy with something else.
            self._left_s += found / _SLOWEST_RATE - (time.monotonic() - started)
            self._found += found
            if self._found > self._most:
                raise self._too_large()
            if not message.get("more_body", False):
                self._found = -1  # what comes now is the end of the connection, which may take long
        return message

    def _too_large(self) -> ProblemError:
        detail = f"the body has more than {self._most} bytes; send less at a time"
        return ProblemError(413, detail, {"Connection": "close"})


class _Answer:
    """Adds the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send, self.started = send, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _check_origin(headers: Headers) -> None:
    """Refuse what a page of another site sends; programs state neither header."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise ProblemError(403, "the request comes from a page of another site")
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise ProblemError(403, "the request comes from a page of another site")


def _name_of(host: str) -> str:
    """Return the name or the address of a header `Host`, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
