"""What is too much, too slow or too large is refused with its status, and the server goes on."""

import asyncio
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import numpy as np
import pytest
from served import npy

from ecg_edge import Recording
from ecg_edge.errors import UnreadableError
from ecg_edge.web import signals

MIB = 2**20
LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


def is_problem(answer, status, *words):
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == answer.json()["status"] == status, answer.text
    assert all(word in answer.json()["detail"] for word in words), answer.text
    return True


@pytest.mark.parametrize(
    ("path", "content_type", "most"),
    [
        ("/v1/records", "application/json", 16 * MIB),
        ("/v1/submission", "text/csv", 16 * MIB),
        ("/v1/submission", "multipart/form-data; boundary=x", 16 * MIB),
        ("/v1/records", "multipart/form-data; boundary=x", 128 * MIB),
        ("/login", "application/x-www-form-urlencoded", MIB),
    ],
)
def test_a_body_is_refused_by_its_stated_length_before_it_comes(served, path, content_type, most):
    address = urlsplit(served.address)
    for length, status in ((most, b"408"), (most + 1, b"413")):
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {content_type}\r\n"
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
            if status == b"408":
                # This one is taken: the server waits for it.
                connection.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    connection.recv(1)
            else:
                assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_of_json_without_a_stated_length_is_bounded_too(served):
    def pieces():
        for _ in range(17):
            yield b" " * MIB

    answer = served.client.post("/v1/records", content=pieces(), headers={"Content-Type": "application/json"})
    assert is_problem(answer, 413, str(16 * MIB))


def test_a_form_with_too_many_parts_is_refused(served):
    files = [("files", (f"{number}.npy", b"")) for number in range(1001)]
    assert is_problem(served.client.post("/v1/uploads", files=files), 400, "1000")
    fields = {f"field{number}": "x" for number in range(21)}
    assert is_problem(served.client.post("/v1/uploads", files=files[:1], data=fields), 400, "20")
    assert is_problem(served.client.post("/v1/uploads", files=files[:1], data={"leads": "x" * 2**17}), 400)


@pytest.mark.parametrize(
    "query", ["/v1/records?per_page=201", "/v1/records?page=0", "/v1/records?q=" + "x" * 256, "/v1/records?sort=name"]
)
def test_a_list_is_asked_for_within_limits(served, query):
    assert is_problem(served.client.get(query), 422)


def test_samples_and_waits_are_bounded(served, normal):
    record = served.client.post("/v1/records?wait=30", files={"file": ("a.npy", normal)}).json()
    path = f"/v1/records/{record['id']}/samples"
    assert is_problem(served.client.get(path, params={"start": 10, "end": 20}), 422, "10 s")
    assert is_problem(served.client.get(path, params={"start": 0, "end": 1e9}), 422)
    assert is_problem(served.client.post("/v1/records?wait=31", files={"file": ("a.npy", normal)}), 422)
    long = npy(np.zeros((12, 500 * 70), np.float32))
    record = served.client.post("/v1/records?wait=30", files={"file": ("long.npy", long)}).json()
    path = f"/v1/records/{record['id']}/samples"
    assert is_problem(served.client.get(path, params={"end": 61}), 422, "longer than 60 s")
    assert served.client.get(path, params={"end": 60}).status_code == 200


def listen(feed, told):
    """Collect what a feed says until it is closed."""
    while True:
        told.append(feed.recv())


def test_the_thirty_third_feed_is_refused_and_a_closed_one_makes_room(served):
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    address = f"{served.address.replace('http', 'ws')}/v1/stream"
    with ExitStack() as feeds:
        for _ in range(32):
            feeds.enter_context(connect(address))
        told = []
        with connect(address) as refused, pytest.raises(ConnectionClosed) as closed:
            listen(refused, told)
        assert closed.value.rcvd.code == 1013
        # An old client can lose what came right before the end.
        assert all('"status":503' in text.replace(" ", "") for text in told)
    until = time.monotonic() + 30
    while "ecg_edge_live_feeds 0" not in served.client.get("/metrics").text:
        assert time.monotonic() < until
        time.sleep(0.1)
    with connect(address) as feed:
        feed.send(f'{{"sampling_rate": 500, "units": "mV", "leads": {LEADS}}}'.replace("'", '"'))
        feed.send(np.zeros(12 * 500, "<f4").tobytes())
        assert "time_s" in feed.recv()


def test_samples_beyond_the_limit_are_not_stored():
    recording = Recording(np.zeros((12, 1000), np.float32), 500)
    assert len(signals.pack(recording, 48_000).content) == 48_000
    with pytest.raises(UnreadableError, match="more than 47999"):
        signals.pack(recording, 47_999)


def post(app, path, body, headers):
    """Send a request to an application in this process, whose worker does not run."""
    import httpx

    async def send():
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False))
        async with client:
            return await client.post(f"http://127.0.0.1{path}", content=body, headers=headers)

    return asyncio.run(send())


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    from ecg_edge.web.app import make_services
    from ecg_edge.web.settings import Settings

    made = make_services(Settings(tmp_path_factory.mktemp("limits")))
    yield made
    made.database.close()


FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def form_of(content):
    return b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.npy"\r\n\r\n' + content + b"\r\n--x--\r\n"


def trickle(pieces, pause_s):
    async def send():
        for piece in pieces:
            yield piece
            await asyncio.sleep(pause_s)

    return send()


def test_a_body_that_stops_or_that_trickles_is_given_up(services, monkeypatch):
    from ecg_edge.web import guard
    from ecg_edge.web.app import make_app

    monkeypatch.setattr(guard, "_SLOWEST_S", 0.3)
    app = make_app(services)
    assert is_problem(post(app, "/v1/uploads", trickle([b"--x\r\n", b""], 1), FORM), 408, "slowly")
    # Each piece comes in time; the whole never would.
    assert is_problem(post(app, "/v1/uploads", trickle([form_of(b"")[:-7], *[b"0"] * 100], 0.05), FORM), 408, "slowly")
    # A slow line is fast enough.
    body = form_of(npy(np.zeros((12, 2000), np.float32)))
    pieces = [body[start : start + 8192] for start in range(0, len(body), 8192)]
    assert post(app, "/v1/uploads", trickle(pieces, 0.05), FORM).status_code == 202


def test_an_upload_waits_for_room_and_is_told_to_come_again(services, monkeypatch):
    from ecg_edge.web import bodies
    from ecg_edge.web.app import make_app

    monkeypatch.setattr(bodies, "_WAIT_S", 0.1)
    app = make_app(services)
    monkeypatch.setattr(services.budget, "_left", 10)
    answer = post(app, "/v1/uploads", form_of(b"x"), FORM)
    assert is_problem(answer, 503, "too many uploads")
    assert answer.headers["retry-after"] == "30"


def test_a_full_disk_is_a_problem_that_may_pass(services, normal):
    from ecg_edge.web.app import make_app

    app = make_app(services)
    with services.database.write() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    services.database._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    answer = post(app, "/v1/uploads", form_of(normal), FORM)
    assert is_problem(answer, 503, "full", "try again")
    services.database._writer.execute("PRAGMA max_page_count = 1000000")
    assert post(app, "/v1/uploads", form_of(normal), FORM).status_code == 202
