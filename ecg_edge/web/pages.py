"""The pages for people."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from ecg_edge._version import __version__
from ecg_edge.web import intake, record_table, uploading
from ecg_edge.web.api import delete, require_record
from ecg_edge.web.languages import COOKIE, LANGUAGES, choose_language, load_texts, translator
from ecg_edge.web.problems import ProblemError, title_of
from ecg_edge.web.record_json import to_json, to_page
from ecg_edge.web.record_table import OUTCOMES, SORTS
from ecg_edge.web.services import Services, services_of
from ecg_edge.web.wording import Kind, name_fields
from ecg_edge.wording import printable, show_probability

PER_PAGE = 50
_LONGEST_QUERY = 255
_YEAR_S = 365 * 86400
_LARGEST_PAGE = 10**9

router = APIRouter(include_in_schema=False)
_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters |= {"show_probability": show_probability, "printable": printable}
_LABELS = {"sampling_rate": "upload.rate", "units": "upload.units", "leads": "upload.leads", "gain": "upload.gain"}
"""Of the fields of the form."""


@router.get("/")
def show_list(request: Request) -> Response:
    """List the records."""
    services, query = services_of(request), _read_query(request)
    page = _read_page(request)
    found = record_table.list_records(services.database, query, page, PER_PAGE)
    upload_id = request.query_params.get("upload")
    context = {
        "records": [to_json(record) for record in found.records],
        "page": page,
        "pages": max(1, -(-found.total // PER_PAGE)),
        "per_page": PER_PAGE,
        "total": found.total,
        "query": query,
        "sites": services.detector.localization.spec.labels,
        "counts": record_table.count(services.database),
        "upload": intake.describe(services.database, upload_id) if upload_id else None,
        "codes": record_table.read_reason_codes(services.database, found.records),
    }
    return render(request, "list.html", context)


@router.get("/records/{record_id}")
def show_record(request: Request, record_id: str) -> Response:
    """Show a record."""
    services = services_of(request)
    record = require_record(services, record_id)
    answer = record_table.read_finding(services.database, record.number)
    spec = services.detector.infarction.spec
    shown = to_page(record, answer, spec.window / spec.sampling_rate)
    return render(request, "record.html", {"record": shown})


@router.post("/records/{record_id}/delete")
async def delete_record(request: Request, record_id: str) -> Response:
    """Delete a record, and go back to the list."""
    await _check_small_form(request)
    await run_sync(delete, services_of(request), record_id)
    return RedirectResponse("/", 303)


@router.post("/upload")
async def upload(request: Request) -> Response:
    """Take in recordings from a form, without a script."""
    taken = await uploading.take_in_form(request)
    return RedirectResponse(f"/?upload={taken.id}", 303)


@router.get("/submission")
def show_submission(request: Request) -> Response:
    """Show where submissions are filled in and everything is exported."""
    counts = record_table.count(services_of(request).database)
    return render(request, "submission.html", {"n_records": counts["done"]})


@router.post("/language")
async def choose(request: Request) -> Response:
    """Remember the language that the reader chose, and go back."""
    fields = await _check_small_form(request)
    response = RedirectResponse(_find_way_back(request), 303)
    if fields.get("language") in LANGUAGES:
        response.set_cookie(COOKIE, fields["language"], max_age=_YEAR_S, httponly=True, samesite="strict")
    return response


@router.get("/login")
def show_login(request: Request) -> Response:
    """Ask for the token."""
    return render(request, "login.html", {"error": None})


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Open a session for who knows the token."""
    access = services_of(request).access
    fields = await _check_small_form(request)
    try:
        is_known = access.is_token(request, fields.get("token", "").strip())
    except ProblemError as problem:
        response = render(request, "login.html", {"error": "login.too_often"}, problem.status)
        response.headers.update(problem.headers)
        return response
    if not is_known:
        return render(request, "login.html", {"error": "login.error"}, 403)
    response = RedirectResponse("/", 303)
    access.open_session(response, secure=is_encrypted(request))
    return response


