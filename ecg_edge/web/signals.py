"""The samples of the records in the database, read in parts as from a file."""

import hashlib
import json
import math
import sqlite3
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import UnreadableError
from ecg_edge.recording import Recording
from ecg_edge.web.database import Database

LARGEST = 256 * 2**20
"""Bytes of the samples of one record: three hours of twelve leads as float32 at 500 Hz."""


class StoredSignal(NamedTuple):
    """The samples of a recording as they are stored: rows one after the other, in the data type that they came in."""

    rows: int
    samples: int
    data_type: str
    sampling_rate: float
    leads: tuple[str, ...]
    units: str
    content: bytes

    @property
    def digest(self) -> str:
        """Tells recordings with other samples, leads, units or rate apart."""
        facts = json.dumps([*self[:4], self.leads, self.units]).encode()
        return hashlib.sha256(facts + b"\0" + self.content).hexdigest()


def pack(recording: Recording, most: int) -> StoredSignal:
    """Read all samples of a recording.

    Args:
        recording: From a reader.
        most: Largest number of bytes.

    Raises:
        UnreadableError: The samples take more bytes.
        EcgEdgeError: They cannot be read.
    """
    signal = recording.signal
    rows, samples = signal.shape
    size = rows * samples * signal.dtype.itemsize
    most = min(most, LARGEST)
    if size > most:
        raise UnreadableError(recording.source, f"has {size} bytes of samples, more than {most}")
    whole = signal if isinstance(signal, np.ndarray) else signal.read(0, samples)
    # The type in which samples are read may be another one than they are stored in.
    content = np.ascontiguousarray(whole)
    if not content.dtype.isnative:
        content = content.astype(content.dtype.newbyteorder("="))
    return StoredSignal(
        rows,
        samples,
        content.dtype.str,
        recording.sampling_rate,
        recording.leads,
        recording.units,
        content.tobytes(),
    )


def insert(connection: sqlite3.Connection, number: int, signal: StoredSignal) -> None:
    """Store the samples of a record."""
    connection.execute(
        "INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, *signal[:4], json.dumps(signal.leads), signal.units, signal.content),
    )


def load(database: Database, number: int, name: str, source: str) -> Recording | None:
    """Return the recording of a record; its samples are read when they are needed. None if it was deleted."""
    with database.read() as connection:
        found = connection.execute(
            "SELECT rows, samples, data_type, sampling_rate, leads, units FROM signals WHERE record = ?", (number,)
        ).fetchone()
    if found is None:
        return None
    samples = _Samples(database, number, (found["rows"], found["samples"]), np.dtype(found["data_type"]), source)
    return Recording(
        samples, found["sampling_rate"], tuple(json.loads(found["leads"])), found["units"], name=name, source=source
    )


class _Samples(NamedTuple):
    """The samples of one record in the database."""

    database: Database
    number: int
    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    source: str

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return samples `start` to `stop`, shape (rows, stop - start)."""
        rows, samples = self.shape
        start, stop, _ = slice(start, stop).indices(samples)
        size = self.dtype.itemsize
        spans = [(row * samples + start) * size for row in range(rows)]
        length = max(0, stop - start) * size
        if length == samples * size:
            spans, length = [0], math.prod(self.shape) * size
        try:
            with (
                self.database.read() as connection,
                connection.blobopen("signals", "content", self.number, readonly=True) as blob,
            ):
                pieces = []
                for offset in spans:
                    blob.seek(offset)
                    pieces.append(blob.read(length))
        except sqlite3.Error as error:
            raise UnreadableError(self.source, "was deleted while it was read") from error
        return np.frombuffer(b"".join(pieces), self.dtype).reshape(rows, -1)
