"""Servers for the tests of the page; without the extra `web`, they are skipped."""

import pytest
from served import Served

from ecg_edge.package_data import example_recordings


@pytest.fixture(scope="session", autouse=True)
def _needs_the_extra():
    for library in ("fastapi", "uvicorn", "python_multipart", "jinja2", "websockets", "httpx"):
        pytest.importorskip(library, reason=f"the extra web or {library} is not installed")


@pytest.fixture(scope="session")
def serve():
    """Start servers, and end them all."""
    started = []

    def start(data, *options, environment=None):
        started.append(Served(data, *options, environment=environment))
        return started[-1]

    yield start
    for served in started:
        served.stop()


@pytest.fixture(scope="module")
def served(serve, tmp_path_factory):
    """A server with an empty database; the tests of a module share it."""
    return serve(tmp_path_factory.mktemp("served") / "data")


@pytest.fixture(scope="session")
def normal():
    return (example_recordings() / "normal.npy").read_bytes()


@pytest.fixture(scope="session")
def infarction():
    return (example_recordings() / "inferior_infarction.npy").read_bytes()
