"""Counts for Prometheus, in its text format."""

from collections import Counter
from collections.abc import Iterator
from threading import Lock

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What the server did since it started. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self.live_feeds = 0
        """Open now."""

    def count_request(self, method: str, status: int) -> None:
        """Note an answer."""
        known = method if method in ("GET", "HEAD", "POST", "DELETE") else "other"
        with self._lock:
            self._requests[known, status] += 1

    def render(self, records: dict[str, int], restarts: int) -> str:
        """Return all counts.

        Args:
            records: Number of records by status.
            restarts: How often the worker ended by itself.
        """
        return "\n".join([*self._lines(records, restarts), ""])

    def _lines(self, records: dict[str, int], restarts: int) -> Iterator[str]:
        yield "# HELP ecg_edge_requests_total Answers since the start."
        yield "# TYPE ecg_edge_requests_total counter"
        with self._lock:
            counted = sorted(self._requests.items())
        for (method, status), count in counted:
            yield f'ecg_edge_requests_total{{method="{method}",status="{status}"}} {count}'
        yield "# HELP ecg_edge_records Records that are stored."
        yield "# TYPE ecg_edge_records gauge"
        yield from (f'ecg_edge_records{{status="{status}"}} {count}' for status, count in records.items())
        yield "# HELP ecg_edge_worker_restarts_total Workers that ended by themselves since the start."
        yield "# TYPE ecg_edge_worker_restarts_total counter"
        yield f"ecg_edge_worker_restarts_total {restarts}"
        yield "# HELP ecg_edge_live_feeds Live feeds that are open."
        yield "# TYPE ecg_edge_live_feeds gauge"
        yield f"ecg_edge_live_feeds {self.live_feeds}"
