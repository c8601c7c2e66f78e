"""The report as text, JSON and HTML, and what happens to records without an answer."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from labelled import write_labels, write_record

from ecg_edge import Detector
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import find_records

HOSTILE = "<script>alert('1')</script>&\"x"


@pytest.fixture(scope="module")
def shipped_records(tmp_path_factory):
    """24 records of the two examples, some disturbed, a flat one of each class, and a broken one; their labels."""
    folder = tmp_path_factory.mktemp("shipped")
    random = np.random.default_rng(0)
    rows = []
    for i in range(24):
        kind = "inferior_infarction" if i % 2 else "normal"
        signal = np.load(example_recordings() / f"{kind}.npy")[:, :2000]
        np.save(folder / f"r{i:02}.npy", signal * random.uniform(0.8, 1.2))
        rows.append({"record": f"r{i:02}", "site": "inferior" if i % 2 else "", "who": i // 2, "sex": i % 4 // 2})
    for name, site in (("flat_ill", "inferior"), ("flat_well", "")):
        np.save(folder / f"{name}.npy", np.zeros((12, 2000), np.float32))
        rows.append({"record": name, "site": site, "who": name, "sex": ""})
    (folder / "broken.npy").write_bytes(b"\x93NUMPY broken")
    rows.append({"record": "broken", "site": "septal", "who": "x", "sex": ""})
    return folder, write_labels(folder / "labels.csv", rows)


def run(*arguments):
    command = [sys.executable, "-m", "ecg_edge", "evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_records_without_an_answer_are_counted_by_class_and_take_part_in_no_figure(shipped_records):
    result = run(*shipped_records, "--label", "site", "--patient", "who", "--by", "sex", "--format", "json")
    assert result.returncode == 1
    assert result.stderr == "some labelled records could not be read; the report names them\n"
    report = json.loads(result.stdout)
    assert report["records"]["labelled"] == 27
    assert report["records"]["answered"] == report["infarction"][0]["n"] == 24
    unanswered = {one["record"]: one for one in report["records"]["unanswered"]}
    assert {name: (one["status"], one["infarction"]) for name, one in unanswered.items()} == {
        "flat_ill": ("cannot_analyse", True),
        "flat_well": ("cannot_analyse", False),
        "broken": ("error", True),
    }
    assert all(one["why"] for one in unanswered.values())
    groups = {group["group"]: group for group in report["groups"]}
    assert groups["missing"]["unanswered"] == 3
    assert [row["n"] for row in groups["missing"]["rows"]] == [0] * 7
    text = run(*shipped_records, "--label", "site", "--by", "sex").stdout
    assert "refused by the quality gate: 2 (1 with infarction, 1 without)" in text
    assert "could not be read: 1 (1 with infarction, 0 without)" in text
    assert "without an answer: missing: 3" in text


def test_the_page_names_all_records_without_an_answer_and_the_worst_mistakes(shipped_records, tmp_path):
    result = run(
        *shipped_records, "--label", "site", "--by", "sex", "--format", "html", "--output", tmp_path / "x.html"
    )
    assert result.returncode == 1
    cells = Tags((tmp_path / "x.html").read_text(encoding="utf-8")).texts
    for name in ("flat_ill", "flat_well", "broken"):
        assert name in cells
        assert str(shipped_records[0] / f"{name}.npy") in cells
    assert "without an answer: missing: 3" in cells


def test_the_report_says_what_answered_and_with_which_thresholds(shipped_records):
    detector = Detector()
    report = json.loads(run(*shipped_records, "--label", "site", "--format", "json").stdout)
    assert {model["name"]: model["version"] for model in report["provenance"]["models"]} == {
        model.spec.name: model.spec.version for model in detector.models
    }
    specs = detector.infarction.spec, detector.localization.spec
    expected = dict(
        zip(sum((spec.labels for spec in specs), ()), sum((spec.thresholds for spec in specs), ()), strict=True)
    )
    assert report["thresholds"] == pytest.approx(expected)
    text = run(*shipped_records, "--label", "site").stdout
    for model in detector.models:
        assert f"{model.spec.name} {model.spec.version} ({model.provenance.sha256[:12]})" in text
    assert "Few records prove little." in text


def test_decisions_are_measured_at_the_chosen_operating_point(shipped_records):
    detector = Detector()
    for point in detector.operating_points:
        command = (*shipped_records, "--label", "site", "--operating-point", point)
        report = json.loads(run(*command, "--format", "json").stdout)
        assert report["provenance"]["operating_point"] == point
        assert report["thresholds"]["infarction"] == pytest.approx(detector.infarction.spec.points[point].thresholds[0])
        assert f"thresholds ({point}): infarction" in run(*command).stdout
    refused = run(*shipped_records, "--label", "site", "--operating-point", "brave")
    assert refused.returncode == 2
    assert "balanced" in refused.stderr


def test_the_answers_are_those_of_a_run(shipped_records):
    """Normal records get no sites: sites count only with an infarction."""
    folder, labels = shipped_records
    found = {one.record: one for one in Detector().detect_many(list(find_records(folder)), all_sites=True)}
    report = json.loads(run(folder, labels, "--label", "site", "--format", "json", "--worst", "50").stdout)
    mistakes = [one for of_label in report["mistakes"] for kind in ("missed", "false_alarms") for one in of_label[kind]]
    inferior = next(row for row in report["sites"] if row["label"] == "inferior")
    ill = [one for name, one in found.items() if name[1:].isdigit() and int(name[1:]) % 2]
    assert (inferior["n"], inferior["positives"]) == (12, 12)
    detected = sum(one.status == "detected" for one in ill)
    assert report["infarction"][0]["figures"]["sensitivity"]["value"] == pytest.approx(detected / 12)
    for mistake in mistakes:
        one = found[mistake["record"]]
        assert mistake["probability"] in [one.probability, *(site.probability for site in one.sites)]


class Tags(HTMLParser):
    """Collects the tags of a page and the text of its cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert not {name for name, _ in attributes} & {"src", "href", "onload", "onerror"}

    def handle_data(self, data):
        self.texts.append(data)


