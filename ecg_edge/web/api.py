"""The HTTP interface under `/v1`, for device software."""

import asyncio
import time
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from ecg_edge.report import Choices
from ecg_edge.web import intake, record_table, schemas, uploading
from ecg_edge.web.access import CSRF_HEADER
from ecg_edge.web.guard import PICTURE_POLICY
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.record_json import to_json
from ecg_edge.web.record_table import MOST_PER_PAGE, Record
from ecg_edge.web.samples import read_samples
from ecg_edge.web.services import Services, services_of

_SVG = "image/svg+xml"
_POLL_S = 0.05
_LONGEST_WAIT_S = 30
_LARGEST_PAGE = 10**9
_LONGEST_RECORD_S = 31 * 86400
_NO_RECORD = "there is no such record"
_NO_ANALYSIS = "the analysis cannot run; records are accepted, and wait"

Outcome = Literal["", "infarction", "none", "cannot_analyse", "failed", "pending"]
Sort = Literal["newest", "probability"]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of the errors of a route."""
    described = {"application/problem+json": {"schema": schemas.Problem.model_json_schema()}}
    every = sorted({*statuses, 401, 403, 421, 429})
    return {status: {"description": "A problem", "content": described} for status in every}


router = APIRouter(prefix="/v1")


@router.post(
    "/uploads",
    status_code=202,
    response_model=schemas.UploadAccepted,
    responses=problems(400, 408, 413, 415, 422, 503),
    openapi_extra=uploading.FORM,
)
async def upload(request: Request) -> Response:
    """Take in recordings: files of any format, or .zip archives of them. The accepted ones are stored."""
    taken = await uploading.take_in_form(request)
    return JSONResponse({"upload": taken.id, "files": taken.files}, 202)


@router.get("/uploads/{upload_id}", response_model=schemas.UploadProgress, responses=problems(404, 422))
def read_upload(request: Request, upload_id: str) -> Response:
    """Return how far the records of an upload are."""
    found = intake.describe(services_of(request).database, upload_id)
    if found is None:
        raise ProblemError(404, "there is no such upload")
    return JSONResponse(found)


@router.post(
    "/records",
    status_code=202,
    response_model=schemas.RecordWithAnswer,
    responses={
        200: {"model": schemas.RecordWithAnswer, "description": "The record, analysed"},
        **problems(400, 408, 413, 415, 422, 503),
    },
    openapi_extra=uploading.FORM_OR_ARRAY,
)
async def add_record(
    request: Request,
    wait: Annotated[
        float, Query(ge=0, le=_LONGEST_WAIT_S, allow_inf_nan=False, description="Seconds to wait for the answer.")
    ] = 0,
) -> Response:
    """Take in one recording: a file, or an array with leads, rate and units."""
    services = services_of(request)
    record_id = await uploading.take_in_one(request)
    end = time.monotonic() + wait
    while True:
        record = await run_sync(record_table.find, services.database, record_id)
        if record is None:
            raise ProblemError(404, _NO_RECORD)
        if record.status != "pending" or time.monotonic() >= end:
            break
        await asyncio.sleep(_POLL_S)
    answer = await run_sync(record_table.read_finding, services.database, record.number)
    return JSONResponse(to_json(record) | {"answer": answer}, 202 if record.status == "pending" else 200)


@router.get("/records", response_model=schemas.RecordPage, responses=problems(422))
def list_records(  # noqa: PLR0913, PLR0917 - one parameter of the query each
    request: Request,
    q: Annotated[str, Query(max_length=255, description="Name, or its beginning.")] = "",
    finding: Outcome = "",
    site: Annotated[str, Query(max_length=100, description="A site that was found.")] = "",
    sort: Sort = "newest",
    page: Annotated[int, Query(ge=1, le=_LARGEST_PAGE)] = 1,
    per_page: Annotated[int, Query(ge=1, le=MOST_PER_PAGE)] = 50,
) -> Response:
    """List records, the newest or the most probable first; of those that are searched for, exact names first."""
    query = record_table.Query(q, finding, site, sort)
    found = record_table.list_records(services_of(request).database, query, page, per_page)
    return JSONResponse(
        {
            "records": [to_json(record) for record in found.records],
            "page": page,
            "pages": max(1, -(-found.total // per_page)),
            "per_page": per_page,
            "total": found.total,
        }
    )


@router.get("/records/{record_id}", response_model=schemas.RecordWithAnswer, responses=problems(404, 422))
def read_record(request: Request, record_id: str) -> Response:
    """Return a record with its answer."""
    services = services_of(request)
    record = require_record(services, record_id)
    return JSONResponse(to_json(record) | {"answer": record_table.read_finding(services.database, record.number)})


@router.delete("/records/{record_id}", status_code=204, responses=problems(404, 422), response_class=Response)
def delete_record(request: Request, record_id: str) -> Response:
    """Delete a record with everything that is stored of it."""
    services = services_of(request)
    services.access.check_form(request, request.headers.get(CSRF_HEADER))
    delete(services, record_id)
    return Response(status_code=204)


@router.get(
    "/records/{record_id}/ecg.svg",
    response_class=Response,
    responses={200: {"content": {_SVG: {"schema": {"type": "string"}}}}, **problems(404, 409, 422)},
)
async def draw_svg(  # noqa: PLR0913, PLR0917 - one choice each
    request: Request,
    record_id: str,
    layout: Literal["3x4", "6x2", "12x1"] = "3x4",
    speed: Annotated[Literal["25", "50"], Query(description="mm/s")] = "25",
    gain: Annotated[Literal["5", "10", "20"], Query(description="mm/mV")] = "10",
    start: Annotated[float, Query(ge=0, le=_LONGEST_RECORD_S, allow_inf_nan=False, description="Seconds.")] = 0,
) -> Response:
    """Draw a record on millimetre paper."""
    choices = Choices(layout, int(speed), int(gain), start)
    return await _draw(services_of(request), record_id, "svg", choices)


@router.get(
    "/records/{record_id}/report.html",
    response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **problems(404, 409, 422)},
)
async def draw_html(  # noqa: PLR0913, PLR0917 - one choice each
    request: Request,
    record_id: str,
    layout: Literal["3x4", "6x2", "12x1"] = "3x4",
    speed: Annotated[Literal["25", "50"], Query(description="mm/s")] = "25",
    gain: Annotated[Literal["5", "10", "20"], Query(description="mm/mV")] = "10",
    start: Annotated[float, Query(ge=0, le=_LONGEST_RECORD_S, allow_inf_nan=False, description="Seconds.")] = 0,
) -> Response:
    """Draw a record as one page of HTML that works offline and prints in true millimetres."""
    choices = Choices(layout, int(speed), int(gain), start)
    return await _draw(services_of(request), record_id, "html", choices)


@router.get(
    "/records/{record_id}/trace.svg",
    response_class=Response,
    responses={200: {"content": {_SVG: {"schema": {"type": "string"}}}}, **problems(404, 422)},
)
def draw_trace(request: Request, record_id: str) -> Response:
    """Return the small trace of lead II."""
    services = services_of(request)
    record = require_record(services, record_id)
    svg = record_table.read_trace(services.database, record.number)
    if svg is None:
        raise ProblemError(404, "the record is not analysed; its trace comes with its answer")
    headers = {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": "private, max-age=600"}
    return Response(svg, media_type=_SVG, headers=headers)


@router.get("/records/{record_id}/samples", response_model=schemas.Samples, responses=problems(404, 422))
def list_samples(
    request: Request,
    record_id: str,
    start: Annotated[float, Query(ge=0, le=_LONGEST_RECORD_S, allow_inf_nan=False, description="Seconds.")] = 0,
    end: Annotated[float, Query(gt=0, le=_LONGEST_RECORD_S, allow_inf_nan=False, description="Seconds.")] = 10,
) -> Response:
    """Return samples in millivolts, at most 60 s at up to 1000 Hz."""
    services = services_of(request)
    record = require_record(services, record_id)
    return Response(read_samples(services.database, record, start, end), media_type="application/json")


@router.get("/health", response_model=schemas.Health, responses=problems(503))
def check_health(request: Request) -> Response:
    """Return whether the server, its database and the analysis work."""
    services = services_of(request)
    record_table.count(services.database)
    trouble = services.supervisor.trouble
    if trouble is not None:
        # Everybody may ask for the health; only who may see records learns of the folders in a reason.
        why = f": {trouble}" if services.access.is_granted(request) else ""
        raise ProblemError(503, f"{_NO_ANALYSIS}{why}", {"Retry-After": "60"})
    return JSONResponse({"status": "ok"})


@router.get("/version", response_model=schemas.Version, responses=problems())
def read_version(request: Request) -> Response:
    """Return what answers: version of the package, models, provider, operating point."""
    from dataclasses import asdict

    return JSONResponse(asdict(services_of(request).detector.provenance))


def require_record(services: Services, record_id: str) -> Record:
    """Return a record.

    Raises:
        ProblemError: There is none with this id.
    """
    record = record_table.find(services.database, record_id)
    if record is None:
        raise ProblemError(404, _NO_RECORD)
    return record


def delete(services: Services, record_id: str) -> None:
    """Delete a record, from the memory too.

    Raises:
        ProblemError: There is none with this id.
    """
    deleted = record_table.delete(services.database, record_id)
    services.pictures.forget(record_id)
    if not deleted:
        raise ProblemError(404, _NO_RECORD)


async def _draw(services: Services, record_id: str, kind: Literal["svg", "html"], choices: Choices) -> Response:
    record = await run_sync(require_record, services, record_id)
    drawn = services.pictures.find(record, kind, choices)
    if drawn is None:
        # Of threads of their own: many drawings must not keep lists and records waiting.
        drawn = await run_sync(services.pictures.draw, record, kind, choices, limiter=services.drawing)
    headers = {"Content-Security-Policy": PICTURE_POLICY}
    if kind == "svg":
        return Response(drawn, media_type=_SVG, headers=headers)
    # A page is saved, not shown: it brings a style of its own.
    headers["Content-Disposition"] = f'attachment; filename="ecg-{record.id}.html"'
    return Response(drawn, media_type="text/html; charset=utf-8", headers=headers)
