"""The command line in a real process."""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from ecg_edge import Detector, read_recording
from ecg_edge.package_data import example_recordings

EXAMPLES = example_recordings()


def ecg_edge(*arguments, stdin=b"", **options):
    command = [sys.executable, "-m", "ecg_edge", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, **options)


def findings(result):
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path):
    """Three records, the middle one broken."""
    home = tmp_path / "records"
    home.mkdir()
    shutil.copy(EXAMPLES / "normal.npy", home / "a.npy")
    (home / "b.npy").write_bytes(b"\x93NUMPY broken")
    shutil.copy(EXAMPLES / "inferior_infarction.npy", home / "c.npy")
    return home


def test_one_file_is_answered_for_a_person():
    result = ecg_edge("run", EXAMPLES / "inferior_infarction.npy")
    assert result.returncode == 0
    assert result.stderr == b""
    text = result.stdout.decode()
    assert text.startswith("inferior_infarction: Pattern consistent with myocardial infarction")
    assert "Unconfirmed: for review by a clinician" in text


def test_a_bad_record_is_reported_among_the_others_and_the_status_is_1(folder):
    result = ecg_edge("run", folder, "--format", "json")
    assert result.returncode == 1
    assert [(finding["record"], finding["status"]) for finding in findings(result)] == [
        ("a", "not_detected"),
        ("b", "error"),
        ("c", "detected"),
    ]
    assert result.stderr.decode() == "1 of 3 records could not be answered\n"


def test_a_missing_path_does_not_stop_the_others(tmp_path):
    result = ecg_edge("run", tmp_path / "nowhere.npy", EXAMPLES / "normal.npy", "--format", "jsonl")
    assert result.returncode == 1
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["error", "not_detected"]


def test_files_folders_archives_and_standard_input_give_the_same_answers(tmp_path, folder):
    (folder / "b.npy").unlink()
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    ways = [[folder], [folder / "a.npy", folder / "c.npy"], [tmp_path / "z.zip"]]
    answers = [findings(ecg_edge("run", *way, "--format", "json")) for way in ways]
    probabilities = [[finding["probability"] for finding in answer] for answer in answers]
    assert probabilities[0] == probabilities[1] == probabilities[2]
    piped = ecg_edge("run", "-", "--format", "json", stdin=(folder / "c.npy").read_bytes())
    assert findings(piped)[0]["probability"] == probabilities[0][1]
    assert findings(piped)[0]["record"] == "stdin"


def test_all_sites_and_windows_show_in_json():
    (plain,) = findings(ecg_edge("run", EXAMPLES / "normal.npy", "--format", "json"))
    (full,) = findings(ecg_edge("run", EXAMPLES / "normal.npy", "--format", "json", "--all-sites", "--windows"))
    assert plain["sites"] == []
    assert "timeline" not in plain
    assert len(full["sites"]) == 6
    assert len(full["timeline"]["probability"]) == len(full["timeline"]["start_s"]) == 43
    assert len(full["sites"][0]["timeline"]["probability"]) == 87


def test_csv_goes_to_a_file_whole(tmp_path, folder):
    output = tmp_path / "out.csv"
    result = ecg_edge("run", folder, "--format", "csv", "--output", output, "--threads", "2")
    assert (result.returncode, result.stdout) == (1, b"")
    rows = list(csv.DictReader(io.StringIO(output.read_text())))
    assert [row["record"] for row in rows] == ["a", "b", "c"]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.csv"]


