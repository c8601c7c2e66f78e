"""One recording near the threshold, at several operating points, through every door of the runtime.

Lead I at 0.4 mV gives infarction a probability of 0.27, and at 0.6 mV one of 0.73; leads I to aVF do the same for the
six sites.
"""

import csv
import io
import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tiny import points, write_models

from ecg_edge import Detector, Recording
from ecg_edge.cli.info import summarize
from ecg_edge.errors import EcgEdgeError, OperatingPointError, UnreadableError
from ecg_edge.recording import RecordFile
from ecg_edge.selfcheck import SelfCheckError, self_check
from ecg_edge.submission import HEADER
from export.folder import write_golden

AT = {"sensitive": 0.2, "specific": 0.8}
FIGURES = {
    "infarction": {
        "sensitivity": {"value": 0.9, "low": 0.85, "high": 0.95, "n": 1000, "positives": 80},
        "specificity": {"value": 0.95, "low": 0.94, "high": 0.96, "n": 1000, "positives": 80},
    }
}

NONE_FOUND = {
    "infarction": {
        "sensitivity": {"value": 0.0, "low": 0.0, "high": 0.1, "n": 1000, "positives": 80},
        "specificity": {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1000, "positives": 80},
    }
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    stages = {stage: {"operating_points": points(stage, **AT)} for stage in ("infarction", "localization")}
    return write_models(tmp_path_factory.mktemp("points") / "models", **stages)


def detector_at(folder, point, **options):
    return Detector(folder, quality_gate="warn", operating_point=point, **options)


def ecg_edge(*arguments, stdin=b""):
    command = [sys.executable, "-m", "ecg_edge", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


@pytest.fixture
def doubtful(ecg):
    return ecg(I=0.4, name="doubtful")


@pytest.fixture
def probable(ecg):
    return ecg(I=0.6, II=0.4, name="probable")


def test_a_detector_is_balanced_unless_told_otherwise(folder, doubtful, probable):
    default, balanced = Detector(folder, quality_gate="warn"), detector_at(folder, "balanced")
    assert default.operating_points == ("balanced", "sensitive", "specific")
    assert default.operating_point == "balanced"
    for recording in (doubtful, probable):
        assert default.detect(recording) == balanced.detect(recording)


@pytest.mark.parametrize(
    ("point", "threshold", "statuses"),
    [
        ("balanced", 0.5, ["not_detected", "detected"]),
        ("sensitive", 0.2, ["detected", "detected"]),
        ("specific", 0.8, ["not_detected", "not_detected"]),
    ],
)
def test_the_point_decides_on_infarction(folder, doubtful, probable, point, threshold, statuses):
    detector = detector_at(folder, point)
    findings = [detector.detect(recording) for recording in (doubtful, probable)]
    assert [finding.status for finding in findings] == statuses
    for finding in findings:
        assert finding.threshold == threshold
        assert finding.to_dict()["provenance"]["operating_point"] == point
        assert bool(finding.sites) is (finding.status == "detected")


def test_the_point_decides_on_sites_and_an_unproven_one_keeps_its_fallback(folder, ecg):
    recording = ecg(I=0.9, II=0.4, III=0.4, aVR=0.6)
    found = {}
    for point, threshold in (AT | {"balanced": 0.5}).items():
        finding = detector_at(folder, point).detect(recording)
        found[point] = finding.found_sites
        assert [site.threshold for site in finding.sites] == [threshold] * 2 + [0.5] + [threshold] * 3
    assert found == {
        "sensitive": ("septal", "anterior", "anterolateral"),
        "balanced": ("septal", "anterolateral"),
        "specific": ("septal",),
    }


def test_an_unproven_site_is_warned_of_at_every_point(folder, ecg):
    recording = ecg(I=0.9, III=0.6)
    for point in ("balanced", *AT):
        codes = {note.code: note.site for note in detector_at(folder, point).detect(recording).warnings}
        assert codes["unproven_site"] == "lateral"


@pytest.mark.parametrize("threads", [1, 2])
def test_many_recordings_together_get_the_answers_of_each_alone(folder, doubtful, probable, ecg, threads):
    recordings = [doubtful, probable, ecg(samples=100, name="short"), *[doubtful] * 6]
    for point in ("balanced", *AT):
        detector = detector_at(folder, point, threads=threads)
        assert list(detector.detect_many(recordings)) == [detector.detect(recording) for recording in recordings]


def read_nothing():
    raise UnreadableError("gone.npy", "does not exist")


def test_what_cannot_be_analysed_or_read_names_the_point_and_does_not_depend_on_it(folder, ecg):
    by_point = {}
    for point in ("balanced", *AT):
        detector = Detector(folder, operating_point=point)
        findings = list(detector.detect_many([ecg(I=0.4), RecordFile("gone", "gone.npy", read_nothing)]))
        by_point[point] = [(finding.status, finding.reasons, finding.error) for finding in findings]
        assert {finding.provenance.operating_point for finding in findings} == {point}
    assert by_point["balanced"] == by_point["sensitive"] == by_point["specific"]
    assert [status for status, *_ in by_point["balanced"]] == ["cannot_analyse", "error"]


def test_another_point_of_the_same_detector_shares_its_models(folder, doubtful):
    balanced = Detector(folder, quality_gate="warn")
    sensitive = balanced.at("sensitive")
    assert (balanced.detect(doubtful).status, sensitive.detect(doubtful).status) == ("not_detected", "detected")
    assert sensitive.infarction is balanced.infarction
    assert sensitive.detect(doubtful) == detector_at(folder, "sensitive").detect(doubtful)
    assert sensitive.at("balanced").detect(doubtful) == balanced.detect(doubtful)


@pytest.mark.parametrize(
    "make",
    [lambda folder: detector_at(folder, "sensitive"), lambda folder: detector_at(folder, "specific").at("sensitive")],
)
def test_a_detector_keeps_its_point_when_it_is_pickled(folder, make, doubtful):
    copy = pickle.loads(pickle.dumps(make(folder)))  # noqa: S301 - our own
    assert copy.operating_point == "sensitive"
    assert copy.detect(doubtful).threshold == 0.2


def test_a_stream_decides_at_the_point_of_its_detector_also_when_it_is_pickled(folder, noise):
    detector = detector_at(folder, "sensitive")
    signal = noise().signal + np.float32(0.4) * (np.arange(12) == 0)[:, None]
    stream = detector.stream(name="bed 7")
    stream.push(signal[:, :3000])
    stream = pickle.loads(pickle.dumps(stream))  # noqa: S301 - our own
    stream.push(signal[:, 3000:])
    assert stream.finding().status == stream.finding(last_s=4).status == "detected"
    assert stream.finding() == detector.detect(Recording(signal, name="bed 7"))
    balanced = detector.at("balanced").stream()
    balanced.push(signal)
    assert balanced.finding().status == "not_detected"


def test_models_without_points_have_balanced_alone(tiny_folder, doubtful):
    old = Detector(tiny_folder, quality_gate="warn")
    assert old.operating_points == ("balanced",)
    assert old.detect(doubtful).provenance.operating_point == "balanced"
    for ask in (lambda: Detector(tiny_folder, operating_point="sensitive"), lambda: old.at("sensitive")):
        with pytest.raises(
            OperatingPointError, match=r"do not have the operating point 'sensitive', only balanced;"
        ) as caught:
            ask()
        assert isinstance(caught.value, EcgEdgeError)
        assert isinstance(caught.value, ValueError)
        assert str(tiny_folder) in str(caught.value)


@pytest.mark.parametrize("wanted", ["Sensitive", "", None, 0.95, ["sensitive"]])
def test_an_unknown_point_is_an_error_that_names_those_there_are(folder, wanted):
    with pytest.raises(OperatingPointError, match="only balanced, sensitive, specific"):
        Detector(folder, operating_point=wanted)


def test_only_points_of_both_models_can_be_chosen(tmp_path):
    mixed = write_models(
        tmp_path / "models",
        infarction={"operating_points": points("infarction", sensitive=0.2, specific=0.8)},
        localization={"operating_points": points("localization", specific=0.8)},
    )
    assert Detector(mixed).operating_points == ("balanced", "specific")
    with pytest.raises(OperatingPointError, match="only balanced, specific"):
        Detector(mixed, operating_point="sensitive")


def test_the_self_check_compares_balanced_answers_whatever_the_point(tmp_path):
    stages = {stage: {"operating_points": points(stage, always=0.001)} for stage in ("infarction", "localization")}
    checked = write_models(tmp_path / "models", **stages)
    write_golden(checked)
    detector = Detector(checked, operating_point="always")
    assert list(self_check(detector))[-1] == "OK: this installation gives the stored answers"
    assert ecg_edge("check", "--models", checked).returncode == 0
    other = {stage: {"thresholds": (0.001,) * n} for stage, n in (("infarction", 1), ("localization", 6))}
    golden = json.loads((checked / "manifest.json").read_text())["checks"]
    manifest = json.loads((write_models(checked, **other) / "manifest.json").read_text()) | {"checks": golden}
    (checked / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SelfCheckError, match="decided"):
        list(self_check(Detector(checked)))


@pytest.fixture
def records(tmp_path, doubtful, probable):
    home = tmp_path / "records"
    home.mkdir()
    for recording in (doubtful, probable):
        np.save(home / f"{recording.name}.npy", recording.signal)
    return home


def run(folder, records, *arguments):
    return ecg_edge("run", records, "--models", folder, "--no-quality-gate", *arguments)


def test_the_command_line_decides_at_the_point_in_every_format(folder, records, tmp_path):
    chosen = ("--operating-point", "sensitive")
    text = run(folder, records, *chosen).stdout.decode()
    assert text.count("threshold 0.200 (sensitive)") == 2
    lines = run(folder, records, *chosen, "--format", "jsonl").stdout.splitlines()
    first = json.loads(lines[0])
    assert (first["status"], first["threshold"]) == ("detected", 0.2)
    assert {site["threshold"] for site in first["sites"]} == {0.2, 0.5}
    assert first["provenance"]["operating_point"] == "sensitive"
    table = run(folder, records, *chosen, "--format", "csv").stdout.decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["status"], row["operating_point"]) for row in rows] == [("detected", "sensitive")] * 2
    sample = tmp_path / "sample.csv"
    sample.write_text("\n".join([",".join(HEADER), "doubtful,0,0,0,0,0,0,0", "probable,0,0,0,0,0,0,0", ""]), "utf-8")
    submission = ("--format", "submission", "--sample", sample)
    by_point = {
        point: run(folder, records, "--operating-point", point, *submission).stdout.decode().splitlines()[1:]
        for point in ("balanced", *AT)
    }
    assert by_point == {
        "balanced": ["doubtful,0,0,0,0,0,0,1", "probable,1,0,0,0,0,0,0"],
        "sensitive": ["doubtful,1,0,0,0,0,0,0", "probable,1,1,0,0,0,0,0"],
        "specific": ["doubtful,0,0,0,0,0,0,1", "probable,0,0,0,0,0,0,1"],
    }


