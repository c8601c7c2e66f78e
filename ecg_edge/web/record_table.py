"""The records in the database: list, search, single record, deletion."""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecg_edge.findings import Finding
from ecg_edge.web.database import TABLES_OF_A_RECORD, Database
from ecg_edge.web.wording import word_notes

OUTCOMES = ("infarction", "none", "cannot_analyse", "failed", "pending")
"""What may be said of a record, named as in the filter of the list."""
SORTS = ("newest", "probability")
MOST_PER_PAGE = 200
_OUTCOME_OF_STATUS = {
    "detected": "infarction",
    "not_detected": "none",
    "cannot_analyse": "cannot_analyse",
    "error": "failed",
}
_ATTEMPTS = 5
_LARGEST_LETTER = "\U0010ffff"
_COLUMNS = "number, id, name, source, received, outcome, reason, probability, threshold, n_warnings AS warnings"


@dataclass(frozen=True, slots=True)
class Query:
    """Which records are listed, and in which order."""

    q: str = ""
    """Name, or its beginning; capitals do not matter."""
    finding: str = ""
    """One of `OUTCOMES`; empty for all."""
    site: str = ""
    """A site that was found; empty for all."""
    sort: str = "newest"
    """One of `SORTS`."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a record in the list."""

    name: str
    probability: float
    found: bool
    doubtful: bool
    """Whether a warning calls it uncertain or unproven."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the list shows it."""

    number: int
    id: str
    name: str
    source: str
    received: str
    """Time in UTC, as ISO 8601."""
    outcome: str
    """One of `OUTCOMES`."""
    reason: str | None
    """Why there is no answer."""
    probability: float | None
    threshold: float | None
    warnings: int
    """Number of warnings."""
    sites: tuple[Site, ...] = field(default=())

    @property
    def status(self) -> str:
        """Return "pending", "done" or "failed"."""
        return self.outcome if self.outcome in ("pending", "failed") else "done"

    @property
    def finding(self) -> str | None:
        """Return "infarction", "none" or "cannot_analyse"; None without an analysis."""
        return self.outcome if self.status == "done" else None


class Answered(NamedTuple):
    """A record with its finding."""

    name: str
    digest: str
    """The same for recordings with the same samples, leads, units and rate."""
    finding: dict[str, Any]
    """The JSON object."""


class Page(NamedTuple):
    """One page of a list."""

    records: list[Record]
    total: int
    """Number of records that the query finds."""


def list_records(database: Database, query: Query, page: int, per_page: int) -> Page:
    """Return a page of records.

    Records of exactly the name that is searched for come first.

    Args:
        database: Where the records are.
        query: Which, and in which order.
        page: From 1.
        per_page: Number of records on a page.
    """
    where, values = _choose(query)
    order = "probability DESC, number DESC" if query.sort == "probability" else "number DESC"
    order_values: list[object] = []
    if query.q:
        order, order_values = f"folded <> ?, {order}", [query.q.casefold()]
    with database.read() as connection:
        (total,) = connection.execute(f"SELECT count(*) FROM records {where}", values).fetchone()  # noqa: S608
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM records {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 - no input in it
            [*values, *order_values, per_page, (page - 1) * per_page],
        ).fetchall()
        sites = _list_sites(connection, [row["number"] for row in rows])
    return Page([_make(row, sites.get(row["number"], ())) for row in rows], total)


def find(database: Database, record_id: str) -> Record | None:
    """Return the record of an id."""
    with database.read() as connection:
        row = connection.execute(f"SELECT {_COLUMNS} FROM records WHERE id = ?", (record_id,)).fetchone()  # noqa: S608
        return None if row is None else _make(row, _list_sites(connection, [row["number"]]).get(row["number"], ()))


def count(database: Database) -> dict[str, int]:
    """Return the number of records that are pending, done and failed."""
    with database.read() as connection:
        found = dict(connection.execute("SELECT outcome, count(*) FROM records GROUP BY outcome").fetchall())
    pending, failed = found.pop("pending", 0), found.pop("failed", 0)
    return {"pending": pending, "done": sum(found.values()), "failed": failed}


def add(connection: sqlite3.Connection, upload: int, name: str, source: str, digest: str) -> tuple[int, str]:
    """Store a record that is to be analysed; return its number and its id."""
    record_id = secrets.token_hex(8)
    added = connection.execute(
        "INSERT INTO records (id, upload, name, folded, source, digest, received) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (record_id, upload, name, name.casefold(), source, digest, now()),
    )
    return int(added.lastrowid or 0), record_id


