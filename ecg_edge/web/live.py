"""A live feed over a WebSocket: samples in, an answer about every second out."""

import json
from functools import partial
from typing import Any

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray

from ecg_edge.errors import EcgEdgeError
from ecg_edge.feed import Seconds, answer_second, to_dict
from ecg_edge.stream import Stream
from ecg_edge.web.problems import make_problem
from ecg_edge.web.services import Services, services_of
from ecg_edge.web.wording import word

MOST_FEEDS = 32
_FASTEST_HZ = 10_000
_REFUSED = 1008
_BUSY = 1013

router = APIRouter()


@router.websocket("/v1/stream")
async def answer_feed(socket: WebSocket) -> None:
    """Answer a feed: a first message of JSON with rate, leads and units, then frames of little-endian float32."""
    services = services_of(socket)
    await socket.accept()
    if services.metrics.live_feeds >= MOST_FEEDS:
        await _refuse(socket, 503, f"there are {MOST_FEEDS} live feeds already", _BUSY)
        return
    services.metrics.live_feeds += 1
    try:
        await _answer(socket, services)
    except (EcgEdgeError, ValueError) as error:
        await _refuse(socket, 422, word(error), _REFUSED)
    except WebSocketDisconnect:
        pass
    finally:
        services.metrics.live_feeds -= 1


async def _answer(socket: WebSocket, services: Services) -> None:
    first = await socket.receive()
    if first["type"] == "websocket.disconnect":
        return
    stream = await run_sync(_open, services, first.get("text"), limiter=services.live)
    seconds = Seconds(len(stream.leads), stream.sampling_rate)
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("bytes") is None:
            # A text ends the feed: what is left of the last second is answered too.
            for rest in seconds.finish("the feed"):
                await socket.send_json(await run_sync(partial(_push, stream, rest), limiter=services.live))
            await socket.close()
            return
        for second in seconds.push(message["bytes"]):
            await socket.send_json(await run_sync(partial(_push, stream, second), limiter=services.live))


def _open(services: Services, text: str | None) -> Stream:
    """Return the stream that the first message describes.

    Raises:
        ValueError: It is not such a message.
        EcgEdgeError: Its leads, units or rate are not supported.
    """
    given = json.loads(text) if text is not None else None
    if not isinstance(given, dict) or not {"sampling_rate", "leads", "units"} <= given.keys():
        raise ValueError("expected a first message of JSON with sampling_rate, leads and units")
    leads, rate = given["leads"], given["sampling_rate"]
    if not isinstance(leads, list) or not all(isinstance(lead, str) for lead in leads):
        raise ValueError("leads must be a list of names")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= _FASTEST_HZ:
        msg = f"sampling_rate must be a number of Hz up to {_FASTEST_HZ}"
        raise ValueError(msg)
    name = str(given.get("name", "feed"))[:255]
    return services.detector.stream(sampling_rate=rate, leads=tuple(leads), units=str(given["units"]), name=name)


def _push(stream: Stream, second: NDArray[np.float32]) -> dict[str, Any]:
    stream.push(second.T)
    return to_dict(*answer_second(stream))


async def _refuse(socket: WebSocket, status: int, detail: str, code: int) -> None:
    await socket.send_json(make_problem(status, detail))
    await socket.close(code)
