"""Records as JSON and as what the pages show."""

from dataclasses import asdict
from typing import Any

from ecg_edge.findings import Finding, Note
from ecg_edge.web.record_table import Record
from ecg_edge.web.wording import word_notes
from ecg_edge.wording import word_verdict

MOST_WINDOWS = 1000


def to_json(record: Record) -> dict[str, Any]:
    """Return the object of a record in the list."""
    return {
        "id": record.id,
        "name": record.name,
        "status": record.status,
        "reason": record.reason,
        "finding": record.finding,
        "probability": record.probability,
        "threshold": record.threshold,
        "sites": [asdict(site) for site in record.sites],
        "warnings": record.warnings,
        "received": record.received,
        "url": f"/records/{record.id}",
        "trace_url": f"/v1/records/{record.id}/trace.svg",
    }


def to_page(record: Record, answer: dict[str, Any] | None, window_s: float) -> dict[str, Any]:
    """Return all that the page of a record shows.

    Args:
        record: From the list.
        answer: The JSON object of its finding; None while it is pending.
        window_s: Length of the windows of the first model in seconds.
    """
    base = f"/v1/records/{record.id}"
    shown = to_json(record) | {
        "finding_json": answer,
        "statement": None,
        "windows": [],
        "n_windows": 0,
        "thresholds": {},
        "quality": [],
        "provenance": {},
        "duration_s": None,
        "sampling_rate": None,
        "svg_url": f"{base}/ecg.svg",
        "samples_url": f"{base}/samples",
        "json_url": base,
        "html_url": f"{base}/report.html",
    }
    if answer is None:
        return shown
    finding = word_notes(Finding.from_dict(answer))
    timeline = finding.timeline
    pairs = [] if timeline is None else list(zip(timeline.start_s, timeline.probability, strict=True))
    return shown | {
        "statement": word_verdict(finding),
        "sites": [
            {
                "name": site.site,
                "probability": site.probability,
                "threshold": site.threshold,
                "found": site.site in finding.found_sites,
            }
            for site in finding.sites
        ],
        "windows": [
            {"start_s": start, "end_s": start + window_s, "probability": probability}
            for start, probability in pairs[:MOST_WINDOWS]
        ],
        "n_windows": len(pairs),
        "thresholds": {"infarction": finding.threshold} | {site.site: site.threshold for site in finding.sites},
        "quality": [_describe("reason", note) for note in finding.reasons]
        + [_describe("warning", note) for note in finding.warnings],
        "provenance": asdict(finding.provenance),
        "duration_s": finding.duration_s,
        "sampling_rate": finding.sampling_rate,
    }


def _describe(kind: str, note: Note) -> dict[str, Any]:
    return {
        "kind": kind,
        "code": note.code,
        "message": note.message,
        "leads": [note.lead] if note.lead else [],
        "site": note.site,
        "start_s": note.start_s,
        "end_s": note.stop_s,
    }