def test_a_live_feed_at_the_command_line_decides_at_the_point(folder, doubtful):
    feed = np.ascontiguousarray(doubtful.signal.T, "<f4").tobytes()
    options = ("--models", folder, "--no-quality-gate", "--format", "jsonl")
    result = ecg_edge("run", "--follow", "-", *options, "--operating-point", "sensitive", stdin=feed)
    last = json.loads(result.stdout.splitlines()[-1])
    for part in ("last", "so_far"):
        assert (last[part]["status"], last[part]["threshold"]) == ("detected", 0.2)
        assert last[part]["provenance"]["operating_point"] == "sensitive"


def test_a_point_that_the_models_do_not_have_is_wrong_usage(tiny_folder, records):
    result = run(tiny_folder, records, "--operating-point", "sensitive")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"do not have the operating point 'sensitive', only balanced; pass" in result.stderr


def test_a_run_is_not_resumed_at_another_point(folder, records, tmp_path):
    output = tmp_path / "day.jsonl"
    kept = tmp_path / "day.jsonl.unfinished"
    arguments = ("--format", "jsonl", "--output", output, "--resume")
    assert run(folder, records, *arguments, "--operating-point", "specific").returncode == 0
    # What a run that is killed leaves behind.
    settings = describe(folder, "specific")
    kept.write_text(json.dumps(settings) + "\n" + output.read_text())
    refused = run(folder, records, *arguments, "--operating-point", "sensitive")
    assert refused.returncode == 1
    assert b"made with other settings: operating_point" in refused.stderr
    assert run(folder, records, *arguments, "--operating-point", "specific").returncode == 0


