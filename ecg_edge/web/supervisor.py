"""Keeps one worker running beside the server, and wakes it when there is work."""

import multiprocessing
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ecg_edge.web import queue
from ecg_edge.web.database import Database
from ecg_edge.web.settings import Settings
from ecg_edge.web.worker import work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_END_S = 10.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_STEADY_S = 10.0
"""How long a worker must have run for the next one to be started soon."""


class Supervisor:
    """Starts the worker, and starts it again if it ends.

    Args:
        settings: Those of the server.
        database: Where the records wait.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._pipe: Connection | None = None
        self._thread = threading.Thread(target=self._keep_running, name="supervisor", daemon=True)
        self.restarts = 0
        """How often a worker ended by itself."""
        self.trouble: str | None = None
        """Why no worker runs, as far as it is known; None while one runs or is about to start."""

    def start(self) -> None:
        """Start the worker; records that another server left half done wait again."""
        queue.release(self._database)
        self._thread.start()

    def wake(self) -> None:
        """Tell the worker that records wait."""
        with self._lock, suppress(OSError):
            if self._pipe is not None:
                self._pipe.send_bytes(b"work")

    def stop(self) -> None:
        """End the worker after the records that it is analysing."""
        self._ended.set()
        self._hang_up()
        self._thread.join(_END_S)

    def _keep_running(self) -> None:
        pauses = Pauses()
        while not self._ended.is_set():
            started = time.monotonic()
            why = self._run_worker()
            lived_s = time.monotonic() - started
            if self._ended.is_set():
                return
            self.restarts += 1
            crashed = self._count_crash()
            # A record that ended the worker has that as its own reason; the next worker has the others.
            self.trouble = None if crashed else why
            self._ended.wait(pauses.after(lived_s, crashed=crashed))

    def _run_worker(self) -> str:
        """Run one worker until it ends, and return why it ended."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        reports, reporter = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(self._settings, theirs, reporter), name="worker", daemon=True)
        try:
            worker.start()
        except OSError as error:
            ours.close()
            reports.close()
            return f"the worker cannot be started: {error.strerror or error}"
        finally:
            # The worker sees that the server ends only if nobody else holds the server's end of the pipe.
            theirs.close()
            reporter.close()
        with self._lock:
            self._pipe = ours
        if self._ended.is_set():
            self._hang_up()
        try:
            return self._listen(worker, reports)
        finally:
            reports.close()
            self._hang_up()

    def _listen(self, worker: "SpawnProcess", reports: "Connection") -> str:
        """Take the reports of a worker until it ends, and return why it ended."""
        why = ""
        with suppress(EOFError, OSError):
            while True:
                why = reports.recv_bytes().decode()
                if not why:
                    self.trouble = None  # it can work
        worker.join()
        return why or f"the worker ended with status {worker.exitcode}"

    def _count_crash(self) -> bool:
        """Return whether the worker ended while it analysed records."""
        try:
            return queue.count_crash(self._database)
        except sqlite3.Error:
            # A full disk, which may well be what ended the worker. The records stay marked; the next time counts them.
            return False

    def _hang_up(self) -> None:
        with self._lock:
            if self._pipe is not None:
                self._pipe.close()
                self._pipe = None


class Pauses:
    """How long to wait before the next worker: ever longer while workers cannot work."""

    def __init__(self) -> None:
        self._next_s = _FIRST_PAUSE_S

    def after(self, lived_s: float, *, crashed: bool) -> float:
        """Return a pause in seconds.

        Args:
            lived_s: How long the last worker ran.
            crashed: It ended while it analysed records; that happens a few times for each record, and then no more.
        """
        pause_s = _FIRST_PAUSE_S if crashed or lived_s >= _STEADY_S else self._next_s
        self._next_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return pause_s
