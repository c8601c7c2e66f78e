"""Keeps one worker running beside the server, and wakes it when there is work."""

import multiprocessing
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ecg_edge.web import queue
from ecg_edge.web.database import Database
from ecg_edge.web.settings import Settings
from ecg_edge.web.worker import work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_END_S = 10.0
_PAUSE_S = 0.5


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
        context = multiprocessing.get_context("spawn")
        while not self._ended.is_set():
            ours, theirs = context.Pipe()
            worker = context.Process(target=work, args=(self._settings, theirs), name="worker", daemon=True)
            worker.start()
            # The worker sees that the server ends only if nobody else holds the server's end of the pipe.
            theirs.close()
            with self._lock:
                self._pipe = ours
            worker.join()
            self._hang_up()
            if not self._ended.is_set():
                self.restarts += 1
                queue.count_crash(self._database)
                self._ended.wait(_PAUSE_S)

    def _hang_up(self) -> None:
        with self._lock:
            if self._pipe is not None:
                self._pipe.close()
                self._pipe = None
