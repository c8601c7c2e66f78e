"""The SQLite database: its tables, and connections that threads share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock

from ecg_edge.errors import UnreadableError

FILE_NAME = "ecg_edge.sqlite3"
VERSION = 1
_WAIT_S = 30.0
_MOST_READERS = 8
_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    received TEXT NOT NULL,
    files TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    upload INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    source TEXT NOT NULL,
    digest TEXT NOT NULL,
    received TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pending',
    reason TEXT,
    probability REAL,
    threshold REAL,
    n_warnings INTEGER NOT NULL DEFAULT 0,
    started INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS records_by_name ON records (folded, number);
CREATE INDEX IF NOT EXISTS records_by_outcome ON records (outcome, number);
CREATE INDEX IF NOT EXISTS records_by_probability ON records (probability, number);
CREATE INDEX IF NOT EXISTS records_by_outcome_and_probability ON records (outcome, probability, number);
CREATE INDEX IF NOT EXISTS records_by_upload ON records (upload, number);
CREATE TABLE IF NOT EXISTS sites (
    record INTEGER NOT NULL,
    place INTEGER NOT NULL,
    site TEXT NOT NULL,
    probability REAL NOT NULL,
    found INTEGER NOT NULL,
    doubtful INTEGER NOT NULL,
    PRIMARY KEY (record, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_site ON sites (site, found, record);
CREATE TABLE IF NOT EXISTS signals (
    record INTEGER PRIMARY KEY,
    rows INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    data_type TEXT NOT NULL,
    sampling_rate REAL NOT NULL,
    leads TEXT NOT NULL,
    units TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS findings (record INTEGER PRIMARY KEY, finding TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS traces (record INTEGER PRIMARY KEY, svg TEXT NOT NULL);
"""
TABLES_OF_A_RECORD = ("sites", "signals", "findings", "traces")


class Database:
    """Connections to one database: several that read, and one that writes.

    Safe to share between threads. What is deleted is overwritten (secure_delete), and a commit is on disk.

    Args:
        folder: Created if it is missing.

    Raises:
        UnreadableError: The database cannot be opened, or a later version of the package wrote it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue(_MOST_READERS)
        self._write_lock = Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = self._connect()
            self._create()
        except UnreadableError:
            raise
        except (OSError, sqlite3.Error) as error:
            raise UnreadableError(folder, f"cannot hold the database: {getattr(error, 'strerror', error)}") from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for queries, which all see the same state."""
        try:
            connection = self._readers.get_nowait()
        except Empty:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.rollback()
            self._give_back(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for changes; they are committed together at the end, or not at all."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    def empty_log(self) -> bool:
        """Empty the write-ahead log, which may still hold what was deleted; return whether nobody was reading it."""
        with self._write_lock:
            busy, *_ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close all connections that are not in use."""
        with suppress(Empty):
            while True:
                self._readers.get_nowait().close()
        with self._write_lock:
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        # Large pages: the samples of a record lie on a chain of pages.
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _create(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            msg = f"was written by a later version of ecg_edge (form {version}, this one knows {VERSION})"
            raise UnreadableError(self.path, msg)
        with self.write() as connection:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        self.path.chmod(0o600)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._readers.full():
            connection.close()
            return
        self._readers.put(connection)


def read_setting(database: Database, name: str, default: str) -> str:
    """Return a setting that the database keeps; the first call stores the default."""
    with database.write() as connection:
        connection.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, default))
        with closing(connection.execute("SELECT value FROM settings WHERE name = ?", (name,))) as found:
            return str(found.fetchone()["value"])
