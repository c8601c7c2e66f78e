"""A live feed on standard input, and the quality gate at the command line."""

import csv
import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from ecg_edge import Recording, read_recording
from ecg_edge.package_data import example_recordings
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.resampling import resample

ILL = read_recording(example_recordings() / "inferior_infarction.npy").stretch(0, 5000)


def ecg_edge(*arguments, stdin=b""):
    command = [sys.executable, "-m", "ecg_edge", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def frames(leads):
    return np.ascontiguousarray(leads.T, "<f4").tobytes()


def started(*arguments):
    command = [sys.executable, "-m", "ecg_edge", "run", "--follow", "-", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_feed_gets_a_line_a_second_and_one_for_its_end():
    result = ecg_edge("run", "--follow", "-", "--format", "jsonl", stdin=frames(np.hstack([ILL, ILL[:, :700]])))
    assert (result.returncode, result.stderr) == (0, b"")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["time_s"] for line in lines] == [*range(1, 12), 11.4]
    assert [line["so_far"]["status"] for line in lines[:2]] == ["cannot_analyse", "detected"]
    assert (lines[-1]["last"]["duration_s"], lines[-1]["so_far"]["duration_s"]) == (10, 11.4)
    (offline,) = json.loads(
        ecg_edge("run", example_recordings() / "inferior_infarction.npy", "--format", "json").stdout
    )
    assert lines[9]["last"]["probability"] == pytest.approx(offline["probability"], abs=1e-6)


def test_a_feed_of_another_rate_unit_and_lead_order_is_followed():
    pytest.importorskip("soxr")
    leads = ("V6", "V5", "V4", "V3", "V2", "V1", "II", "I")
    other = resample(Recording(ILL), 1000)
    signal = 1000 * other.stretch(0, other.samples)[[LEADS.index(lead) for lead in leads]]
    options = ["--sampling-rate", "1000", "--units", "uV", "--leads", ",".join(leads), "--format", "jsonl"]
    result = ecg_edge("run", "--follow", "-", *options, stdin=frames(signal))
    assert (result.returncode, result.stderr) == (0, b"")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["time_s"] for line in lines] == list(range(1, 11))
    assert lines[-1]["so_far"]["status"] == "detected"
    assert lines[-1]["so_far"]["sampling_rate"] == 1000


def test_a_line_comes_as_soon_as_its_second_is_there():
    with started() as process:
        for second in range(2):
            process.stdin.write(frames(ILL[:, second * 500 : second * 500 + 500]))
            process.stdin.flush()
            assert process.stdout.readline().startswith(f"{second + 1}.0 s: last".encode())
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_ctrl_c_ends_a_feed_cleanly():
    with started() as process:
        process.stdin.write(frames(ILL))
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in range(10)]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert lines[-1].startswith(b"10.0 s: ")
        assert process.stdout.read() == process.stderr.read() == b""


def write_on(pipe):
    for _ in range(10_000):
        pipe.write(frames(ILL))
        pipe.flush()


def test_a_reader_that_goes_away_ends_a_feed_without_a_word():
    with started() as process:
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            write_on(process.stdin)
        process.wait(20)
        assert process.returncode == 1
        assert process.stderr.read() == b""
        process.stdin = None


def test_a_feed_that_ends_within_a_frame_says_so():
    result = ecg_edge("run", "--follow", "-", stdin=frames(ILL[:, :1000]) + b"abc")
    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr == b"error: stdin: ends within a frame: 3 of its 48 bytes came\n"


@pytest.mark.parametrize("form", ["text", "jsonl"])
@pytest.mark.parametrize("feed", [b"", frames(ILL[:, :400]), frames(ILL * 1000)])
def test_a_feed_without_an_answer_at_its_end_has_status_1(form, feed):
    result = ecg_edge("run", "--follow", "-", "--format", form, stdin=feed)
    assert (result.returncode, result.stderr) == (1, b"the feed could not be answered\n")


@pytest.mark.parametrize("arguments", [["x.npy"], ["-", "x.npy"], ["-", "--format", "csv"], ["-", "--format", "json"]])
def test_a_feed_is_standard_input_alone_and_has_lines(arguments):
    assert ecg_edge("run", "--follow", *arguments).returncode == 2


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "records"
    home.mkdir()
    np.save(home / "good.npy", ILL)
    np.save(home / "microvolts.npy", ILL * 1000)
    np.save(home / "short.npy", ILL[:, :500])
    return home


def test_a_record_that_cannot_be_analysed_has_its_reason_and_status_1(folder):
    result = ecg_edge("run", folder, "--format", "jsonl")
    assert result.returncode == 1
    assert result.stderr == b"2 of 3 records could not be answered\n"
    good, microvolts, short = (json.loads(line) for line in result.stdout.splitlines())
    assert (good["status"], microvolts["status"], short["status"]) == ("detected", "cannot_analyse", "cannot_analyse")
    assert microvolts["reasons"][0]["code"] == "too_large"
    assert "probability" not in microvolts


def test_people_and_tables_get_the_reason_too(folder):
    text = ecg_edge("run", folder).stdout.decode()
    assert (
        "microvolts: Cannot be analysed\n  10.0 s at 500 Hz\n  reason: the amplitude is about 1000 times what" in text
    )
    rows = list(csv.DictReader(io.StringIO(ecg_edge("run", folder, "--format", "csv").stdout.decode())))
    assert [row["reasons"] for row in rows] == ["", "too_large", "too_short"]


def test_without_the_gate_what_can_be_answered_is(folder):
    result = ecg_edge("run", folder, "--format", "jsonl", "--no-quality-gate")
    good, microvolts, short = (json.loads(line) for line in result.stdout.splitlines())
    assert microvolts["status"] in ("detected", "not_detected")
    assert microvolts["warnings"][0]["code"] == "too_large"
    assert (good["status"], short["status"], result.returncode) == ("detected", "cannot_analyse", 1)


def test_a_submission_leaves_those_rows_and_says_so(folder, tmp_path):
    header = "record_name,перегородочный,передний,боковой,передне-боковой,передне-перегородочный,нижний,норма"
    (tmp_path / "sample.csv").write_text(f"{header}\nmicrovolts,0,0,0,0,0,0,0\ngood,0,0,0,0,0,0,0\n", encoding="utf-8")
    result = ecg_edge("run", folder, "--format", "submission", "--sample", tmp_path / "sample.csv")
    assert result.returncode == 1
    assert result.stdout.decode().splitlines()[1:] == ["microvolts,0,0,0,0,0,0,0", "good,0,0,0,0,0,1,0"]
    assert b"cannot_analyse: microvolts: the amplitude is about 1000 times what" in result.stderr


def test_notes_of_one_kind_are_one_line_for_people(tmp_path):
    dead = ILL.copy()
    dead[8:10, 1000:4000] = 0
    np.save(tmp_path / "dead.npy", dead)
    text = ecg_edge("run", tmp_path, "--no-quality-gate").stdout.decode()
    assert "warning: V3 is flat from 2.0 to 8.0 s; likewise V4\n" in text
    assert os.linesep * 3 not in text
