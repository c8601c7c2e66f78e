"""The paper ECG of records, drawn when somebody looks, and kept for a while in memory."""

from collections import OrderedDict
from threading import Lock

from ecg_edge.errors import EcgEdgeError
from ecg_edge.findings import Finding
from ecg_edge.report import Choices, Report, draw_report
from ecg_edge.web import record_table, signals
from ecg_edge.web.database import Database
from ecg_edge.web.problems import ProblemError
from ecg_edge.web.record_table import Record
from ecg_edge.web.settings import MIB
from ecg_edge.web.wording import word, word_notes

_MOST_BYTES = 32 * MIB

Key = tuple[str, str, Choices]


class Pictures:
    """Draws records as SVG or HTML. Safe to share between threads; its memory is bounded.

    Args:
        database: Where the records are.
        window_s: Length of the windows of the first model in seconds.
        most: Bytes of the pictures that are kept.
    """

    def __init__(self, database: Database, window_s: float, most: int = _MOST_BYTES) -> None:
        self._database, self._window_s, self._most = database, window_s, most
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def draw(self, record: Record, kind: str, choices: Choices) -> bytes:
        """Return a file of a record.

        Args:
            record: One that was analysed.
            kind: "svg" or "html".
            choices: Layout, speed, gain and start.

        Raises:
            ProblemError: The record is not analysed yet, was deleted, or cannot be drawn.
        """
        drawn = self._draw(record, choices).to_bytes(kind)
        self._keep((record.id, kind, choices), drawn)
        return drawn

    def find(self, record: Record, kind: str, choices: Choices) -> bytes | None:
        """Return a file of a record if it is kept."""
        key = (record.id, kind, choices)
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def forget(self, record_id: str) -> None:
        """Forget all pictures of a record."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == record_id]:
                self._size -= len(self._kept.pop(key))

    def _keep(self, key: Key, drawn: bytes) -> None:
        with self._lock:
            # The record may have been deleted while it was drawn.
            if record_table.find(self._database, key[0]) is None:
                return
            self._size += len(drawn) - len(self._kept.pop(key, b""))
            self._kept[key] = drawn
            while self._size > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest)

    def _draw(self, record: Record, choices: Choices) -> Report:
        recording = signals.load(self._database, record.number, record.name, record.source)
        found = record_table.read_finding(self._database, record.number)
        if recording is None:
            raise ProblemError(404, "there is no such record")
        if found is None:
            raise ProblemError(409, "the record is not analysed; its picture comes with its answer")
        try:
            return draw_report(recording, word_notes(Finding.from_dict(found)), self._window_s, choices)
        except EcgEdgeError as error:
            raise ProblemError(422, word(error)) from error