def _name_fields(message: str, t: Callable[..., str]) -> str:
    """Return a message that calls the fields of the form as the page labels them."""
    return name_fields(message, _quote_labels(t))


def _quote_labels(t: Callable[..., str]) -> dict[str, str]:
    return {field: t("quoted", text=t(key)) for field, key in _LABELS.items()}


def _word_kinds(t: Callable[..., str]) -> dict[str, str]:
    """Return the kinds of refusals in the reader's language; none in English, which the reasons are in."""
    keys = {kind: f"refused.{kind}" for kind in get_args(Kind)}
    return {kind: t(key) for kind, key in keys.items() if t(key) != key}


_environment.filters |= {"name_fields": _name_fields, "labels": _quote_labels, "kinds": _word_kinds}


def render(request: HTTPConnection, template: str, context: dict[str, Any], status: int = 200) -> Response:
    """Return a page in the reader's language."""
    access = services_of(request).access
    language = choose_language(request.cookies.get(COOKIE), request.headers.get("accept-language"))
    browser = access.browser_of(request)
    everywhere = {
        "t": translator(language),
        "language": language,
        "csrf_token": access.form_token(browser),
        "version": __version__,
        "path": request.url.path,
        "needs_token": access.needs_token,
        "trouble": services_of(request).supervisor.trouble,
    }
    response = HTMLResponse(_environment.get_template(template).render(everywhere | context), status)
    access.remember_browser(response, browser, secure=is_encrypted(request))
    return response


def prepare() -> None:
    """Compile all templates and read all texts, so that the first page is as fast as the others."""
    for name in _environment.list_templates():
        _environment.get_template(name)
    for language in LANGUAGES:
        load_texts(language)


def render_problem(request: HTTPConnection, problem: ProblemError) -> Response:
    """Return the page of an error; that of the token if the token is missing."""
    if problem.status == 401:
        return RedirectResponse("/login", 303)
    context = {"status": problem.status, "title": title_of(problem.status), "detail": problem.detail}
    response = render(request, "error.html", context, problem.status)
    response.headers.update(problem.headers)
    return response


def wants_page(request: HTTPConnection) -> bool:
    """Return whether people read the answer."""
    return "text/html" in request.headers.get("accept", "")


def is_encrypted(request: HTTPConnection) -> bool:
    """Return whether the browser reaches the server over TLS."""
    return request.url.scheme in ("https", "wss")


async def _check_small_form(request: Request) -> dict[str, str]:
    """Return the fields of a form without files, which a page of this server sent."""
    services: Services = services_of(request)
    async with request.form(max_files=0, max_fields=20) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    services.access.check_form(request, fields.get(uploading.FORM_FIELD, ""))
    return fields


def _read_query(request: Request) -> record_table.Query:
    """Return what a reader looks for; what a page does not offer counts as not asked."""
    asked = request.query_params
    finding, sort = asked.get("finding", ""), asked.get("sort", "")
    return record_table.Query(
        asked.get("q", "").strip()[:_LONGEST_QUERY],
        finding if finding in OUTCOMES else "",
        asked.get("site", "")[:_LONGEST_QUERY],
        sort if sort in SORTS else SORTS[0],
    )


def _read_page(request: Request) -> int:
    page = request.query_params.get("page", "1")
    return min(max(1, int(page)), _LARGEST_PAGE) if page.isascii() and page.isdecimal() and len(page) < 12 else 1


def _find_way_back(request: Request) -> str:
    """Return the path of the page that a form was on; never another site."""
    found = urlsplit(request.headers.get("referer", ""))
    if found.netloc != request.headers.get("host") or not found.path.startswith("/") or found.path.startswith("//"):
        return "/"
    return found.path + (f"?{found.query}" if found.query else "")