def test_an_output_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    result = ecg_edge("run", EXAMPLES / "normal.npy", "--output", tmp_path / "no" / "out.txt")
    assert result.returncode == 1
    assert result.stderr.decode().startswith("error: cannot write")
    assert result.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_keeps_the_old_output(tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("old")
    sample = tmp_path / "sample.csv"
    sample.write_text("not,a,sample\n")
    result = ecg_edge("run", EXAMPLES / "normal.npy", "--format", "submission", "--sample", sample, "--output", output)
    assert result.returncode == 1
    assert output.read_text() == "old"


def test_submission_fills_in_the_sample(tmp_path, folder):
    sample = tmp_path / "sample.csv"
    header = "record_name,перегородочный,передний,боковой,передне-боковой,передне-перегородочный,нижний,норма"
    sample.write_text(f"{header}\nc,0,0,0,0,0,0,0\na,0,0,0,0,0,0,0\nb,0,0,0,0,0,0,0\n", encoding="utf-8")
    result = ecg_edge("run", folder, "--format", "submission", "--sample", sample)
    lines = result.stdout.decode().splitlines()
    assert lines[0] == header
    assert lines[1].endswith(",0")
    assert lines[2:] == ["a,0,0,0,0,0,0,1", "b,0,0,0,0,0,0,0"]
    assert b"error: b:" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "x.npy", "--format", "yaml"],
        ["run", "x.npy", "--threads", "0"],
        ["run", "x.npy", "--windows"],
        ["run", "x.npy", "--explain", "--format", "csv"],
        ["run", "x.npy", "--format", "submission"],
        ["run", "x.npy", "--models", "nowhere"],
        ["run", "x.npy", "--max-duration", "nan"],
        ["bench", "--seconds", "inf"],
        ["report", "x.npy", "--start", "nan"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_status_2(arguments):
    result = ecg_edge(*arguments)
    assert result.returncode == 2
    assert result.stdout == b""
    assert b"Traceback" not in result.stderr


def test_an_explanation_shows_in_text_and_in_json():
    text = ecg_edge("run", EXAMPLES / "inferior_infarction.npy", "--explain").stdout.decode()
    assert "(a hint to where to look, not a reason)" in text
    table = {line.split()[0]: line.split() for line in text.splitlines() if "II, III, aVF" in line or "V1, V2" in line}
    assert [float(change) < -0.3 for change in table["inferior"][1:3]] == [True, True]
    assert [abs(float(change)) < 0.1 for change in table["septal"][1:3]] == [True, True]
    assert re.search(r"most, one lead +\w+ -0\.\d{3} +\w+ -0\.\d{3}\n +highest, time +[\d.]+ to [\d.]+ s", text)
    (asked,) = findings(ecg_edge("run", EXAMPLES / "inferior_infarction.npy", "--explain", "--format", "json"))
    (plain,) = findings(ecg_edge("run", EXAMPLES / "inferior_infarction.npy", "--format", "json"))
    assert asked.pop("explanation")["groups"][0]["changes"]["inferior"] < -0.3
    assert asked == plain


def test_text_names_the_lead_that_changes_most_in_either_direction():
    text = ecg_edge("run", EXAMPLES / "normal.npy", "--explain").stdout.decode()
    (answer,) = findings(ecg_edge("run", EXAMPLES / "normal.npy", "--explain", "--format", "json"))
    lead = max(answer["explanation"]["leads"], key=lambda lead: abs(lead["changes"]["infarction"]))
    change = f"{lead['changes']['infarction']:+.3f}"
    assert re.search(rf"most, one lead +{re.escape(lead['part'])} {re.escape(change)}\n", text) or change[1:] == "0.000"
    assert "-0.000" not in text


def test_text_says_that_a_recording_without_an_answer_is_not_explained(tmp_path):
    np.save(tmp_path / "short.npy", np.zeros((12, 100)))
    result = ecg_edge("run", tmp_path / "short.npy", "--explain")
    assert b"warning: there is no explanation, because the recording was not answered" in result.stdout
    assert result.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-", "--follow"], b"--explain does not work with --follow"),
        (["x.npy", "--format", "submission", "--sample", __file__], b"--explain needs --format text, json or jsonl"),
    ],
)
def test_what_cannot_be_explained_is_said_at_once(arguments, why):
    result = ecg_edge("run", *arguments, "--explain")
    assert result.returncode == 2
    assert why in result.stderr


def test_cuda_without_cuda_is_an_error_not_a_fall_back():
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has CUDA")
    result = ecg_edge("run", EXAMPLES / "normal.npy", "--provider", "cuda")
    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode().startswith("error: CUDAExecutionProvider was requested")


def test_info_names_models_thresholds_and_figures():
    text = ecg_edge("info").stdout.decode()
    for expected in (
        *(f"{model.name} {model.version}" for model in Detector().provenance.models),
        "inferior",
        "sensitivity",
        "insufficient data",
        "CPUExecutionProvider",
    ):
        assert expected in text


def test_check_passes_and_ends_in_one_line():
    result = ecg_edge("check")
    assert result.returncode == 0
    assert result.stdout.decode().splitlines()[-1] == "OK: this installation gives the stored answers"


