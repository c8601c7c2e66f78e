"""Runs the server: from settings to a process that answers."""

import socket
import sys
from collections.abc import Callable

import uvicorn

from ecg_edge.errors import EcgEdgeError
from ecg_edge.web.app import make_app, make_services
from ecg_edge.web.memory import limit_heaps
from ecg_edge.web.settings import Settings

_BACKLOG = 512
_GRACE_S = 10
_SWITCH_S = 0.0005


class ListeningError(EcgEdgeError, OSError):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot listen on {host}, port {port}: {why}; choose another --port, or 0 for any free one")


def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Answer requests until a signal ends the process.

    Args:
        settings: Where to listen, and where the data is.
        tell: Called with the address when the server is about to answer.

    Raises:
        EcgEdgeError: The address is taken, the data folder cannot be written, or the models cannot be used.
    """
    # Reading an upload must not keep the pages waiting for the interpreter's lock.
    sys.setswitchinterval(_SWITCH_S)
    services = make_services(settings)
    limit_heaps()
    listener = _listen(settings.host, settings.port)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    tell(f"http://{host}:{listener.getsockname()[1]}/")
    config = uvicorn.Config(
        make_app(services),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        ws_max_size=2**20,
        ws_max_queue=4,
    )
    uvicorn.Server(config).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListeningError(host, port, error.strerror or str(error)) from error
    return listener
