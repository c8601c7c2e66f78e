"""No output overwrites what a run reads."""

import shutil
import zipfile
from pathlib import Path

import pytest
from run_command import ecg_edge, is_refused

from ecg_edge.package_data import example_recordings, shipped_models

NORMAL = example_recordings() / "normal.npy"
HEADER = "record_name,перегородочный,передний,боковой,передне-боковой,передне-перегородочный,нижний,норма"


@pytest.fixture
def recording(tmp_path):
    return Path(shutil.copy(NORMAL, tmp_path / "patient.npy"))


def point_to(way, file):
    """Return another name of a file."""
    other = file.with_name("other.txt")
    if way == "symbolic link":
        other.symlink_to(file)
    elif way == "hard link":
        other.hardlink_to(file)
    return file if way == "its name" else other


@pytest.mark.parametrize("way", ["its name", "symbolic link", "hard link"])
@pytest.mark.parametrize("given", ["file", "folder"])
def test_a_recording_is_not_overwritten(recording, way, given):
    result = ecg_edge(recording if given == "file" else recording.parent, "--output", point_to(way, recording))
    assert is_refused(result, 2)
    assert "is also an input" in result.stderr
    assert recording.read_bytes() == NORMAL.read_bytes()


def write_archive(folder):
    with zipfile.ZipFile(folder / "day.zip", "w") as archive:
        archive.write(NORMAL, "ward/a.npy")
    return folder / "day.zip"


def write_wfdb(folder):
    (folder / "a.hea").write_text("a 1 500 5000\na.dat 16 1000/mV 16 0 0 0 0 I\n")
    (folder / "a.dat").write_bytes(bytes(10_000))
    return folder / "a.dat"


def copy_models(folder):
    shutil.copytree(shipped_models(), folder / "models")
    return folder / "models" / "manifest.json"


@pytest.mark.parametrize("write", [write_archive, write_wfdb, copy_models])
def test_an_archive_a_signal_file_and_a_model_are_not_overwritten(tmp_path, write):
    file = write(tmp_path)
    before = file.read_bytes()
    inputs = [NORMAL, "--models", tmp_path / "models"] if write is copy_models else [NORMAL, tmp_path]
    assert is_refused(ecg_edge(*inputs, "--output", file), 2)
    assert file.read_bytes() == before


def test_the_sample_is_read_but_not_overwritten(tmp_path):
    sample = tmp_path / "sample.csv"
    sample.write_text(f"{HEADER}\nnormal,0,0,0,0,0,0,0\n", encoding="utf-8")
    before = sample.read_bytes()
    arguments = [NORMAL, "--format", "submission", "--sample", sample, "--output"]
    assert is_refused(ecg_edge(*arguments, sample), 2)
    assert sample.read_bytes() == before
    assert ecg_edge(*arguments, tmp_path / "filled.csv").returncode == 0


@pytest.mark.parametrize("streams", ["< {0}", ">> {0}"])
def test_a_recording_on_a_standard_stream_is_not_overwritten_either(recording, streams):
    arguments = ["-", "--output", recording] if "<" in streams else [recording]
    assert is_refused(ecg_edge(*arguments, streams=streams.format(recording)), 2)
    assert recording.read_bytes() == NORMAL.read_bytes()


def test_the_answers_may_lie_beside_the_recordings_every_day(recording):
    answers = recording.with_name("findings.csv")
    for _ in range(2):
        assert ecg_edge(recording.parent, "--format", "csv", "--output", answers).returncode == 0
    assert len(answers.read_text().splitlines()) == 2