def store_finding(connection: sqlite3.Connection, number: int, finding: Finding, trace: str) -> None:
    """Store what was found in a record; nothing if it was deleted meanwhile."""
    reason = finding.error or "; ".join(note.message for note in word_notes(finding).reasons) or None
    changed = connection.execute(
        "UPDATE records SET outcome = ?, reason = ?, probability = ?, threshold = ?, n_warnings = ?, started = 0 "
        "WHERE number = ?",
        (
            _OUTCOME_OF_STATUS[finding.status],
            reason,
            finding.probability,
            finding.threshold,
            len(finding.warnings),
            number,
        ),
    )
    if not changed.rowcount:
        return
    connection.execute("INSERT OR REPLACE INTO findings VALUES (?, ?)", (number, json.dumps(finding.to_dict())))
    connection.execute("INSERT OR REPLACE INTO traces VALUES (?, ?)", (number, trace))
    connection.execute("DELETE FROM sites WHERE record = ?", (number,))
    connection.executemany(
        "INSERT INTO sites VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                number,
                place,
                site.site,
                site.probability,
                site.site in finding.found_sites,
                site.site in finding.doubtful_sites,
            )
            for place, site in enumerate(finding.sites)
        ],
    )


def read_finding(database: Database, number: int) -> dict[str, Any] | None:
    """Return the JSON object of a record's finding, with its windows; None while it is pending."""
    with database.read() as connection:
        row = connection.execute("SELECT finding FROM findings WHERE record = ?", (number,)).fetchone()
    return None if row is None else json.loads(row["finding"])


def read_reason_codes(database: Database, records: Sequence[Record]) -> dict[str, list[str]]:
    """Return the codes of the reasons of records that cannot be analysed, by their ids."""
    ids = {record.number: record.id for record in records if record.outcome == "cannot_analyse"}
    marks = ", ".join("?" * len(ids))
    with database.read() as connection:
        rows = connection.execute(f"SELECT record, finding FROM findings WHERE record IN ({marks})", [*ids]).fetchall()  # noqa: S608
    # A rule may have a reason for each lead.
    codes = {ids[row["record"]]: [reason["code"] for reason in json.loads(row["finding"])["reasons"]] for row in rows}
    return {record_id: list(dict.fromkeys(found)) for record_id, found in codes.items()}


def read_trace(database: Database, number: int) -> str | None:
    """Return the small trace of a record as SVG; None while it is pending."""
    with database.read() as connection:
        row = connection.execute("SELECT svg FROM traces WHERE record = ?", (number,)).fetchone()
    return None if row is None else str(row["svg"])


def list_findings(database: Database) -> Iterator[Answered]:
    """Yield the findings of all records that have one, newest first; records that come meanwhile are left out."""
    last = 2**62
    while True:
        with database.read() as connection:
            rows = connection.execute(
                "SELECT number, name, digest, finding FROM records JOIN findings ON record = number "
                "WHERE number < ? ORDER BY number DESC LIMIT 100",
                (last,),
            ).fetchall()
        if not rows:
            return
        last = rows[-1]["number"]
        yield from (Answered(row["name"], row["digest"], json.loads(row["finding"])) for row in rows)


def delete(database: Database, record_id: str) -> bool:
    """Delete a record with all that is stored of it; return whether there was one."""
    with database.write() as connection:
        row = connection.execute("SELECT number, upload, source FROM records WHERE id = ?", (record_id,)).fetchone()
        if row is None:
            return False
        for table in TABLES_OF_A_RECORD:
            connection.execute(f"DELETE FROM {table} WHERE record = ?", (row["number"],))  # noqa: S608
        connection.execute("DELETE FROM records WHERE number = ?", (row["number"],))
        _forget_file(connection, row["upload"], row["source"])
    for _ in range(_ATTEMPTS):
        if database.empty_log():
            break
    return True


def _forget_file(connection: sqlite3.Connection, upload: int, source: str) -> None:
    """Delete the name of a file that was uploaded, and the upload if it has no records any more."""
    if not connection.execute("SELECT 1 FROM records WHERE upload = ?", (upload,)).fetchone():
        connection.execute("DELETE FROM uploads WHERE number = ?", (upload,))
        return
    found = connection.execute("SELECT files FROM uploads WHERE number = ?", (upload,)).fetchone()
    files = [] if found is None else [file for file in json.loads(found["files"]) if file["name"] != source]
    connection.execute("UPDATE uploads SET files = ? WHERE number = ?", (json.dumps(files), upload))


def now() -> str:
    """Return the time in UTC, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _choose(query: Query) -> tuple[str, list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if query.q:
        folded = query.q.casefold()
        conditions.append("folded >= ? AND folded < ?")
        values += [folded, folded + _LARGEST_LETTER]
    if query.finding:
        conditions.append("outcome = ?")
        values.append(query.finding)
    if query.site:
        conditions.append("number IN (SELECT record FROM sites WHERE site = ? AND found = 1)")
        values.append(query.site)
    return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), values


def _list_sites(connection: sqlite3.Connection, numbers: list[int]) -> dict[int, tuple[Site, ...]]:
    marks = ", ".join("?" * len(numbers))
    found: dict[int, tuple[Site, ...]] = {}
    for row in connection.execute(
        f"SELECT * FROM sites WHERE record IN ({marks}) ORDER BY record, place",  # noqa: S608
        numbers,
    ):
        site = Site(row["site"], row["probability"], bool(row["found"]), bool(row["doubtful"]))
        found[row["record"]] = (*found.get(row["record"], ()), site)
    return found


def _make(row: sqlite3.Row, sites: tuple[Site, ...]) -> Record:
    return Record(**dict(row), sites=sites)