def copy_of_models(tmp_path):
    from ecg_edge.package_data import shipped_models

    return Path(shutil.copytree(shipped_models(), tmp_path / "models"))


def test_check_fails_when_one_byte_of_a_model_changes(tmp_path):
    models = copy_of_models(tmp_path)
    content = bytearray((models / "localization.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (models / "localization.onnx").write_bytes(content)
    result = ecg_edge("check", "--models", models)
    assert result.returncode == 1
    assert result.stdout.decode().splitlines()[-1].startswith("FAILED: ")


def change_golden(models, change):
    golden = json.loads((models / "golden.json").read_text())
    change(golden["recordings"][0])
    content = json.dumps(golden).encode()
    (models / "golden.json").write_bytes(content)
    manifest = json.loads((models / "manifest.json").read_text())
    manifest["checks"]["golden"] |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    (models / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": 0.123}, "a probability differs by"),
        ({"status": "undecided"}, "expected ('undecided'"),
        ({"sha256": "0" * 64}, "is not the recording of the stored answer"),
    ],
)
def test_check_fails_when_an_answer_or_a_recording_is_not_the_stored_one(tmp_path, change, message):
    models = copy_of_models(tmp_path)
    change_golden(models, lambda answer: answer.update(change))
    result = ecg_edge("check", "--models", models)
    assert result.returncode == 1
    assert message in result.stdout.decode().splitlines()[-1]


def test_check_fails_when_the_stored_answers_are_missing_or_changed(tmp_path):
    models = copy_of_models(tmp_path)
    (models / "golden.json").write_text("{}")
    assert "golden.json: differs from the manifest" in ecg_edge("check", "--models", models).stdout.decode()
    (models / "golden.json").unlink()
    assert "golden.json: cannot be read" in ecg_edge("check", "--models", models).stdout.decode()


def test_check_claims_no_more_than_was_compared(tiny_folder):
    result = ecg_edge("check", "--models", tiny_folder)
    assert result.returncode == 0
    last = result.stdout.decode().splitlines()[-1]
    assert last == "OK: the hashes are right; these models have no stored answers to compare with"


def test_check_fails_when_the_shipped_manifest_names_no_stored_answers(tmp_path, monkeypatch):
    from ecg_edge import Detector, selfcheck

    models = copy_of_models(tmp_path)
    manifest = json.loads((models / "manifest.json").read_text())
    del manifest["checks"]
    (models / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(selfcheck, "shipped_models", lambda: models)
    with pytest.raises(selfcheck.SelfCheckError, match="does not name stored answers"):
        list(selfcheck.self_check(Detector(models)))


def test_a_long_recording_is_answered_in_bounded_memory(tmp_path, shipped):
    path = tmp_path / "hour.npy"
    normal = np.load(EXAMPLES / "normal.npy")
    signal = np.lib.format.open_memmap(path, "w+", np.float32, (12, 5000 * 360), fortran_order=True)
    for start in range(0, signal.shape[1], 5000):
        signal[:, start : start + 5000] = normal
    signal.flush()
    tracemalloc.start()
    finding = shipped.detect(read_recording(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert finding.status == "not_detected"
    assert finding.duration_s == 3600
    assert peak < 20e6


def test_output_through_a_link_or_to_a_device_leaves_them_what_they_are(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    assert ecg_edge("run", EXAMPLES / "normal.npy", "--output", link).returncode == 0
    assert link.is_symlink()
    assert "No pattern" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o600
    assert ecg_edge("run", EXAMPLES / "normal.npy", "--output", "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()


def test_a_full_device_is_one_line():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ecg_edge", "run", str(EXAMPLES / "normal.npy")]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 1
    assert result.stderr.decode() == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("form", ["text", "csv", "jsonl"])
def test_a_file_name_that_is_no_text_is_no_obstacle(tmp_path, form):
    name = os.fsencode(tmp_path) + b"/a\xff\x1b[31m.npy"
    Path(os.fsdecode(name)).write_bytes((EXAMPLES / "normal.npy").read_bytes())
    result = ecg_edge("run", tmp_path, "--format", form)
    assert result.returncode == 0
    assert b"Traceback" not in result.stderr
    if form == "text":
        assert b"\x1b" not in result.stdout
    ecg_edge("run", tmp_path, "--format", form, "--output", tmp_path / "out")
    assert (tmp_path / "out").stat().st_size > 0


def test_help_and_version_load_neither_numpy_nor_onnxruntime():
    script = "import sys; sys.argv=['ecg-edge','{}']\ntry:\n import ecg_edge.cli.app; ecg_edge.cli.app.main()\nfinally: print(*sys.modules)"
    for option in ("--help", "--version"):
        result = subprocess.run(
            [sys.executable, "-c", script.format(option)], capture_output=True, text=True, check=True
        )
        assert not {"numpy", "onnxruntime"} & set(result.stdout.split())


def test_running_loads_nothing_of_the_export():
    script = (
        "import sys; sys.argv = ['ecg-edge', 'run', sys.argv[1]]\n"
        "try:\n import ecg_edge.cli.app; ecg_edge.cli.app.main()\n"
        "finally: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", script, str(EXAMPLES / "normal.npy")]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    loaded = set(result.stderr.split())
    assert {"ecg_edge", "onnxruntime", "numpy"} <= loaded
    assert not {"torch", "onnx", "export", "sklearn", "scipy"} & loaded


@pytest.mark.parametrize("command", [[], ["run"], ["evaluate"], ["info"], ["check"], ["bench"]])
def test_the_help_of_each_command_has_two_examples_that_parse(command):
    shown = ecg_edge(*command, "--help").stdout.decode()
    examples = [
        line.split() for line in shown.partition("Examples:")[2].splitlines() if line.lstrip().startswith("ecg-edge")
    ]
    assert len(examples) == 2
    for example in examples:
        options = {word for word in example if word.startswith("--")}
        assert options <= set(ecg_edge(example[1], "--help").stdout.decode().replace(",", " ").split())


def run_on_a_terminal(output, *arguments):
    """Run with standard error on a pseudo terminal; return the status and what the terminal shows."""
    pty = pytest.importorskip("pty")
    terminal, child = pty.openpty()
    command = [sys.executable, "-m", "ecg_edge", *map(str, arguments)]
    with output.open("wb") as stdout:
        process = subprocess.Popen(command, stdout=stdout, stderr=child)
    os.close(child)
    shown = b""
    with suppress(OSError):  # the terminal is gone when the process ends
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    return process.wait(60), shown


BENCH = ["bench", "--seconds", "1", "--repeat", "1", "--format", "json"]


@pytest.mark.parametrize(
    ("arguments", "label"),
    [(BENCH, b"benchmarks"), (["run", *[EXAMPLES / "normal.npy"] * 3, "--format", "json"], b"records")],
)
def test_a_long_command_shows_its_progress_on_a_terminal(tmp_path, arguments, label):
    status, shown = run_on_a_terminal(tmp_path / "out", *arguments)
    assert status == 0
    assert label in shown
    assert b"100%" in shown
    json.loads((tmp_path / "out").read_text())


def test_a_run_shows_records_their_rate_and_the_time_left_on_a_terminal(tmp_path):
    _, shown = run_on_a_terminal(tmp_path / "out", "run", *[EXAMPLES / "normal.npy"] * 12, "--format", "json")
    assert re.search(r" [1-9]/12 [^\r]*\d records/s, 0:00:\d\d left", shown.decode())
    assert re.search(r" 12/12  100%  \d+\.\d records/s ", shown.decode())


@pytest.mark.parametrize("rendering", ["json", "text"])
def test_a_long_recording_shows_its_progress_on_a_terminal(tmp_path, rendering):
    np.save(tmp_path / "holter.npy", np.tile(np.load(EXAMPLES / "inferior_infarction.npy"), (1, 70)))
    status, shown = run_on_a_terminal(tmp_path / "out", "run", tmp_path / "holter.npy", "--format", rendering)
    assert status == 0
    assert b"holter" in shown
    # Where the time left was shown, blanks wipe it out.
    assert re.search(rb"100% *\x1b\[\?25h$", shown.rstrip())
    assert b"inferior" in (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("arguments", [BENCH, ["run", *[EXAMPLES / "normal.npy"] * 3, "--format", "json"]])
def test_without_a_terminal_there_is_no_progress(arguments):
    result = ecg_edge(*arguments)
    assert (result.returncode, result.stderr) == (0, b"")
    json.loads(result.stdout)
