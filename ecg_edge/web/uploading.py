"""Uploads over HTTP: from the body of a request to records that are committed."""

import json
from functools import partial
from typing import Any

import numpy as np
from anyio.to_thread import run_sync
from pydantic import ValidationError
from starlette.requests import Request

from ecg_edge.errors import EcgEdgeError
from ecg_edge.readers import Declared
from ecg_edge.recording import Recording
from ecg_edge.web import record_table, schemas
from ecg_edge.web.access import CSRF_HEADER
from ecg_edge.web.bodies import Form, read_form
from ecg_edge.web.intake import Upload, take_in, take_in_recording
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.services import Services, services_of
from ecg_edge.web.wording import word

FORM_FIELD = "token_of_form"
_DECLARED = {
    "sampling_rate": {"type": "string", "description": "Hz, of files that do not state it."},
    "units": {"type": "string", "description": "mV, uV, nV or V, of files that do not state them."},
    "leads": {"type": "string", "description": "Channel names in file order, with commas between them."},
    "gain": {"type": "string", "description": "Converter steps per millivolt, of files that are not calibrated."},
}
_FORM_CONTENT = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["files"],
            "properties": {
                "files": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}},
                **_DECLARED,
            },
        }
    }
}
_FILE_CONTENT = {
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["file"],
            "properties": {"file": {"type": "string", "format": "binary"}, **_DECLARED},
        }
    }
}
FORM: dict[str, Any] = {"requestBody": {"required": True, "content": _FORM_CONTENT}}
FORM_OR_ARRAY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": schemas.Signal.model_json_schema()}, **_FILE_CONTENT},
    }
}


async def take_in_form(request: Request) -> Upload:
    """Take in the files of a form.

    Raises:
        ProblemError: The form cannot be read, or has no file.
    """
    services = services_of(request)
    most = services.settings.max_upload
    async with services.budget.reserve(request, most):
        form = await read_checked_form(request)
        if not form.files:
            raise ProblemError(422, "the form has no file; expected a field 'files' for each")
        declared = _declare(form)
        work = partial(take_in, services.database, services.settings, form.files, declared)
        taken = await run_sync(work, limiter=services.intake)
    services.supervisor.wake()
    return taken


async def take_in_one(request: Request) -> str:
    """Take in a file or an array with one recording, and return the id of its record.

    Raises:
        ProblemError: It is not one recording.
    """
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        return await _take_in_array(request)
    taken = await take_in_form(request)
    if len(taken.records) == 1:
        return taken.records[0]
    reasons = "; ".join(f"{line['name']}: {line['reason']}" for line in taken.files if line["status"] == "refused")
    if taken.records:
        database = services_of(request).database
        for record_id in taken.records:
            await run_sync(record_table.delete, database, record_id)
        raise ProblemError(422, f"found {len(taken.records)} recordings, expected one; send several to /v1/uploads")
    raise ProblemError(422, reasons or "the file holds no recording")


async def read_checked_form(request: Request) -> Form:
    """Return a form that a browser of this server, or a program, sent.

    Raises:
        ProblemError: The form cannot be read, or another site led the browser here.
    """
    services = services_of(request)
    form = await read_form(request, services.settings.max_upload)
    given = request.headers.get(CSRF_HEADER) or form.fields.get(FORM_FIELD)
    services.access.check_form(request, given)
    return form


async def _take_in_array(request: Request) -> str:
    services = services_of(request)
    services.access.check_form(request, request.headers.get(CSRF_HEADER))
    async with services.budget.reserve(request, services.settings.max_upload):
        body = await request.body()
        record_id: str = await run_sync(partial(_store_array, services, body), limiter=services.intake)
    services.supervisor.wake()
    return record_id


def _store_array(services: Services, body: bytes) -> str:
    try:
        given = schemas.Signal.model_validate(_parse(body))
        # None becomes a missing sample.
        signal = np.array(given.signal, np.float64)
        recording = Recording(signal, given.sampling_rate, tuple(given.leads), given.units, name=given.name)
        return take_in_recording(services.database, services.settings, recording)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ProblemError(422, f"{place}: {first['msg']}" if place else str(first["msg"])) from error
    except (EcgEdgeError, ValueError, OverflowError) as error:
        raise ProblemError(422, word(error)) from error


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, f"the body is not JSON: {error}") from error


def _declare(form: Form) -> Declared:
    """Return what the fields of a form state about its files."""
    fields = {name: text.strip() for name, text in form.fields.items() if name in _DECLARED and text.strip()}
    try:
        return Declared(
            _to_number(fields, "sampling_rate"),
            fields.get("units"),
            tuple(fields["leads"].split(",")) if "leads" in fields else None,
            _to_number(fields, "gain"),
        )
    except EcgEdgeError as error:
        raise ProblemError(422, word(error)) from error


def _to_number(fields: dict[str, str], name: str) -> float | None:
    if name not in fields:
        return None
    try:
        return float(fields[name])
    except ValueError as error:
        raise ProblemError(422, f"{name} is {fields[name][:40]!r}, expected a number") from error
