"""Findings as text: for people and for programs."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence

from ecg_edge.explanation import HINT, Explanation, Occlusion, TimeCourse
from ecg_edge.findings import Finding, SiteFinding
from ecg_edge.wording import REVIEW, group_notes, printable, show_probability, word_found, word_verdict

# A spreadsheet would run a cell that starts like this as a formula; the last four are the full-width = + - @.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def text(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a paragraph for each finding: verdict first, then the numbers."""
    for finding in findings:
        yield "\n".join(_write_paragraph(finding)) + "\n\n"


def json_array(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one JSON array of all findings, piece by piece."""
    opening = "["
    for finding in findings:
        yield f"{opening}\n{json.dumps(finding.to_dict())}"
        opening = ","
    yield "\n]\n" if opening == "," else "[]\n"


def jsonl(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield one JSON object a line."""
    for finding in findings:
        yield json.dumps(finding.to_dict()) + "\n"


def csv_table(findings: Iterable[Finding], sites: Sequence[str]) -> Iterator[str]:
    """Yield a header and one row a finding; `sites` are the columns of the second stage."""
    columns = [f"{site}_{part}" for site in sites for part in ("probability", "threshold", "found")]
    yield _write_inert_row(
        ["record", "source", "status", "probability", "threshold", "found_sites", *columns, "reasons", "warnings"]
        + ["duration_s", "sampling_rate", "error", "ecg_edge", "provider", "models", "operating_point"]
        + ["doubtful_sites"]
    )
    for finding in findings:
        by_name = {site.site: site for site in finding.sites}
        yield _write_inert_row(
            [finding.record, finding.source, finding.status, finding.probability, finding.threshold]
            + [";".join(finding.found_sites)]
            + [cell for name in sites for cell in _list_site_cells(by_name.get(name), finding.found_sites)]
            + [";".join(note.code for note in notes) for notes in (finding.reasons, finding.warnings)]
            + [finding.duration_s, finding.sampling_rate, finding.error]
            + [finding.provenance.ecg_edge, finding.provenance.provider]
            + [";".join(f"{model.name} {model.version} {model.sha256}" for model in finding.provenance.models)]
            + [finding.provenance.operating_point, ";".join(finding.doubtful_sites)]
        )


def answer(finding: Finding) -> str:
    """Return status, probability and found sites in a few words."""
    if finding.probability is None:
        return finding.status
    return " ".join([finding.status, show_probability(finding.probability), *finding.found_sites])


def _write_paragraph(finding: Finding) -> Iterator[str]:
    yield f"{printable(finding.record)}: {word_verdict(finding)}"
    if finding.error is not None:
        return
    if finding.duration_s is not None and finding.sampling_rate is not None:
        yield f"  {finding.duration_s:.1f} s at {finding.sampling_rate:g} Hz"
    if finding.probability is not None and finding.threshold is not None:
        point = printable(finding.provenance.operating_point)
        yield f"  probability {show_probability(finding.probability)}, threshold {finding.threshold:.3f} ({point})"
    if finding.sites:
        if finding.status == "not_detected":
            yield "  sites mean something only where an infarction is found:"
        yield f"  {'site':<15}{'probability':>12}{'threshold':>11}"
        yield from (
            f"  {site.site:<15}{show_probability(site.probability):>12}{site.threshold:>11.3f}"
            f"  {word_found(finding, site.site)}".rstrip()
            for site in finding.sites
        )
    if finding.explanation is not None:
        yield from (f"  {line}" for line in _write_explanation(finding.explanation))
    yield from (f"  reason: {line}" for line in group_notes(finding.reasons))
    yield from (f"  warning: {line}" for line in group_notes(finding.warnings))
    yield f"  {REVIEW}"


def _write_explanation(explanation: Explanation) -> Iterator[str]:
    """Yield a table with a column for each answer: the lead groups, then the lead and the time that carry most."""
    answers = tuple(explanation.time_course)
    yield f"what carried the answer ({HINT}): change of the probability without these leads"
    yield "(- they raise it, + they lower it)"
    rows = [
        ("", answers, ""),
        *(
            (group.part, [_show_change(group.changes[name]) for name in answers], f"  {', '.join(group.leads)}")
            for group in explanation.groups
        ),
        ("most, one lead", [_show_lead(explanation.leads, name) for name in answers], ""),
        ("highest, time", [_show_highest(explanation.time_course[name]) for name in answers], ""),
    ]
    # Times late in a long recording are wide.
    width = max(16, *(2 + len(cell) for _, cells, _ in rows for cell in cells))
    yield from (f"{title:<15}{''.join(f'{cell:>{width}}' for cell in cells)}{end}" for title, cells, end in rows)


def _show_change(change: float) -> str:
    return f"{round(change, 3) + 0.0:+.3f}"  # the sum turns -0.0 into 0.0


def _show_lead(leads: Sequence[Occlusion], answer: str) -> str:
    lead = max(leads, key=lambda lead: abs(lead.changes[answer]))
    shown = _show_change(lead.changes[answer])
    return f"{lead.part} {shown}" if float(shown) else "none"


def _show_highest(course: TimeCourse) -> str:
    highest = max(range(len(course.difference)), key=course.difference.__getitem__)
    return f"{course.start_s[highest]:.1f} to {course.stop_s[highest]:.1f} s"


def _list_site_cells(site: SiteFinding | None, found: tuple[str, ...]) -> list[object]:
    return ["", "", ""] if site is None else [site.probability, site.threshold, int(site.site in found)]


def _write_inert_row(cells: Sequence[object]) -> str:
    return csv_row([_make_inert(cell) if isinstance(cell, str) else cell for cell in cells])


def csv_row(cells: Sequence[object]) -> str:
    """Return one line of CSV."""
    import csv

    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _make_inert(cell: str) -> str:
    return f"'{printable(cell)}" if cell.startswith(_FORMULA_STARTS) else printable(cell)