def describe(folder, point):
    from ecg_edge.cli.answers import Wanted, describe_settings
    from ecg_edge.cli.options import declare

    wanted = Wanted("jsonl", None, all_sites=False, windows=False, explain=False, sample=None, resume=True)
    return describe_settings(
        Detector(folder, operating_point=point), declare(None, None, None, None), wanted, True, 31.0
    )


@pytest.fixture
def measured(tmp_path):
    made = points("infarction", **AT)
    made["balanced"] = replace(made["balanced"], metrics=FIGURES, measured="out of fold")
    made["specific"] = replace(made["specific"], metrics=NONE_FOUND)
    return write_models(
        tmp_path / "models",
        infarction={"operating_points": made},
        localization={"operating_points": points("localization", **AT)},
        plausibility={},
    )


def test_info_lists_each_point_with_its_figures(measured):
    lines = ecg_edge("info", "--models", measured).stdout.decode().splitlines()
    assert "operating points: balanced, sensitive, specific" in lines
    at = lines.index("  balanced: balanced by hand")
    assert lines[at + 2].split()[:2] == ["infarction", "0.500"]
    assert "0.900 (0.850 to 0.950)   0.950 (0.940 to 0.960)   1000   80" in lines[at + 2]
    at = lines.index("  sensitive: sensitive by hand")
    assert lines[at + 2].split() == ["infarction", "0.200", "not", "measured", "not", "measured"]
    assert "  figures: out of fold" in lines
    assert [line.split() for line in lines if "insufficient" in line] == [
        ["lateral", "0.500", *["insufficient", "data"] * 2]
    ] * 3
    assert "predictive" not in "".join(lines)
    # The points do not concern the third model.
    assert "  thresholds: by hand" in lines


