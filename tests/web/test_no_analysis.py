"""When the analysis cannot run: records wait, everybody learns why, and nothing is tried without pause."""

import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from served import PATIENCE_S, find_worker

from ecg_edge.package_data import shipped_models
from ecg_edge.web.database import FILE_NAME
from ecg_edge.web.supervisor import Pauses

TOKEN = "a-token-for-these-tests-only"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


def wait_for_health(served, status, headers=None):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        answer = served.client.get("/v1/health", headers=headers)
        if answer.status_code == status:
            return answer
        time.sleep(0.05)
    raise AssertionError(answer.text)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs the process list of Linux")
def test_records_wait_without_a_crash_while_no_worker_can_start(serve, tmp_path, normal):
    models, away = tmp_path / "models", tmp_path / "away"
    shutil.copytree(shipped_models(), models)
    served = serve(tmp_path / "data", "--models", models, environment={"ECG_EDGE_TOKEN": TOKEN})
    served.client.headers.update(KNOWN)
    worker = find_worker(served.process)
    models.rename(away)
    os.kill(worker, signal.SIGKILL)

    # The reason of the signal comes first, then that of the next worker.
    end = time.monotonic() + PATIENCE_S
    while str(models) not in (problem := wait_for_health(served, 503).json()["detail"]) and time.monotonic() < end:
        time.sleep(0.05)
    assert str(models) in problem
    assert "records are accepted, and wait" in problem
    stranger = wait_for_health(served, 503, {"Authorization": ""}).json()["detail"]
    assert str(tmp_path) not in stranger

    upload = served.upload(("a.npy", normal))
    page = served.client.get("/", headers={"Accept-Language": "ru"})
    assert "Анализ сейчас не выполняется" in page.text
    assert str(models) in page.text
    (record,) = served.client.get("/v1/records").json()["records"]
    assert record["status"] == "pending"
    page = served.client.get(record["url"], headers={"Accept-Language": "en"}).text
    assert "The analysis cannot run" in page
    # There is nothing to download yet.
    assert "Download" not in page
    assert "Delete this record" in page

    away.rename(models)
    assert served.wait(upload)["done"] == 1
    assert wait_for_health(served, 200).json() == {"status": "ok"}
    assert "cannot run" not in served.client.get("/", headers={"Accept-Language": "en"}).text
    database = sqlite3.connect(served.data / FILE_NAME)
    assert database.execute("SELECT crashes FROM records").fetchall() == [(0,)]
    database.close()


def test_the_pause_before_the_next_worker_grows_until_one_can_work():
    pauses = Pauses()
    tried = [pauses.after(0.1, crashed=False) for _ in range(10)]
    assert tried == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert pauses.after(3600, crashed=False) == 0.5
    assert pauses.after(0.1, crashed=False) == 1
    # A record that ends the worker is given up after a few times; the others do not wait for that.
    assert pauses.after(0.1, crashed=True) == 0.5
