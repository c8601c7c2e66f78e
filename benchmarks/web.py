"""Time and memory of the web page: `python -m benchmarks.web`. Needs the extra `web`.

It starts a server on a free port of this machine with a database of many records, and measures how long pages take.
Then many uploads come at once while others read; at the end every record must be analysed. Client and server share the
cores.
"""

import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from ecg_edge.detector import Detector
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import find_records
from ecg_edge.web import record_table, signals
from ecg_edge.web.database import Database
from ecg_edge.web.small_trace import draw_small_trace

_TOGETHER = 100
_PATIENCE_S = 300
_READERS = 16


@click.command()
@click.option("--records", type=click.IntRange(1), default=10_000, show_default=True, help="Records in the database.")
@click.option("--uploads", type=click.IntRange(1), default=50, show_default=True, help="At once.")
@click.option("--per-upload", type=click.IntRange(1), default=20, show_default=True, help="Records in each.")
@click.option("--reads", type=click.IntRange(1), default=200, show_default=True, help="A second, during the uploads.")
@click.option("--bursts", type=click.IntRange(0), default=2, show_default=True, help="Of uploads, in turn.")
@click.option("--repeat", type=click.IntRange(1), default=20, show_default=True, help="Samples of a time.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="For the database.  [default: /tmp]")
def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    records: int, uploads: int, per_upload: int, reads: int, bursts: int, repeat: int, folder: Path | None
) -> None:
    """Print times of pages, and what a burst of uploads does to them."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        started = time.perf_counter()
        _fill(Path(home), records)
        click.echo(f"{records} records stored in {time.perf_counter() - started:.0f} s\n")
        with _serve(Path(home)) as server:
            _measure_pages(server, records, repeat)
            for _ in range(bursts):
                _measure_burst(server, uploads, per_upload, reads)


@dataclass(slots=True)
class _Server:
    """A server process."""

    process: subprocess.Popen[str]
    host: str

    def get(self, path: str, connection: HTTPConnection | None = None) -> tuple[int, bytes]:
        """Return status and body."""
        connection = connection or HTTPConnection(self.host, timeout=_PATIENCE_S)
        connection.request("GET", path, headers={"Accept": "text/html, application/json;q=0.9"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def memory(self) -> "_Memory":
        """Return the memory of the server and its worker."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        return _Memory(_read_memory(self.process.pid), sum(map(_read_memory, children)))


class _Memory(NamedTuple):
    """Memory in MB, without what is shared with files."""

    server: float
    worker: float


@dataclass(slots=True)
class _Reads:
    """What the readers saw."""

    times_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    late: int = 0
    """Reads that began later than they should."""


def _fill(home: Path, count: int) -> None:
    """Store copies of the two example recordings with their answers."""
    database, detector, random = Database(home), Detector(), np.random.default_rng(0)
    recordings = [file.read() for file in find_records(example_recordings())]
    findings = [detector.detect(recording, windows=True) for recording in recordings]
    traces = [draw_small_trace(recording) for recording in recordings]
    packed = [signals.pack(recording, 2**30) for recording in recordings]
    for start in range(0, count, _TOGETHER):
        with database.write() as connection:
            for number in range(start, min(count, start + _TOGETHER)):
                kind = number % len(recordings)
                key, _ = record_table.add(connection, 0, f"record {number:05}", "", str(number))
                signals.insert(connection, key, packed[kind])
                finding = replace(findings[kind], record=f"record {number:05}", probability=float(random.random()))
                record_table.store_finding(connection, key, finding, traces[kind])
    database.close()


