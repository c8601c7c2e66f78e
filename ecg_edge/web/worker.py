"""The worker: a process of its own that analyses the records that wait, and stores what it found."""

import os
import signal
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from ecg_edge.errors import EcgEdgeError
from ecg_edge.web import queue, record_table, signals
from ecg_edge.web.database import Database
from ecg_edge.web.settings import Settings
from ecg_edge.web.small_trace import draw_small_trace

if TYPE_CHECKING:
    from ecg_edge.detector import Detector

_AT_A_TIME = 16
_IDLE_S = 30.0
_NICENESS = 5
_LONGEST_REPORT = 500


def load_detector(settings: Settings) -> "Detector":
    """Return the detector that answers the records, or live feeds.

    Raises:
        ModelError, OperatingPointError, ProviderError: As `Detector` does.
    """
    from ecg_edge.detector import Detector
    from ecg_edge.model.operating_point import BALANCED

    return Detector(
        settings.models,
        provider=settings.provider,
        threads=settings.threads,
        operating_point=settings.operating_point or BALANCED,
    )


def work(settings: Settings, server: Connection, reports: Connection) -> None:
    """Analyse records until the server ends.

    Args:
        settings: Those of the server.
        server: Something comes from it when there is work; it is closed when the server ends, however that happens.
        reports: Told nothing (no bytes) when the worker is ready, and why it ends if it cannot go on.
    """
    try:
        _work(settings, server, reports)
    except Exception as error:
        why = _word(error)
        with suppress(OSError):
            reports.send_bytes(why.encode())
        if isinstance(error, EcgEdgeError):
            msg = f"error: {why}"
            raise SystemExit(msg) from None
        raise


def _work(settings: Settings, server: Connection, reports: Connection) -> None:
    # The server alone decides on the end: a Ctrl-C on a terminal reaches this process too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _be_modest()
    warnings.simplefilter("ignore")  # libraries warn about harmless oddities in files
    database = Database(settings.data)
    detector = load_detector(settings)
    reports.send_bytes(b"")
    try:
        while True:
            while analyse_some(database, detector):
                _empty(server)
            server.poll(_IDLE_S)
            _empty(server)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _word(error: Exception) -> str:
    text = " ".join(str(error).split())[:_LONGEST_REPORT]
    return text if isinstance(error, EcgEdgeError) else f"{type(error).__name__}: {text}"


def _be_modest() -> None:
    """Let the pages have the processor first."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def analyse_some(database: Database, detector: "Detector") -> int:
    """Analyse the records that wait the longest, a few together, and return how many they were."""
    waiting = queue.take(database, _AT_A_TIME)
    found = [(item, signals.load(database, item.number, item.name, item.source)) for item in waiting]
    recordings = [recording for _, recording in found if recording is not None]
    findings = iter(list(detector.detect_many(recordings, windows=True)))
    traces = iter([draw_small_trace(recording) for recording in recordings])
    with database.write() as connection:
        for item, recording in found:
            if recording is not None:
                record_table.store_finding(connection, item.number, next(findings), next(traces))
    return len(waiting)


def _empty(server: Connection) -> None:
    """Take everything that the server sent.

    Raises:
        EOFError: The server has ended.
    """
    while server.poll():
        server.recv_bytes()
