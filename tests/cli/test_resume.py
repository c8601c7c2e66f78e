"""A long run that is killed goes on where it stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from run_command import ecg_edge, is_refused

from ecg_edge.package_data import example_recordings

NORMAL = example_recordings() / "normal.npy"
KEPT = "day.jsonl.unfinished"


@pytest.fixture
def ward(tmp_path):
    """Records of several lengths; one is damaged, and one cannot be analysed."""
    folder = tmp_path / "ward"
    folder.mkdir()
    signal_mv = np.load(NORMAL)
    for number in range(30):
        # Too large to be answered in a batch with others.
        np.save(folder / f"{number:02}.npy", np.tile(signal_mv, 8)[:, : 35_000 + 100 * number])
    (folder / "03.npy").write_bytes(b"\x93NUMPY broken")
    np.save(folder / "04.npy", signal_mv[:, :100])
    shutil.make_archive(str(folder / "z"), "zip", example_recordings())
    return folder


def arguments_for(ward, output):
    return [ward, "--format", "jsonl", "--output", output, "--threads", "1"]


def kill_in_the_middle(arguments, kept, n_lines):
    command = [sys.executable, "-m", "ecg_edge", "run", *map(str, arguments), "--resume"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while not (kept.exists() and kept.read_bytes().count(b"\n") > n_lines):
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_run_that_is_killed_twice_ends_with_the_bytes_of_a_whole_run(tmp_path, ward):
    whole = ecg_edge(*arguments_for(ward, tmp_path / "whole.jsonl"))
    output = tmp_path / "day.jsonl"
    for n_lines in (3, 12):
        kill_in_the_middle(arguments_for(ward, output), tmp_path / KEPT, n_lines)
        assert not output.exists()
    kept = (tmp_path / KEPT).read_bytes()
    resumed = ecg_edge(*arguments_for(ward, output), "--resume")
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (resumed.returncode, resumed.stderr) == (1, "2 of 32 records could not be answered\n")
    assert (whole.returncode, whole.stderr) == (resumed.returncode, resumed.stderr)
    assert kept.count(b"\n") < 33
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day.jsonl", "ward", "whole.jsonl"]


@pytest.fixture
def stopped(tmp_path):
    """What a killed run left: two of three answers and a part of the third."""
    folder = tmp_path / "three"
    folder.mkdir()
    for name in "abc":
        shutil.copy(NORMAL, folder / f"{name}.npy")
    (tmp_path / "day.jsonl").write_text("yesterday")
    arguments = [folder, "--format", "jsonl", "--output", tmp_path / "day.jsonl", "--resume"]
    kill = "import os, json, ecg_edge.rendering as r; whole = r.jsonl; r.jsonl = lambda found: (line if i < 2 else os._exit(9) for i, line in enumerate(whole(found))); from ecg_edge.__main__ import main; main()"
    assert subprocess.run([sys.executable, "-c", kill, "run", *map(str, arguments)], check=False).returncode == 9
    with (tmp_path / KEPT).open("a") as kept:
        kept.write('{"schema": 1, "record": "c", "sou')
    return arguments


def records_in(output):
    return [json.loads(line)["record"] for line in output.read_text().splitlines()]


def test_only_the_missing_records_are_answered_and_a_torn_line_is_answered_again(tmp_path, stopped):
    assert (tmp_path / "day.jsonl").read_text() == "yesterday"
    for name in "ab":
        (tmp_path / "three" / f"{name}.npy").write_bytes(b"this would be an error now")
    assert ecg_edge(*stopped).returncode == 0
    assert records_in(tmp_path / "day.jsonl") == ["a", "b", "c"]
    assert not (tmp_path / KEPT).exists()


def test_a_run_that_was_killed_after_its_last_record_only_writes_the_output(tmp_path, stopped):
    (tmp_path / "three" / "c.npy").unlink()
    assert ecg_edge(*stopped).returncode == 0
    assert records_in(tmp_path / "day.jsonl") == ["a", "b"]


def is_refused_and_nothing_is_lost(tmp_path, arguments, why):
    before = (tmp_path / KEPT).read_bytes()
    result = ecg_edge(*arguments)
    return (
        is_refused(result, 1)
        and why in result.stderr
        and (tmp_path / "day.jsonl").read_text() == "yesterday"
        and (tmp_path / KEPT).read_bytes() == before
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--explain"], "other settings: explain\n"),
        (["--all-sites"], "other settings: all_sites\n"),
        (["--windows", "--units", "uV"], "other settings: windows, units\n"),
        (["--no-quality-gate"], "other settings: no_quality_gate\n"),
        (["--leads", "I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6"], "other settings: leads\n"),
    ],
)
def test_answers_of_other_options_are_not_resumed(tmp_path, stopped, options, why):
    assert is_refused_and_nothing_is_lost(tmp_path, [*stopped, *options], why)


def test_answers_of_other_models_are_not_resumed(tmp_path, stopped, tiny_folder):
    assert is_refused_and_nothing_is_lost(tmp_path, [*stopped, "--models", tiny_folder], "other settings: models\n")


def test_answers_of_another_version_are_not_resumed(tmp_path, stopped):
    kept = (tmp_path / KEPT).read_text()
    (tmp_path / KEPT).write_text(kept.replace('"ecg_edge": "', '"ecg_edge": "0', 1))
    assert is_refused_and_nothing_is_lost(tmp_path, stopped, "other settings: ecg_edge\n")


def test_answers_of_other_records_are_not_resumed(tmp_path, stopped):
    shutil.copy(NORMAL, tmp_path / "three" / "aa.npy")
    with (tmp_path / KEPT).open("rb+") as kept:
        kept.truncate((tmp_path / KEPT).read_bytes().rindex(b"\n") + 1)
    assert is_refused_and_nothing_is_lost(tmp_path, stopped, f"record 2 was {tmp_path}/three/b.npy, it is now")
    for name in ("aa", "b", "c"):
        (tmp_path / "three" / f"{name}.npy").unlink()
    assert is_refused_and_nothing_is_lost(tmp_path, stopped, "there are now 1 records")


@pytest.mark.parametrize("content", [b"my own notes", b"my own notes\nand more", b"[]\n", b"\xff\n"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path, stopped, content):
    (tmp_path / KEPT).write_bytes(content)
    assert is_refused_and_nothing_is_lost(tmp_path, stopped, "it is damaged")


def test_a_run_that_was_killed_while_it_wrote_its_settings_starts_again(tmp_path, stopped):
    os.truncate(tmp_path / KEPT, 20)
    assert ecg_edge(*stopped).returncode == 0
    assert records_in(tmp_path / "day.jsonl") == ["a", "b", "c"]


def test_two_runs_do_not_resume_the_same_output(tmp_path, stopped):
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / KEPT).open("rb+") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        assert is_refused_and_nothing_is_lost(tmp_path, stopped, "is being written by another run")


@pytest.mark.parametrize("options", [["--format", "csv", "--output", "x.csv"], ["--format", "jsonl"]])
def test_resuming_needs_lines_in_a_file(options):
    assert ecg_edge(NORMAL, "--resume", *options).returncode == 2


def test_resuming_needs_files_that_can_be_read_again(tmp_path):
    lines = ["--resume", "--format", "jsonl", "--output"]
    assert ecg_edge("-", *lines, tmp_path / "x.jsonl").returncode == 2
    for output in ("/dev/null", tmp_path / "no" / "x.jsonl"):
        assert is_refused(ecg_edge(NORMAL, *lines, output), 1)
