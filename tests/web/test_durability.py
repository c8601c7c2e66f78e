"""What is accepted is analysed, whatever happens to the processes; what is deleted is gone."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from served import PATIENCE_S, find_worker, form_token, npy, zipped

from ecg_edge.web import queue, record_table, signals
from ecg_edge.web.database import FILE_NAME, Database


def many(normal, count):
    return zipped(**{f"r{number:03}__npy": normal for number in range(count)})


def wait_for_the_end(number):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and Path(f"/proc/{number}").exists():
        time.sleep(0.02)
    assert not Path(f"/proc/{number}").exists()


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs the process list of Linux")


@needs_proc
def test_a_killed_server_goes_on_where_it_was(serve, tmp_path, normal):
    first = serve(tmp_path / "data")
    worker = find_worker(first.process)
    upload = first.upload(("many.zip", many(normal, 60)))
    while not first.client.get(f"/v1/uploads/{upload['upload']}").json()["done"]:
        time.sleep(0.01)
    first.send(signal.SIGKILL)
    wait_for_the_end(worker)
    database = Database(tmp_path / "data")
    before = record_table.count(database)
    database.close()
    assert before["pending"] > 0
    assert sum(before.values()) == 60
    second = serve(tmp_path / "data")
    progress = second.wait(upload)
    assert (progress["total"], progress["done"]) == (60, 60)


@needs_proc
def test_a_killed_worker_is_replaced_and_nothing_is_lost(serve, tmp_path, normal):
    served = serve(tmp_path / "data")
    upload = served.upload(("many.zip", many(normal, 60)))
    os.kill(find_worker(served.process), signal.SIGKILL)
    progress = served.wait(upload)
    assert (progress["total"], progress["done"]) == (60, 60)
    assert "ecg_edge_worker_restarts_total 1" in served.client.get("/metrics").text


def test_a_record_that_ends_the_worker_again_and_again_is_given_up_and_the_others_are_not(tmp_path):
    database = Database(tmp_path)
    with database.write() as connection:
        numbers = [record_table.add(connection, 1, name, "", "")[0] for name in "abc"]
    # Only the record "b" ends the worker.
    for _ in range(20):
        taken = queue.take(database, 16)
        if not taken:
            break
        if any(item.name == "b" for item in taken):
            queue.count_crash(database)
            continue
        with database.write() as connection:
            done = [(item.number,) for item in taken]
            connection.executemany("UPDATE records SET outcome = 'none', started = 0 WHERE number = ?", done)
    outcomes = {record.name: (record.outcome, record.reason) for record in list_all(database)}
    assert outcomes["a"] == outcomes["c"] == ("none", None)
    assert outcomes["b"][0] == "failed"
    assert "ended the worker" in outcomes["b"][1]
    assert len(numbers) == 3
    database.close()


def test_a_server_that_was_killed_often_gives_no_record_up(tmp_path):
    database = Database(tmp_path)
    with database.write() as connection:
        record_table.add(connection, 1, "a", "", "")
    for _ in range(10):
        assert len(queue.take(database, 16)) == 1
        queue.release(database)
    assert list_all(database)[0].outcome == "pending"
    database.close()


def list_all(database):
    return record_table.list_records(database, record_table.Query(), 1, 100).records


@pytest.mark.parametrize("way", ["program", "page"])
def test_a_deleted_record_is_on_no_byte_of_the_disk(serve, tmp_path, way):
    served = serve(tmp_path / "data")
    secret = np.random.default_rng(7).normal(0, 0.2, (12, 5000)).astype(np.float32)
    (record,) = served.wait(served.upload(("quite_secret_name.npy", npy(secret)), ("other.npy", npy(secret[:, ::-1]))))[
        "records"
    ][:1]
    mark = secret[3, 1000:1400].tobytes()
    assert record["name"] == "quite_secret_name"
    assert on_disk(served.data, mark)
    assert on_disk(served.data, b"quite_secret_name")
    if way == "program":
        assert served.client.delete(f"/v1/records/{record['id']}").status_code == 204
    else:
        browser = served.browser()
        token = form_token(browser.get(f"/records/{record['id']}"))
        answer = browser.post(f"/records/{record['id']}/delete", data={"token_of_form": token})
        assert answer.status_code == 303
    assert not on_disk(served.data, mark)
    assert not on_disk(served.data, b"quite_secret_name")
    for path in ("", "/ecg.svg", "/samples", "/trace.svg", "/report.html"):
        assert served.client.get(f"/v1/records/{record['id']}{path}").status_code == 404
    assert [found["name"] for found in served.client.get("/v1/records").json()["records"]] == ["other"]


def on_disk(folder, mark):
    return any(mark in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_samples_are_stored_as_they_came_and_read_in_parts(tmp_path):
    from ecg_edge import Recording

    database = Database(tmp_path)
    big_endian = np.arange(12 * 700, dtype=">i2").reshape(12, 700)
    packed = signals.pack(Recording(big_endian, 250, units="uV"), 10**6)
    with database.write() as connection:
        number, _ = record_table.add(connection, 1, "a", "a.npy", packed.digest)
        signals.insert(connection, number, packed)
    loaded = signals.load(database, number, "a", "a.npy")
    assert (loaded.sampling_rate, loaded.units, loaded.samples) == (250, "uV", 700)
    np.testing.assert_allclose(loaded.stretch(0, 700), big_endian / 1000, rtol=1e-6)
    np.testing.assert_allclose(loaded.stretch(600, 650), big_endian[:, 600:650] / 1000, rtol=1e-6)
    database.close()


def test_only_the_data_folder_is_written_to(serve, tmp_path, normal):
    """Without a home, and with a folder for temporary files that does not exist."""
    nowhere = {"HOME": "", "TMPDIR": str(tmp_path / "missing"), "XDG_CACHE_HOME": str(tmp_path / "missing")}
    served = serve(tmp_path / "data", environment=nowhere)
    progress = served.wait(served.upload(("large.zip", many(normal, 40)), ("a.npy", normal)))
    assert progress["done"] == 41
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert {path.name for path in served.data.iterdir()} <= {FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"}
    if os.name == "posix":
        assert (served.data / FILE_NAME).stat().st_mode & 0o077 == 0
