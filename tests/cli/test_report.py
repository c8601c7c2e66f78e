"""The command `ecg-edge report`."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn import read_svg

from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.recording import LEADS

INFARCTION = example_recordings() / "inferior_infarction.npy"


def report(*arguments, **options):
    command = [sys.executable, "-m", "ecg_edge", "report", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, timeout=120, **options)


def complaint(result):
    return result.stderr.decode()


@pytest.mark.parametrize(
    ("ending", "head"),
    [("svg", b"<?xml"), ("html", b"<!DOCTYPE html>"), ("HTML", b"<!DOCTYPE html>"), ("pdf", b"%PDF-")],
)
def test_the_ending_of_the_output_says_the_format(tmp_path, ending, head):
    if ending == "pdf":
        pytest.importorskip("pydyf")
    result = report(INFARCTION, "-o", tmp_path / f"report.{ending}")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert (tmp_path / f"report.{ending}").read_bytes().startswith(head)
    assert [file.name for file in tmp_path.iterdir()] == [f"report.{ending}"]


def test_without_an_output_the_report_goes_to_standard_output():
    result = report(INFARCTION)
    assert result.returncode == 0
    assert "inferior_infarction" in read_svg(result.stdout.decode()).words("record")
    assert report(INFARCTION, "--format", "html").stdout.startswith(b"<!DOCTYPE html>")


def test_pdf_goes_to_standard_output_byte_by_byte():
    pytest.importorskip("pydyf")
    pypdf = pytest.importorskip("pypdf")
    import io

    result = report(INFARCTION, "--format", "pdf")
    assert "inferior_infarction" in pypdf.PdfReader(io.BytesIO(result.stdout), strict=True).pages[0].extract_text()


def test_the_choices_of_the_picture_reach_it():
    result = report(INFARCTION, "--layout", "6x2", "--speed", 50, "--gain", 20, "--start", 4.5)
    drawing = read_svg(result.stdout.decode())
    assert drawing.words("settings") == [
        "50 mm/s, 20 mm/mV, filters: none, baseline: each lead is drawn less its median"
    ]
    assert drawing.words("recording")[0].endswith("drawn from 4.5 to 9.5 s")
    assert drawing.leads("trace") == [lead for pair in zip(LEADS[:6], LEADS[6:], strict=True) for lead in pair]


def test_the_reading_options_are_those_of_run(tmp_path):
    table = tmp_path / "table.csv"
    samples = np.load(INFARCTION)[:, ::2].T * 1000
    np.savetxt(table, samples, delimiter=",", header=",".join(LEADS), comments="", fmt="%.1f")
    assert "--sampling-rate" in complaint(report(table))
    drawing = read_svg(report(table, "--sampling-rate", 250, "--units", "uV").stdout.decode())
    assert drawing.words("recording")[0].startswith("10.0 s at 250 Hz, samples in mV")


def test_the_gain_of_the_converter_has_an_option_of_its_own(tmp_path):
    lines = [f"a.dat 16 0 16 0 0 0 0 {lead}" for lead in LEADS]
    (tmp_path / "a.hea").write_text("\n".join(["a 12 500 5000", *lines]))
    counts = np.round(np.load(INFARCTION) * 200).astype("<i2")
    (tmp_path / "a.dat").write_bytes(counts.T.tobytes())
    refused = report(tmp_path / "a.hea")
    assert refused.returncode == 1
    assert "--adc-gain (in Python gain=...)" in complaint(refused)
    drawing = read_svg(report(tmp_path / "a.hea", "--adc-gain", 200).stdout.decode())
    assert drawing.words("statement")[0].startswith("Pattern consistent with myocardial infarction, inferior")


def test_a_refused_recording_is_drawn_and_the_exit_status_is_1(tmp_path):
    file = tmp_path / "dead.npy"
    signal = np.load(INFARCTION)
    signal[8:10] = 0
    np.save(file, signal)
    result = report(file, "-o", tmp_path / "dead.svg")
    assert result.returncode == 1
    assert complaint(result).startswith("drawn without an answer: dead: V3, V4 are flat")
    drawing = read_svg((tmp_path / "dead.svg").read_text())
    assert drawing.words("statement") == ["Cannot be analysed"]
    assert read_svg(report(file, "--no-quality-gate").stdout.decode()).words("answer") != [
        "No probability of infarction"
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ["--start", "10"],
            1,
            "error: the start is at 10 s, but the recording ends at 10 s; the last possible start is 9.998 s",
        ),
        (["--start", "-1"], 2, "--start"),
        (["--gain", "200"], 2, "'200' is not one of '5', '10', '20'"),
        (["-o", "report.txt"], 2, "report.txt ends with none of .svg, .html, .pdf"),
        (["-o", "report"], 2, "report ends with none of .svg, .html, .pdf"),
        (["--sampling-rate", "0"], 2, "sampling rate"),
        (["-o", "no/such/folder/a.svg"], 1, "error: cannot write no/such/folder/a.svg"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path, arguments, status, said):
    result = report(INFARCTION, *arguments, cwd=tmp_path)
    assert result.returncode == status
    assert said in complaint(result)
    assert result.stdout == b""
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_read_is_one_line_and_status_1(tmp_path):
    result = report(tmp_path / "missing.npy", "-o", tmp_path / "a.svg")
    assert result.returncode == 1
    assert complaint(result).startswith("error: ")
    assert complaint(result).count("\n") == 1
    assert not (tmp_path / "a.svg").exists()


def test_a_folder_of_several_recordings_is_refused(tmp_path):
    result = report(example_recordings())
    assert result.returncode == 2
    assert "holds 2 recordings, and a report has one; give the path of a single file" in complaint(result)


def test_a_failed_report_leaves_the_old_one(tmp_path):
    old = tmp_path / "a.svg"
    old.write_text("old")
    assert report(INFARCTION, "-o", old, "--start", 11).returncode == 1
    assert old.read_text() == "old"
    assert report(INFARCTION, "-o", old).returncode == 0
    assert old.read_text().startswith("<?xml")


def test_an_input_is_not_overwritten(tmp_path):
    recording = Path(shutil.copy(INFARCTION, tmp_path / "a.npy"))
    result = report(recording, "--format", "svg", "-o", recording)
    assert result.returncode == 2
    assert "is also an input" in complaint(result)
    assert recording.read_bytes() == INFARCTION.read_bytes()
    models = shutil.copytree(shipped_models(), tmp_path / "models")
    result = report(recording, "--models", models, "--format", "svg", "-o", models / "manifest.json")
    assert result.returncode == 2


def test_a_recording_comes_from_standard_input():
    result = report("-", input=INFARCTION.read_bytes())
    assert result.returncode == 0
    assert read_svg(result.stdout.decode()).words("record") == ["stdin"]


def test_a_hostile_name_of_a_file_is_text(tmp_path):
    file = shutil.copy(INFARCTION, tmp_path / "<script>&\u202e\x1b Иванов.npy")
    drawing = read_svg(report(file).stdout.decode())
    assert drawing.words("record") == ["<script>&\\u202e\\x1b Иванов"]


def test_the_help_loads_neither_numpy_nor_onnxruntime():
    code = "import sys; from ecg_edge.cli.app import main; main(['report', '--help'], standalone_mode=False); sys.exit(bool({'numpy', 'onnxruntime'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode == 0