@contextmanager
def _serve(home: Path) -> Iterator[_Server]:
    command = [sys.executable, "-m", "ecg_edge", "serve", "--data", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this Python
        try:
            address = process.stdout.readline() if process.stdout else ""
            found = re.fullmatch(r"http://(\S+)/\n", address)
            if found is None:
                sys.exit("the server did not start")
            yield _Server(process, found[1])
        finally:
            process.terminate()


def _measure_pages(server: _Server, records: int, repeat: int) -> None:
    listed = json.loads(server.get("/v1/records?per_page=200")[1])["records"]
    pages: dict[str, Callable[[int], str]] = {
        "list": lambda _: "/",
        "list by probability": lambda _: "/?sort=probability",
        "list of a site": lambda _: "/?finding=infarction&site=inferior",
        "search for a name": lambda number: f"/?q=record+{number * 37 % records:05}",
        "search for a beginning": lambda _: "/?q=record",
        "last page": lambda _: f"/?page={max(1, records // 50)}",
        "record": lambda number: listed[number % len(listed)]["url"],
        "paper ECG, drawn": lambda number: f"/v1/records/{listed[number % len(listed)]['id']}/ecg.svg",
        "paper ECG, kept": lambda _: f"/v1/records/{listed[0]['id']}/ecg.svg",
    }
    click.echo("| page | first | median | largest |\n|---|---|---|---|")
    for name, path in pages.items():
        times = []
        for number in range(repeat):
            started = time.perf_counter()
            status, _ = server.get(path(number))
            times.append((time.perf_counter() - started) * 1000)
            if status != 200:
                sys.exit(f"{name} was answered with {status}")
        click.echo(f"| {name} | {times[0]:.0f} ms | {np.median(times):.0f} ms | {max(times):.0f} ms |")
    click.echo("")


def _measure_burst(server: _Server, uploads: int, per_upload: int, reads: int) -> None:
    before = server.memory()
    bodies = [_make_body(number, per_upload) for number in range(uploads)]
    seen_memory, ended = [before], threading.Event()
    seen = _Reads()
    watcher = threading.Thread(target=_watch_memory, args=(server, seen_memory, ended))
    readers = [threading.Thread(target=_read, args=(server, reads / _READERS, ended, seen)) for _ in range(_READERS)]
    for thread in (watcher, *readers):
        thread.start()
    started = time.perf_counter()
    with ThreadPoolExecutor(uploads) as pool:
        answers = list(pool.map(lambda body: _upload(server, body), bodies))
    accepted_s = time.perf_counter() - started
    left = [answer["upload"] for answer in answers]
    lost = 0
    while left and time.perf_counter() - started < _PATIENCE_S:
        progress = json.loads(server.get(f"/v1/uploads/{left[0]}")[1])
        if progress["done"] + progress["failed"] == progress["total"]:
            lost += per_upload - progress["done"]
            left.pop(0)
        else:
            time.sleep(0.1)
    analysed_s = time.perf_counter() - started
    ended.set()
    for thread in (watcher, *readers):
        thread.join()
    times = np.array(seen.times_s) * 1000
    click.echo(f"{uploads} uploads of {per_upload} records at once: accepted in {accepted_s:.1f} s, ", nl=False)
    click.echo(f"analysed in {analysed_s:.1f} s; {lost + per_upload * len(left)} records lost or without an answer")
    click.echo(f"reads meanwhile: {len(times)} ({len(times) / analysed_s:.0f} a second), ", nl=False)
    click.echo(f"median {np.median(times):.0f} ms, 95% below {np.percentile(times, 95):.0f} ms, ", nl=False)
    click.echo(f"largest {times.max():.0f} ms; statuses {dict(seen.statuses)}; {seen.late} began late")
    after = server.memory()
    for name in _Memory._fields:
        most = max(getattr(memory, name) for memory in seen_memory)
        click.echo(f"memory of the {name}: {getattr(before, name):.0f} MB before, {most:.0f} MB at most, ", nl=False)
        click.echo(f"{getattr(after, name):.0f} MB after")


def _make_body(number: int, count: int) -> bytes:
    """Return a form with an archive of records that differ from those of other archives."""
    signal = np.load(example_recordings() / "inferior_infarction.npy")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for each in range(count):
            content = io.BytesIO()
            np.save(content, signal + np.float32(0.001 * number))
            archive.writestr(f"upload {number} record {each}.npy", content.getvalue())
    head = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="records.zip"\r\n\r\n'
    return head + file.getvalue() + b"\r\n--mark--\r\n"


def _upload(server: _Server, body: bytes) -> dict[str, Any]:
    connection = HTTPConnection(server.host, timeout=_PATIENCE_S)
    connection.request("POST", "/v1/uploads", body, {"Content-Type": "multipart/form-data; boundary=mark"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 202:
        sys.exit(f"an upload was answered with {answer.status}: {content.decode()}")
    answered: dict[str, Any] = json.loads(content)
    return answered


def _read(server: _Server, rate: float, ended: threading.Event, seen: _Reads) -> None:
    """Read lists, records and pictures at a rate until the end."""
    paths = ["/v1/records?per_page=20", "/v1/health", "/v1/records?q=record+00001", "/v1/version"]
    listed = json.loads(server.get("/v1/records?per_page=5&sort=probability")[1])["records"]
    paths += [f"/v1/records/{record['id']}{part}" for record in listed for part in ("", "/ecg.svg", "/trace.svg")]
    connection = HTTPConnection(server.host, timeout=_PATIENCE_S)
    due = time.perf_counter()
    for turn in range(10**9):
        if ended.is_set():
            return
        due += 1 / rate
        wait = due - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        elif wait < -1 / rate:
            seen.late += 1
        started = time.perf_counter()
        status, _ = server.get(paths[turn % len(paths)], connection)
        seen.times_s.append(time.perf_counter() - started)
        seen.statuses[status] += 1


def _watch_memory(server: _Server, seen: list[_Memory], ended: threading.Event) -> None:
    while not ended.wait(0.2):
        seen.append(server.memory())


def _read_memory(number: int) -> float:
    try:
        status = Path(f"/proc/{number}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
