"""Findings as the submission of the competition: a given table with the answers filled in."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ecg_edge.competition import NORMAL_COLUMN, RECORD_COLUMN, SITE_COLUMNS
from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Finding
from ecg_edge.readers.text import decode_text
from ecg_edge.rendering import csv_row
from ecg_edge.wording import printable

HEADER = [RECORD_COLUMN, *SITE_COLUMNS.values(), NORMAL_COLUMN]


def fill_in(findings: Iterable[Finding], sample: list[list[str]], complain: Callable[[str], None]) -> Iterator[str]:
    """Yield the competition's table: the sample's rows in its order, those with an answer filled in.

    Args:
        findings: Answers; a name that several records have is not filled in.
        sample: Header and rows, from `read_sample`.
        complain: Called with a line about each answer that is left out.
    """
    answers: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.probability is not None:
            answers[finding.record].append(finding)
    header, *rows = sample
    yield csv_row(header)
    for row in rows:
        found = answers.get(row[0], [])
        yield csv_row(_fill_row(found[0]) if len(found) == 1 else row)
    for name in answers.keys() - {row[0] for row in rows}:
        complain(f"{printable(name)} has no row in the sample submission; its answer is left out")
    for name, found in answers.items():
        if len(found) > 1:
            sources = ", ".join(printable(finding.source) for finding in found)
            complain(f"{len(found)} records are called {printable(name)} ({sources}); that row is left as it was")


def read_sample(path: Path) -> list[list[str]]:
    """Read header and rows of a sample submission.

    Raises:
        UnreadableError: It cannot be read, or has another header.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(path, f"cannot be read: {error}") from error
    return parse_sample(content, str(path))


def parse_sample(content: bytes, source: str) -> list[list[str]]:
    """Return header and rows of a sample submission, given its bytes.

    Raises:
        UnreadableError: It is not a table in UTF-8, or has another header.
    """
    import csv

    try:
        rows = [row for row in csv.reader(io.StringIO(decode_text(content), newline="")) if row]
    except csv.Error as error:
        raise UnreadableError(source, f"cannot be read: {error}") from error
    except ValueError as error:
        raise UnreadableError(source, str(error)) from error
    if not rows or rows[0] != HEADER:
        raise UnreadableError(source, f"is not a sample submission: its first line must be {','.join(HEADER)}")
    return rows


def _fill_row(finding: Finding) -> list[object]:
    return [
        finding.record,
        *(int(site in finding.found_sites) for site in SITE_COLUMNS),
        int(finding.status == "not_detected"),
    ]
