"""Samples of a record as JSON, for calipers and zoom."""

import json

import numpy as np

from ecg_edge.errors import EcgEdgeError
from ecg_edge.recording import LEADS
from ecg_edge.recording.empty_leads import derive_empty_leads
from ecg_edge.web import signals
from ecg_edge.web.database import Database
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.record_table import Record

LONGEST_S = 60
_MOST_SAMPLES = 60_000
_DECIMALS = 4
"""Of millivolts: a tenth of a microvolt."""


def read_samples(database: Database, record: Record, start_s: float, end_s: float) -> bytes:
    """Return the samples of all leads from a start to an end as a JSON object.

    Raises:
        ProblemError: The record was deleted, or the stretch is empty, too long or beyond its end.
    """
    found = signals.load(database, record.number, record.name, record.source)
    if found is None:
        raise ProblemError(404, "there is no such record")
    recording, _ = derive_empty_leads(found)
    rate = recording.sampling_rate
    start, stop = round(start_s * rate), min(round(end_s * rate), recording.samples)
    if start >= stop:
        raise ProblemError(422, f"the stretch is empty; the record lasts {recording.duration_s:g} s")
    longest_s = min(LONGEST_S, _MOST_SAMPLES / rate)
    if stop - start > longest_s * rate:
        raise ProblemError(422, f"the stretch is longer than {longest_s:g} s")
    try:
        millivolts = recording.stretch(start, stop)
    except EcgEdgeError as error:
        raise ProblemError(404, str(error)) from error
    rounded = np.round(millivolts.astype(np.float64), _DECIMALS)
    values: list[list[float | None]] = rounded.tolist()
    for row, known in zip(values, np.isfinite(rounded), strict=True):
        for missing in np.flatnonzero(~known).tolist():
            row[missing] = None
    leads = dict(zip(LEADS, values, strict=True))
    return json.dumps({"sampling_rate": rate, "start": start / rate, "leads": leads}, separators=(",", ":")).encode()
