"""Takes uploads in: reads their recordings with the package's readers and commits the samples."""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ecg_edge.errors import EcgEdgeError, NoMemoryError, UnreadableError
from ecg_edge.readers import Declared, PassedOver, RecordFile
from ecg_edge.readers.in_memory import find_in_memory
from ecg_edge.recording import Recording
from ecg_edge.web import record_table
from ecg_edge.web.database import Database
from ecg_edge.web.settings import MIB, Settings
from ecg_edge.web.signals import StoredSignal, insert, pack
from ecg_edge.web.wording import Kind, LimitError, kind_of, word

_MOST_TOGETHER = 4 * MIB
_LONGEST_NAME = 255


@dataclass(slots=True)
class Upload:
    """What became of the files of an upload."""

    id: str
    files: list[dict[str, Any]] = field(default_factory=list)
    """Each with `name` and `status` "accepted" or "refused", then `records`, or `kind` and `reason`."""
    records: list[str] = field(default_factory=list)
    """Ids of the records that were accepted."""


def take_in(database: Database, settings: Settings, files: Sequence[tuple[str, bytes]], declared: Declared) -> Upload:
    """Read the recordings of files that were uploaded, and commit them for the worker.

    Args:
        database: Keeps the recordings.
        settings: Say how many records and bytes an upload may have.
        files: Name and content of each.
        declared: What the client states about files that do not state it.
    """
    upload, number = _open(database)
    batch = _Batch(database, number, upload.records)
    outcomes = [_Outcome(_shorten(name)) for name, _ in files]
    reading = _Reading(settings)
    for index, item in find_in_memory(files, declared):
        outcome = outcomes[index]
        try:
            if isinstance(item, PassedOver):
                raise UnreadableError(item.source, item.reason)
            batch.add(_shorten(item.name), item.source, reading.read(item))
            outcome.n_records += 1
        except EcgEdgeError as error:
            reason = word(error).removeprefix(f"{item.source}: ")
            outcome.refused.append(_Refused(_shorten(item.source), kind_of(error), reason))
    batch.commit()
    upload.files = [line for outcome in outcomes for line in outcome.describe()]
    with database.write() as connection:
        connection.execute("UPDATE uploads SET files = ? WHERE number = ?", (json.dumps(upload.files), number))
    return upload


def take_in_recording(database: Database, settings: Settings, recording: Recording) -> str:
    """Commit one recording for the worker, and return the id of its record.

    Raises:
        EcgEdgeError: It is too large.
    """
    signal = pack(recording, settings.max_unpacked)
    upload, number = _open(database)
    batch = _Batch(database, number, upload.records)
    batch.add(_shorten(recording.name), "", signal)
    batch.commit()
    return upload.records[0]


def describe(database: Database, upload_id: str) -> dict[str, Any] | None:
    """Return how far the records of an upload are; None if there is no such upload."""
    with database.read() as connection:
        upload = connection.execute("SELECT number, files FROM uploads WHERE id = ?", (upload_id,)).fetchone()
        if upload is None:
            return None
        rows = connection.execute(
            "SELECT id, name, outcome FROM records WHERE upload = ? ORDER BY number", (upload["number"],)
        ).fetchall()
    statuses = ["done" if row["outcome"] not in ("pending", "failed") else row["outcome"] for row in rows]
    return {
        "id": upload_id,
        "total": len(rows),
        "done": statuses.count("done"),
        "failed": statuses.count("failed"),
        "files": json.loads(upload["files"]),
        "records": [
            {"id": row["id"], "name": row["name"], "status": status} for row, status in zip(rows, statuses, strict=True)
        ],
    }


class _Reading:
    """Reads recordings until an upload has as many records or bytes as it may have."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._n_left, self._bytes_left = settings.max_records, settings.max_unpacked

    def read(self, item: RecordFile) -> StoredSignal:
        """Return the samples of a recording.

        Raises:
            EcgEdgeError: It cannot be read, or the upload has too many.
        """
        if not self._n_left:
            raise LimitError(item.source, f"is beyond the {self._settings.max_records} records of an upload")
        try:
            signal = pack(item.read(), self._bytes_left)
        except EcgEdgeError:
            raise
        except MemoryError as error:
            raise NoMemoryError(error) from error
        except Exception as error:
            raise UnreadableError(item.source, f"cannot be read: {type(error).__name__}: {error}") from error
        self._n_left -= 1
        self._bytes_left -= len(signal.content)
        return signal


class _Batch:
    """Records that are committed together."""

    def __init__(self, database: Database, upload: int, ids: list[str]) -> None:
        self._database, self._upload, self._ids = database, upload, ids
        self._waiting: list[tuple[str, str, StoredSignal]] = []
        self._size = 0

    def add(self, name: str, source: str, signal: StoredSignal) -> None:
        self._waiting.append((name, source, signal))
        self._size += len(signal.content)
        if self._size >= _MOST_TOGETHER:
            self.commit()

    def commit(self) -> None:
        if not self._waiting:
            return
        added = []
        with self._database.write() as connection:
            for name, source, signal in self._waiting:
                number, record_id = record_table.add(connection, self._upload, name, source, signal.digest)
                insert(connection, number, signal)
                added.append(record_id)
        self._ids += added
        self._waiting, self._size = [], 0


class _Refused(NamedTuple):
    """A file, or a recording in an archive, that cannot be taken."""

    source: str
    kind: Kind
    reason: str

    def describe(self) -> dict[str, Any]:
        return {"name": self.source, "status": "refused", "kind": self.kind, "reason": self.reason}


@dataclass(slots=True)
class _Outcome:
    """What was found in one file."""

    name: str
    n_records: int = 0
    refused: list[_Refused] = field(default_factory=list)

    def describe(self) -> Iterator[dict[str, Any]]:
        """Yield a line for the file, and one for each bad recording in an archive."""
        alone = [refused for refused in self.refused if refused.source == self.name]
        if alone and not self.n_records:
            yield alone[0].describe()
            return
        if self.refused and not self.n_records:
            yield _Refused(self.name, "none_readable", "none of its recordings can be read").describe()
        else:
            yield {"name": self.name, "status": "accepted", "records": self.n_records}
        yield from (refused.describe() for refused in self.refused)


def _open(database: Database) -> tuple[Upload, int]:
    upload = Upload(secrets.token_hex(8))
    with database.write() as connection:
        added = connection.execute(
            "INSERT INTO uploads (id, received, files) VALUES (?, ?, '[]')", (upload.id, record_table.now())
        )
    return upload, int(added.lastrowid or 0)


def _shorten(name: str) -> str:
    """Return a name that the database and JSON can hold."""
    return name[:_LONGEST_NAME].encode("utf-8", "replace").decode()