def make_hostile(tmp_path):
    """Records, columns and values that look like HTML."""
    rows = []
    for i in range(24):
        name = f"{HOSTILE.replace('/', '_')}{i:02}"
        write_record(tmp_path / "r" / f"{name}.npy", I=0.9 if i % 3 else 0.1)
        rows.append({"name": name, "mi": i % 2, HOSTILE: HOSTILE if i % 2 else "plain"})
    rows.append({"name": f"{HOSTILE} nobody", "mi": 1, HOSTILE: ""})
    write_record(tmp_path / "r" / "left\x1b[31m.npy")
    return tmp_path / "r", rows


def test_the_page_is_one_file_that_loads_nothing_and_escapes_all_text(tmp_path, evaluate):
    folder, rows = make_hostile(tmp_path)
    result = evaluate(
        folder, rows, "--label", "mi", "--by", HOSTILE, "--format", "html", "--output", tmp_path / "x.html"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    page = Tags(text)
    assert {"table", "svg", "circle"} <= page.tags
    assert not {"script", "img", "link", "iframe", "object"} & page.tags
    assert any(HOSTILE in piece for piece in page.texts)
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_hostile_names_are_valid_json_and_do_not_steer_a_terminal(tmp_path, measure, evaluate):
    folder, rows = make_hostile(tmp_path)
    report = measure(folder, rows, "--label", "mi", "--by", HOSTILE)
    assert [group["group"] for group in report["groups"]] == [HOSTILE, "plain"]
    assert report["records"]["labels_without_record"] == [f"{HOSTILE} nobody"]
    assert report["records"]["without_label"] == ["left\x1b[31m"]
    text = evaluate(folder, rows, "--label", "mi").stdout
    assert "\x1b" not in text
    assert "left\\x1b[31m" in text


def read_svg(path):
    return ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - the command has written it


def test_the_figure_is_written_with_its_bins(example, evaluate, tmp_path):
    folder, rows = example
    result = evaluate(folder, rows, "--label", "mi", "--figure", tmp_path / "f.svg")
    assert result.exit_code == 0
    svg = read_svg(tmp_path / "f.svg")
    assert svg.tag.endswith("svg")
    assert len(svg.findall(".//{*}circle")) == 10
    ece = re.search(r"infarction +24 +12 +(\d\.\d{3})", result.stdout.partition("Calibration")[2])[1]
    assert any(f"infarction, n 24, ECE {ece}" == text.text for text in svg.iter("{http://www.w3.org/2000/svg}text"))


def test_without_enough_records_the_figure_is_empty(example, evaluate, tmp_path):
    folder, rows = example
    assert evaluate(folder, rows[5:], "--label", "mi", "--figure", tmp_path / "f.svg").exit_code == 0
    assert not read_svg(tmp_path / "f.svg").findall(".//{*}circle")


def test_the_text_leaves_out_sites_without_data_in_groups_and_says_so(example, evaluate, measure):
    folder, rows = example
    rows = [row | {"sex": "mf"[i % 4 // 2]} for i, row in enumerate(rows)]
    result = evaluate(folder, rows, "--label", "site", "--by", "sex")
    part = result.stdout.partition("By sex")[2].partition("Worst")[0]
    assert "sites with insufficient data are left out" in part
    assert "f: infarction" in part
    assert "f: septal" not in part
    assert len(measure(folder, rows, "--label", "site", "--by", "sex")["groups"][0]["rows"]) == 7


def test_many_records_without_an_answer_are_shown_in_part(tmp_path, evaluate):
    rows = []
    for i in range(40):
        write_record(tmp_path / "r" / f"{i:02}.npy", samples=1000 if i > 25 else 100, I=0.9 * (i % 2))
        rows.append({"name": f"{i:02}", "mi": i % 2})
    text = evaluate(tmp_path / "r", rows, "--label", "mi").stdout
    assert "refused by the quality gate: 26 (13 with infarction, 13 without)" in text
    assert "and 16 more; json and html have all" in text


def test_no_answer_at_all_is_an_error(tmp_path, evaluate):
    rows = []
    for i in range(4):
        write_record(tmp_path / "r" / f"{i}.npy")
        rows.append({"name": i, "mi": i % 2})
    result = evaluate(tmp_path / "r", rows, "--label", "mi", gate=True)
    assert result.exit_code == 1
    assert result.stderr.endswith("none of the 4 labelled records could be answered\n")


def test_reading_options_are_those_of_a_run(tmp_path, measure):
    rows = []
    for i in range(24):
        signal = np.zeros((12, 1000), np.float32)
        signal[6] = 900 * (i % 2)
        np.save(tmp_path / f"{i}.npy", signal)
        rows.append({"name": i, "mi": i % 2})
    leads = "V1,V2,V3,V4,V5,V6,I,II,III,aVR,aVL,aVF"
    report = measure(tmp_path, rows, "--label", "mi", "--units", "uV", "--leads", leads)
    assert report["infarction"][0]["figures"]["f1"]["value"] == 1


@pytest.mark.parametrize(
    "options",
    [["--positive", ","], ["--figure", "a.svg", "--output", "./a.svg"], ["--worst", "-1"], ["--format", "csv"]],
)
def test_wrong_usage_is_status_2(example, evaluate, options):
    result = evaluate(*example, "--label", "mi", *options)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--output", "--figure"])
def test_an_output_that_is_an_input_is_refused_before_anything_is_written(example, evaluate, tmp_path, option):
    folder, rows = example
    path = write_labels(tmp_path / "t.csv", rows)
    before = path.read_bytes()
    os.link(path, tmp_path / "other.svg")
    result = evaluate(folder, path, "--label", "mi", option, tmp_path / "other.svg")
    assert result.exit_code == 2
    assert "is also an input" in result.stderr
    assert path.read_bytes() == before


def test_an_output_that_cannot_be_written_leaves_no_figure(example, evaluate, tmp_path):
    folder, rows = example
    figure = tmp_path / "f.svg"
    result = evaluate(folder, rows, "--label", "mi", "--figure", figure, "--output", tmp_path / "no" / "x.txt")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: cannot write")
    assert not figure.exists()


def test_the_ending_says_the_format(shipped_records, tmp_path):
    run(*shipped_records, "--label", "site", "--output", str(tmp_path / "a.html"))
    run(*shipped_records, "--label", "site", "--output", str(tmp_path / "a.json"))
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["schema"] == 1
    refused = run(*shipped_records, "--label", "site", "--figure", str(tmp_path / "a.png"))
    assert refused.returncode == 2
    assert "ends with .svg, not a.png" in refused.stderr
