"""Live feeds over a WebSocket."""

import json

import numpy as np
import pytest
from served import Served

from ecg_edge import Detector
from ecg_edge.package_data import example_recordings
from ecg_edge.recording import LEADS

TOKEN = "a-token-for-these-tests-only"
FIRST = {"sampling_rate": 500, "leads": list(LEADS), "units": "mV", "name": "bed 7"}


def connect(served: Served, **options):
    client = pytest.importorskip("websockets.sync.client")
    return client.connect(served.address.replace("http", "ws") + "/v1/stream", open_timeout=30, **options)


def test_a_feed_is_answered_each_second_as_a_stream_is(served):
    signal = np.load(example_recordings() / "inferior_infarction.npy").astype("<f4")
    content = signal.T.tobytes()
    with connect(served) as socket:
        socket.send(json.dumps(FIRST))
        # Pieces that end within a frame.
        for start in range(0, len(content), 10_001):
            socket.send(content[start : start + 10_001])
        answers = [json.loads(socket.recv(timeout=30)) for _ in range(10)]
    assert [answer["time_s"] for answer in answers] == pytest.approx(range(1, 11))
    stream = Detector().stream(name="bed 7")
    for second in range(10):
        stream.push(signal[:, second * 500 : (second + 1) * 500])
        expected = stream.finding()
        assert answers[second]["so_far"]["status"] == expected.status
        if expected.probability is not None:
            assert answers[second]["so_far"]["probability"] == pytest.approx(expected.probability, abs=1e-6)
    assert answers[-1]["last"]["status"] == "detected"
    assert answers[-1]["last"]["record"] == "bed 7"


def test_a_text_ends_a_feed_and_the_rest_is_answered(served):
    signal = np.load(example_recordings() / "normal.npy").astype("<f4")[:, :1250]
    with connect(served) as socket:
        socket.send(json.dumps(FIRST))
        socket.send(signal.T.tobytes())
        socket.send("end")
        times = [json.loads(message)["time_s"] for message in socket]
    assert times == pytest.approx([1, 2, 2.5])


@pytest.mark.parametrize(
    "first",
    [
        "no json",
        "[]",
        "{}",
        json.dumps(FIRST | {"units": "furlong"}),
        json.dumps(FIRST | {"leads": ["I"]}),
        json.dumps(FIRST | {"leads": "I,II"}),
        json.dumps(FIRST | {"sampling_rate": 1e9}),
        json.dumps(FIRST | {"sampling_rate": "500"}),
        b"\0\0\0\0",
    ],
)
def test_a_first_message_that_describes_no_feed_is_refused_with_a_reason(served, first):
    with connect(served) as socket:
        socket.send(first)
        problem = json.loads(socket.recv(timeout=30))
        assert problem["status"] == 422
        assert problem["detail"]


def test_a_feed_from_a_page_of_another_site_is_refused(served):
    exceptions = pytest.importorskip("websockets.exceptions")
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises((exceptions.InvalidStatus, exceptions.InvalidMessage, ConnectionError)):
            connect(served, additional_headers=headers).close()


def test_a_feed_needs_the_token(serve, tmp_path):
    exceptions = pytest.importorskip("websockets.exceptions")
    guarded = serve(tmp_path / "data", "--token", TOKEN)
    with pytest.raises((exceptions.InvalidStatus, ConnectionError)):
        connect(guarded)
    with connect(guarded, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
        socket.send(json.dumps(FIRST))


def test_closed_feeds_are_no_longer_counted(served):
    for _ in range(3):
        with connect(served) as socket:
            socket.send(json.dumps(FIRST))
            assert "ecg_edge_live_feeds 1" in served.client.get("/metrics").text
    for _ in range(100):
        if "ecg_edge_live_feeds 0" in served.client.get("/metrics").text:
            return
    raise AssertionError("feeds that are closed are still counted")
