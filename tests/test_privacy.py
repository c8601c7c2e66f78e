"""On the device and offline: nothing is sent, and nothing is written that nobody asked for."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from written import write_dicom

from ecg_edge.package_data import example_recordings

# onnxruntime keeps its telemetry to itself where one of these is set.
CI = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
DETECT = """
import sys, time, ecg_edge
detector = ecg_edge.Detector()
recording = ecg_edge.read_recording(sys.argv[1])
print(detector.detect(recording).status, flush=True)
time.sleep(float(sys.argv[2]))
"""
PREFORK = """
import os, signal, sys, ecg_edge
detector = ecg_edge.Detector()
recording = ecg_edge.read_recording(sys.argv[1])
detector.detect(recording)
for _ in range(3):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        detector.detect(recording)
        sys.exit(0)
    print(os.waitpid(child, 0)[1])
"""
WHILE_ANSWERING = """
import os, signal, sys, threading, time, ecg_edge
detector = ecg_edge.Detector(threads=4)
recording = ecg_edge.read_recording(sys.argv[1])
def answer():
    while True:
        list(detector.detect_many([recording] * 8))
for _ in range(2):
    threading.Thread(target=answer, daemon=True).start()
for _ in range(15):
    time.sleep(0.02)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        list(detector.detect_many([recording] * 2))
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
os._exit(0)
"""
EXAMPLE = str(example_recordings() / "normal.npy")


def outside_ci(home, **others):
    kept = {name: value for name, value in os.environ.items() if name not in CI}
    return kept | {"HOME": str(home)} | others


def run(code, home, *arguments, prefix=(), **others):
    command = [*prefix, sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, env=outside_ci(home, **others), capture_output=True, text=True, timeout=100, check=False
    )


def test_nothing_is_written_to_the_home_folder(tmp_path):
    result = run(DETECT, tmp_path, EXAMPLE, "1")
    assert (result.stdout, result.stderr, result.returncode) == ("not_detected\n", "", 0)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no /proc")
def test_a_home_folder_that_cannot_be_written_is_no_reason_to_speak():
    result = run(DETECT, "/proc", EXAMPLE, "0")
    assert (result.stdout, result.stderr, result.returncode) == ("not_detected\n", "", 0)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("optional", [False, True], ids=["core", "with pydicom and soxr"])
def test_a_living_detector_opens_no_socket(tmp_path, optional):
    path = EXAMPLE
    if optional:
        pytest.importorskip("pydicom")
        pytest.importorskip("soxr")
        path = str(write_dicom(tmp_path / "a.dcm", np.repeat(np.load(EXAMPLE), 2, axis=1), rate=1000))
    trace = tmp_path / "trace"
    prefix = ("strace", "-f", "-qq", "-e", "trace=network", "-e", "signal=none", "-o", str(trace))
    (tmp_path / "home").mkdir()
    result = run(DETECT, tmp_path / "home", path, "5", prefix=prefix)
    if "not permitted" in result.stderr:
        pytest.skip("strace may not trace here")
    assert result.stdout == "not_detected\n"
    calls = trace.read_text().splitlines()
    # urllib3, where something else has installed it, binds a socket of this machine to see whether IPv6 is there.
    assert not [call for call in calls if not optional or "connect(" in call or "send" in call]


def test_who_wants_the_telemetry_can_have_it(tmp_path):
    result = run("import os, ecg_edge; print(os.environ['ORT_DISABLE_TELEMETRY'])", tmp_path, ORT_DISABLE_TELEMETRY="0")
    assert result.stdout == "0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(("code", "children"), [(PREFORK, 3), (WHILE_ANSWERING, 15)])
def test_a_forked_child_answers_and_ends(tmp_path, code, children):
    result = run(code, tmp_path, EXAMPLE)
    assert result.stdout.split() == ["0"] * children
