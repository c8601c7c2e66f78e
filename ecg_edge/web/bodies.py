"""Bodies of requests, in memory: never more of them at once than a budget, never on disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ecg_edge.web.memory import return_free_memory
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.settings import MIB

MOST_FILES = 1000
_MOST_FIELDS = 20
_WAIT_S = 60.0
_LARGE = MIB
"""Bytes of a body after which free memory goes back to the system."""
_REST_S = 1.0
"""How long after the last body."""


@dataclass(slots=True)
class Form:
    """What a form has sent."""

    files: list[tuple[str, bytes]] = field(default_factory=list)
    """Name and content of each file, in order."""
    fields: dict[str, str] = field(default_factory=dict)


class Budget:
    """Bounds the bytes of all bodies that are in memory at once.

    Args:
        most: Bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._changed = asyncio.Condition()
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def reserve(self, request: Request, most: int) -> AsyncIterator[None]:
        """Wait until there is room for the body of a request.

        Args:
            request: Its header states the size; without it the body may have the most.
            most: Bytes that the body may have.

        Raises:
            ProblemError: There is no room within a minute.
        """
        size = min(int(request.headers.get("content-length", most)), self._most)
        try:
            async with asyncio.timeout(_WAIT_S), self._changed:
                await self._changed.wait_for(lambda: self._left >= size)
                self._left -= size
        except TimeoutError as error:
            raise ProblemError(503, "too many uploads at once; try again later", {"Retry-After": "30"}) from error
        try:
            yield
        finally:
            async with self._changed:
                self._left += size
                self._changed.notify_all()
            if size >= _LARGE:
                # Not now: the request still holds its body.
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_later(_REST_S, self._tidy_up)

    def _tidy_up(self) -> None:
        if self._left == self._most:
            asyncio.get_running_loop().run_in_executor(None, return_free_memory)


async def read_form(request: Request, most: int) -> Form:
    """Return the files and fields of a form (multipart/form-data).

    Args:
        request: Its body is bounded already.
        most: Bytes that the body may have.

    Raises:
        ProblemError: The body is not such a form, or has too many parts.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ProblemError(415, "expected a form with files (multipart/form-data)")
    parser = _InMemoryParser(
        request.headers, request.stream(), max_files=MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=2**16
    )
    parser.spool_max_size = most + 1
    try:
        parsed = await parser.parse()
    except (MultiPartException, MultipartParseError, KeyError, UnicodeDecodeError, LookupError) as error:
        raise ProblemError(400, f"the form cannot be read: {getattr(error, 'message', error)}") from error
    form = Form()
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            form.files.append((value.filename or name, await value.read()))
            await value.close()
        else:
            form.fields[name] = value
    return form


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, whose files stay in memory: they would go to a temporary file from 1 MiB on."""
