"""Everything as tables: submissions that are filled in, and exports."""

from collections.abc import Iterator
from itertools import islice

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Finding
from ecg_edge.rendering import csv_table, jsonl
from ecg_edge.submission import fill_in, parse_sample
from ecg_edge.web import record_table
from ecg_edge.web.access import CSRF_HEADER
from ecg_edge.web.api import problems
from ecg_edge.web.database import Database
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.services import services_of
from ecg_edge.web.uploading import read_checked_form

_CSV = "text/csv; charset=utf-8"
_JSON_LINES = "application/x-ndjson"
_LINES = 200
_TEXT = {"schema": {"type": "string"}}

router = APIRouter(prefix="/v1")


@router.post(
    "/submission",
    response_class=Response,
    responses={200: {"content": {"text/csv": _TEXT}}, **problems(400, 408, 413, 415, 422, 503)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": _TEXT,
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
async def fill_submission(request: Request) -> Response:
    """Fill in a sample submission: the same rows in the same order, with the answers of the records of these names."""
    services = services_of(request)
    async with services.budget.reserve(request, services.settings.max_upload):
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            form = await read_checked_form(request)
            if len(form.files) != 1:
                raise ProblemError(422, f"expected one file, found {len(form.files)}")
            ((name, content),) = form.files
        else:
            services.access.check_form(request, request.headers.get(CSRF_HEADER))
            name, content = "the table", await request.body()
        filled, n_rows, n_filled = await run_sync(_fill, services.database, name, content, limiter=services.intake)
    headers = {
        "Content-Disposition": 'attachment; filename="submission.csv"',
        "X-Rows": str(n_rows),
        "X-Rows-Filled": str(n_filled),
    }
    return Response(filled, media_type=_CSV, headers=headers)


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": _TEXT}}, **problems()})
def export_csv(request: Request) -> Response:
    """Return all findings as a table, newest first."""
    services = services_of(request)
    lines = csv_table(_list_findings(services.database), services.detector.localization.spec.labels)
    headers = {"Content-Disposition": 'attachment; filename="findings.csv"'}
    return StreamingResponse(_join_some(lines), media_type=_CSV, headers=headers)


@router.get("/export.jsonl", response_class=Response, responses={200: {"content": {_JSON_LINES: _TEXT}}, **problems()})
def export_json_lines(request: Request) -> Response:
    """Return all findings as JSON, one a line, newest first."""
    lines = jsonl(_list_findings(services_of(request).database))
    headers = {"Content-Disposition": 'attachment; filename="findings.jsonl"'}
    return StreamingResponse(_join_some(lines), media_type=_JSON_LINES, headers=headers)


def _join_some(lines: Iterator[str]) -> Iterator[str]:
    """Yield many lines as one piece: each piece costs a change of threads."""
    while piece := "".join(islice(lines, _LINES)):
        yield piece


def _list_findings(database: Database) -> Iterator[Finding]:
    return (Finding.from_dict(answered.finding) for answered in record_table.list_findings(database))


def _fill(database: Database, name: str, content: bytes) -> tuple[str, int, int]:
    """Return the table, the number of its rows, and how many of them are filled in."""
    try:
        sample = parse_sample(content, name)
    except UnreadableError as error:
        raise ProblemError(422, str(error)) from error
    wanted = {row[0] for row in sample[1:]}
    left_out: list[str] = []
    findings = list(_list_once(database, wanted))
    filled = list(fill_in(findings, sample, left_out.append))
    names = {finding.record for finding in findings if finding.probability is not None}
    n_filled = sum(row[0] in names for row in sample[1:]) - len(left_out)
    return "".join(filled), len(sample) - 1, n_filled


def _list_once(database: Database, wanted: set[str]) -> Iterator[Finding]:
    """Yield the findings of some names; of equal recordings, which were uploaded twice, only the newest."""
    seen = set()
    for answered in record_table.list_findings(database):
        same = (answered.name, answered.digest)
        if answered.name in wanted and same not in seen:
            seen.add(same)
            yield Finding.from_dict(answered.finding)
