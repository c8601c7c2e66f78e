"""The command `ecg-edge serve`: how it starts and ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ecg_edge.web.database import FILE_NAME, Database


def ecg_edge_serve(*options, environment=None):
    return subprocess.run(
        [sys.executable, "-m", "ecg_edge", "serve", *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )


def is_one_line(result, status, *words):
    lines = result.stderr.splitlines()
    return result.returncode == status and len(lines) == 1 and all(word in lines[0] for word in words)


def test_the_address_is_printed_and_a_signal_ends_it(serve, tmp_path):
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        served = serve(tmp_path / str(number))
        assert served.client.get("/").status_code == 200
        served.send(number)
        assert served.process.returncode == status
        rest = served.process.stderr.read()
        assert "Traceback" not in rest
        # The log is emptied and removed when the server ends as it should.
        assert [path.name for path in served.data.iterdir()] == [FILE_NAME]


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = ecg_edge_serve("--data", tmp_path, "--port", taken.getsockname()[1])
    assert is_one_line(result, 1, "error:", "cannot listen", "--port")


def test_an_address_of_another_machine_is_one_line(tmp_path):
    result = ecg_edge_serve("--data", tmp_path, "--port", 0, "--host", "192.0.2.1", "--token", "x" * 16)
    assert is_one_line(result, 1, "error:", "cannot listen on 192.0.2.1")


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for place in ("/proc/none", tmp_path / "file" / "data"):
        result = ecg_edge_serve("--data", place, "--port", 0)
        assert is_one_line(result, 1, "error:", str(place), "cannot hold the database")


def test_a_database_that_is_none_or_of_a_later_version_is_one_line(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 1000)
    assert is_one_line(ecg_edge_serve("--data", tmp_path, "--port", 0), 1, "error:", "cannot hold the database")
    later = tmp_path / "later"
    database = Database(later)
    with database.write() as connection:
        connection.execute("PRAGMA user_version = 99")
    database.close()
    assert is_one_line(ecg_edge_serve("--data", later, "--port", 0), 1, "error:", "later version")


def test_models_that_cannot_be_used_are_one_line(tmp_path):
    (tmp_path / "models").mkdir()
    result = ecg_edge_serve("--data", tmp_path / "data", "--port", 0, "--models", tmp_path / "models")
    assert is_one_line(result, 1, "error:", "models")


@pytest.mark.parametrize("library", ["fastapi", "uvicorn", "jinja2", "python_multipart", "websockets"])
def test_a_missing_library_is_one_line_that_names_the_extra(tmp_path, library):
    """A package of this name whose import fails as that of a missing one."""
    (tmp_path / f"{library}.py").write_text(f"raise ModuleNotFoundError('no', name={library!r})\n")
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}"
    result = ecg_edge_serve("--data", tmp_path / "data", "--port", 0, environment={"PYTHONPATH": path})
    assert is_one_line(result, 1, "error:", 'pip install "ecg_edge[web]"')
    assert not (tmp_path / "data").exists()
