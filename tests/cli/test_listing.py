"""What the paths on the command line hold: nothing is left out without a word."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from written import write_csv, write_npy

from ecg_edge.package_data import example_recordings

SIGNAL = np.load(example_recordings() / "normal.npy")


def run(*arguments, **options):
    command = [sys.executable, "-m", "ecg_edge", "run", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def folder(tmp_path):
    write_npy(tmp_path / "good.npy", SIGNAL)
    (tmp_path / "cart.scp").write_bytes(b"?")
    (tmp_path / "lost.dat").write_bytes(b"?")
    return tmp_path


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 1)])
def test_files_that_are_passed_over_are_named_and_counted(folder, options, status):
    result = run(folder, "--format", "jsonl", *options)
    assert result.returncode == status
    assert json.loads(result.stdout)["record"] == "good"
    first, second, count = result.stderr.splitlines()
    assert first.startswith(f"passed over: {folder / 'cart.scp'}: looks like an SCP-ECG file")
    assert second.startswith(f"passed over: {folder / 'lost.dat'}: is a signal file, and no header")
    assert count == "2 files passed over that may hold recordings"


def test_strict_without_such_files_changes_nothing(tmp_path):
    write_npy(tmp_path / "good.npy", SIGNAL)
    (tmp_path / "notes.txt").write_text("well")
    result = run(tmp_path, "--strict", "--format", "jsonl")
    assert (result.returncode, result.stderr) == (0, "")


def test_records_of_one_name_are_told_apart(tmp_path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        write_npy(tmp_path / place / "full.npy", SIGNAL)
    write_csv(tmp_path / "a" / "full.csv", SIGNAL)
    write_npy(tmp_path / "other.npy", SIGNAL)
    lines = run(tmp_path, "--format", "jsonl").stdout.splitlines()
    names = [json.loads(line)["record"] for line in lines]
    assert names == ["full.csv", str(tmp_path / "a/full.npy"), str(tmp_path / "b/full.npy"), "other"]


def test_a_gain_calibrates_what_is_not_calibrated(tmp_path):
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    header = [f"r 12 500 {SIGNAL.shape[1]}", *(f"r.dat 16 0 16 0 0 0 0 {lead}" for lead in leads)]
    (tmp_path / "r.hea").write_text("\n".join(header))
    (tmp_path / "r.dat").write_bytes(np.round(SIGNAL * 1000).astype("<i2").T.tobytes())
    refused = run(tmp_path / "r.hea", "--format", "jsonl")
    assert refused.returncode == 1
    assert "pass --gain" in json.loads(refused.stdout)["error"]
    answered = json.loads(run(tmp_path / "r.hea", "--format", "jsonl", "--gain", "1000").stdout)
    plain = json.loads(run(example_recordings() / "normal.npy", "--format", "jsonl").stdout)
    assert answered["probability"] == pytest.approx(plain["probability"], abs=1e-4)
    assert run(tmp_path / "r.hea", "--gain", "0").returncode == 2


def test_a_recording_that_claims_to_last_for_years_is_refused_at_once(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 16000000000), }".ljust(117) + b"\n"
    path = tmp_path / "years.npy"
    path.write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header)
    os.truncate(path, 128 + 12 * 4 * 16_000_000_000)
    result = run(path, "--format", "jsonl", timeout=30)
    assert result.returncode == 1
    reason = json.loads(result.stdout)["reasons"][0]
    assert reason["code"] == "too_long"
    assert "claims to last 370.4 days, the limit is 31" in reason["message"]
    short = run(example_recordings() / "normal.npy", "--format", "jsonl", "--max-duration", "0.0001")
    assert json.loads(short.stdout)["reasons"][0]["code"] == "too_long"


def test_standard_input_is_not_read_beyond_what_its_header_states():
    content = (example_recordings() / "normal.npy").read_bytes()
    endless = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, itertools\nfor _ in itertools.count(): sys.stdout.buffer.write(bytes(2**20))",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with endless:
        result = run("-", "--format", "jsonl", stdin=endless.stdout, timeout=60)
        endless.kill()
    assert "is not an .npy file" in json.loads(result.stdout)["error"]
    command = [sys.executable, "-m", "ecg_edge", "run", "-", "--format", "jsonl"]
    result = subprocess.run(command, input=content + bytes(2**22), capture_output=True, check=False)
    assert json.loads(result.stdout)["status"] == "not_detected"
