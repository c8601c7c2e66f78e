"""The application: routes, guard and errors put together."""

import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecg_edge._version import __version__
from ecg_edge.errors import EcgEdgeError
from ecg_edge.web import api, live, pages, tables
from ecg_edge.web.access import Access
from ecg_edge.web.bodies import Budget
from ecg_edge.web.database import Database, read_setting
from ecg_edge.web.guard import Guard
from ecg_edge.web.metrics import CONTENT_TYPE, Metrics
from ecg_edge.web.pictures import Pictures
from ecg_edge.web.problems import PROBLEM_TYPE, ProblemError, make_problem
from ecg_edge.web.record_table import count
from ecg_edge.web.services import Services, services_of
from ecg_edge.web.settings import Settings
from ecg_edge.web.supervisor import Supervisor
from ecg_edge.web.wording import word
from ecg_edge.web.worker import load_detector

_STATIC = Path(__file__).parent / "static"
_INTAKES = 2
_DRAWINGS = 2
_LIVE_THREADS = 2


def make_services(settings: Settings) -> Services:
    """Open the database and load the models.

    Raises:
        EcgEdgeError: The database cannot be opened, or the models cannot be used.
    """
    database = Database(settings.data)
    detector = load_detector(settings)
    spec = detector.infarction.spec
    return Services(
        settings,
        database,
        detector,
        Supervisor(settings, database),
        Pictures(database, spec.window / spec.sampling_rate),
        Access(settings.token, read_setting(database, "secret", secrets.token_hex(32))),
        Metrics(),
        Budget(2 * settings.max_upload),
        CapacityLimiter(_INTAKES),
        CapacityLimiter(_DRAWINGS),
        CapacityLimiter(_LIVE_THREADS),
    )


def make_app(services: Services) -> ASGIApp:
    """Return the application; its worker runs while the application does."""

    @asynccontextmanager
    async def run_worker(_: FastAPI) -> AsyncIterator[None]:
        services.supervisor.start()
        yield
        services.supervisor.stop()
        services.database.close()

    app = FastAPI(
        title="ecg_edge",
        version=__version__,
        description="Finds the pattern of a myocardial infarction in 12-lead ECGs. For review by a clinician.",
        openapi_url="/v1/openapi.json",
        # The pages that show the description load their scripts from the network.
        docs_url=None,
        redoc_url=None,
        lifespan=run_worker,
        redirect_slashes=False,
    )
    app.state.services = services
    pages.prepare()
    for router in (api.router, tables.router, live.router, pages.router):
        app.include_router(router)
    app.add_route("/metrics", _show_metrics, include_in_schema=False)
    app.mount("/static", _Static(directory=_STATIC))
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(EcgEdgeError, _on_package_error)
    app.add_exception_handler(sqlite3.OperationalError, _on_database_fault)
    app.add_exception_handler(Exception, _on_fault)
    return _Counter(Guard(app, services.settings, services.access, _Refuser(app)), services.metrics)


class _Static(StaticFiles):
    """Files that a browser keeps, and asks for again only if they have changed."""

    def file_response(self, *arguments: Any, **choices: Any) -> Response:  # noqa: ANN401 - those of the base
        response = super().file_response(*arguments, **choices)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _Refuser:
    """Answers requests that the guard refuses."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send, problem: ProblemError) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:120]})
            return
        # The routes, which would set it, do not see this request.
        scope["app"] = self._app
        await _answer(HTTPConnection(scope), problem)(scope, receive, send)


class _Counter:
    """Counts the answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.count_request(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, counting)


def _show_metrics(request: Request) -> Response:
    services = services_of(request)
    text = services.metrics.render(count(services.database), services.supervisor.restarts)
    return Response(text, media_type=CONTENT_TYPE)


def _answer(request: HTTPConnection, problem: ProblemError) -> Response:
    # A refused host must not get a page: its cookies would be those of another site.
    if pages.wants_page(request) and problem.status != 421:
        return pages.render_problem(request, problem)
    content = make_problem(problem.status, problem.detail)
    return JSONResponse(content, problem.status, problem.headers, media_type=PROBLEM_TYPE)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - the handler of this class alone
    return _answer(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    detail = "there is no such page" if error.status_code == 404 else str(error.detail)
    return _answer(request, ProblemError(error.status_code, detail, dict(error.headers or {})))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    return _answer(request, ProblemError(422, f"{place}: {first['msg']}"))


async def _on_package_error(request: Request, error: Exception) -> Response:
    return _answer(request, ProblemError(422, word(error)))


async def _on_database_fault(request: Request, error: Exception) -> Response:
    detail = f"the database cannot be used ({error}); what was accepted before is kept, try again later"
    return _answer(request, ProblemError(503, detail, {"Retry-After": "60"}))


async def _on_fault(request: Request, _: Exception) -> Response:
    return _answer(request, ProblemError(500, "the server has a fault; its log says more"))
