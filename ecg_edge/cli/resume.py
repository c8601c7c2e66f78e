"""Answers that a later run goes on from: each is kept in a file beside the output as soon as it is there."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecg_edge.errors import UnreadableError

if TYPE_CHECKING:
    from ecg_edge.readers import RecordFile


class KeptAnswers:
    """The lines of a run so far. Their file begins with a line of settings; the output appears when all are there.

    Args:
        output: File that the lines are for; theirs is beside it.
        settings: What the answers depend on, as JSON values.
        records: All records of the run, in order.

    Raises:
        UnreadableError: The file has answers of other settings or records, is damaged, or another run is writing it.
        OSError: The file cannot be created, read or written.
    """

    def __init__(self, output: Path, settings: dict[str, Any], records: Iterable["RecordFile"]) -> None:
        output = output.resolve()
        self.path = output.with_name(f"{output.name}.unfinished")
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        self._lock()
        self._start(settings)
        self._cut_torn_line()
        self.done = self.failed = 0
        """How many records have an answer line, and how many of those have no answer."""
        self._match(records)

    def complete(self, lines: Iterable[str]) -> Iterator[str]:
        """Keep more answers, each as soon as it is there; then yield all of them."""
        self._file.seek(0, os.SEEK_END)
        for line in lines:
            self._append(line)
        yield from self._lines()

    def remove(self) -> None:
        """Remove the file, when the output is there."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _append(self, line: str) -> None:
        self._file.write(line.encode())
        self._file.flush()

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UnreadableError(self.path, "is being written by another run") from error

    def _start(self, settings: dict[str, Any]) -> None:
        """Write the settings into a new file, or compare them with those of the file."""
        header = json.dumps(settings) + "\n"
        first = self._file.readline()
        if header.encode().startswith(first):  # also where the first run was killed at once
            self._file.seek(0)
            self._append(header)
            return
        found = self._parse(first)
        differing = [key for key in settings if found.get(key) != settings[key]]
        if differing:
            raise self._explain("its answers were made with other settings: " + ", ".join(differing))

    def _cut_torn_line(self) -> None:
        """Remove what a killed run wrote of its last line."""
        self._file.seek(0)
        end = 0
        for line in self._file:
            end += len(line) if line.endswith(b"\n") else 0
        self._file.truncate(end)

    def _match(self, records: Iterable["RecordFile"]) -> None:
        """Count the answers that are there, after comparing them with the first records of the run."""
        expected = iter(records)
        for line in self._lines():
            answer, record = self._parse(line.encode()), next(expected, None)
            if record is None or (answer.get("record"), answer.get("source")) != (record.name, record.source):
                now = f"it is now {record.source}" if record else f"there are now {self.done} records"
                what = f"record {self.done + 1} was {answer.get('source')}, {now}"
                raise self._explain(what)
            self.done += 1
            self.failed += "probability" not in answer

    def _lines(self) -> Iterator[str]:
        self._file.seek(0)
        self._file.readline()
        for line in self._file:
            yield line.decode("utf-8", "replace")

    def _parse(self, line: bytes) -> dict[str, Any]:
        with suppress(ValueError):
            parsed = json.loads(line)
            if isinstance(parsed, dict):
                return parsed
        raise self._explain("it is damaged")

    def _explain(self, what: str) -> UnreadableError:
        return UnreadableError(self.path, f"cannot be resumed; remove it to answer all records again: {what}")