def test_info_gives_predictive_values_at_a_prevalence(measured):
    lines = ecg_edge("info", "--models", measured, "--prevalence", "0.08").stdout.decode().splitlines()
    start = lines.index("  if 0.08 of the recordings have an infarction:")
    rows = {line.split()[0]: line for line in lines[start + 2 : start + 5]}
    # Of 80 with infarction 72 are detected, of 920 without 46; 68 and 55.2 at the low ends, 76 and 36.8 at the high.
    assert "0.610 (0.552 to 0.674)" in rows["balanced"]
    assert "0.991 (0.986 to 0.995)" in rows["balanced"]
    assert "not measured" in rows["sensitive"]
    assert rows["specific"].split()[1] == "undefined"
    assert "combines the ends" in lines[start + 5]


@pytest.mark.parametrize("prevalence", ["0", "1", "-0.08", "nan", "inf", "8"])
def test_a_prevalence_out_of_range_is_wrong_usage(prevalence):
    result = ecg_edge("info", f"--prevalence={prevalence}")
    assert (result.returncode, result.stdout) == (2, b"")
    assert f"--prevalence is {float(prevalence):g}, expected more than 0 and less than 1".encode() in result.stderr


@pytest.mark.parametrize(
    ("command", "number", "advice"),
    [
        (["info", "--prevalence"], "8%", "'8%' is not a number alone; write 0.08"),
        (["info", "--prevalence"], "0,08", "write 0.08"),
        (["info", "--prevalence"], "8,5 %", "write 0.085"),
        (["info", "--prevalence"], "8", "for 8% write 0.08"),
        (["report", "a.npy", "--start"], "2,5s", "write 2.5"),
        (["run", "a.npy", "--sampling-rate"], "500 Hz", "write 500"),
        (["run", "a.npy", "--sampling-rate"], "0.5kHz", "is not a valid float"),
        (["run", "a.npy", "--sampling-rate"], "1,000", "is not a valid float"),
        (["evaluate", ".", __file__, "--gain"], "200steps", "write 200"),
        (["run", "a.npy", "--max-duration"], "1,5", "write 1.5"),
        (["bench", "--seconds"], "20s", "write 20"),
    ],
)
def test_a_number_with_its_unit_or_a_comma_gets_advice(command, number, advice):
    result = ecg_edge(*command[:-1], f"{command[-1]}={number}")
    assert (result.returncode, result.stdout) == (2, b"")
    assert advice.encode() in result.stderr


def test_info_of_models_without_points_is_that_of_balanced(tiny_folder):
    lines = list(summarize(Detector(tiny_folder), 0.08))
    assert "operating points: balanced" in lines
    assert lines.count("  balanced: by hand") == 2
    assert any(line.split() == ["balanced", "not", "measured"] for line in lines)
