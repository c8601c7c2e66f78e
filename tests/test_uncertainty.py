"""A found label whose findings are wrong about as often as right says so, at every door."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from tiny import write_models

import ecg_edge
from ecg_edge import Detector, Recording, rendering
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.recording import LEADS
from ecg_edge.uncertainty import RATHER_WRONG, note_uncertain_infarction, note_uncertain_site

SURE, UNSURE = (0.9, 0.95, 1000, 300), (0.9, 0.5, 1000, 300)
"""Of the found records, 270 of 305 are right, or 270 of 620."""
SEPTAL, INFERIOR = (0.6, 0.8, 300, 50), (0.95, 0.95, 300, 160)
"""Of the found records with infarction, 30 of 80 are right, and 152 of 159."""


def figures(**labels):
    def state(value, n, positives):
        return {"value": value, "low": value - 0.04, "high": value + 0.04, "n": n, "positives": positives}

    return {
        label: {"sensitivity": state(sensitivity, n, positives), "specificity": state(specificity, n, positives)}
        for label, (sensitivity, specificity, n, positives) in labels.items()
    }


@pytest.fixture
def detector(tmp_path):
    """Make a detector whose models state these figures."""

    def make(infarction, sites):
        stages = {"infarction": {"metrics": infarction}, "localization": {"metrics": sites}}
        return Detector(write_models(tmp_path / "models", **stages), quality_gate="warn")

    return make


@pytest.fixture
def three_sites(ecg):
    """A recording in which septal, lateral and inferior are found."""
    return ecg(I=0.9, III=0.9, aVF=0.9)


def doubts(finding):
    codes = ("uncertain_infarction", "uncertain_site", "unproven_site")
    return [(note.code, note.site) for note in finding.warnings if note.code in codes]


def test_a_found_site_that_is_wrong_more_often_than_right_is_uncertain(detector, three_sites):
    made = detector(figures(infarction=SURE), figures(septal=SEPTAL, inferior=INFERIOR))
    finding = made.detect(three_sites)
    assert finding.found_sites == ("septal", "lateral", "inferior")
    assert doubts(finding) == [("uncertain_site", "septal"), ("unproven_site", "lateral")]
    message = next(note.message for note in finding.warnings if note.site == "septal")
    # 270 / 305 of the infarctions are right, and 30 / 80 of their sites.
    assert message.startswith("septal is uncertain: at this operating point, about 33 in 100 such findings are right (")
    assert message.endswith("where 300 of 1000 records had an infarction")


def test_where_the_infarction_is_uncertain_each_site_is(detector, three_sites):
    finding = detector(figures(infarction=UNSURE), figures(septal=SEPTAL, inferior=INFERIOR)).detect(three_sites)
    assert set(doubts(finding)) == {
        ("uncertain_infarction", None),
        ("uncertain_site", "septal"),
        ("unproven_site", "lateral"),
        ("uncertain_site", "inferior"),
    }
    message = next(note.message for note in finding.warnings if note.code == "uncertain_infarction")
    assert message.startswith(
        "the infarction is uncertain: at this operating point, about 44 in 100 such findings are right ("
    )


def test_what_is_not_found_or_was_not_measured_has_no_such_warning(detector, three_sites, ecg):
    made = detector(figures(infarction=UNSURE), figures(septal=SEPTAL))
    assert doubts(made.detect(ecg(II=0.9), all_sites=True)) == []
    assert doubts(made.detect(ecg(I=0.6))) == [("uncertain_site", "septal"), ("uncertain_infarction", None)]


def test_models_without_figures_state_no_such_warning(tiny, three_sites):
    assert doubts(tiny.detect(three_sites)) == [("unproven_site", "lateral")]


def test_every_output_shows_that_a_site_is_uncertain(detector, three_sites):
    made = detector(figures(infarction=SURE), figures(septal=SEPTAL, inferior=INFERIOR))
    finding = made.detect(three_sites)
    verdict = "infarction, inferior; site uncertain: septal; site unproven: lateral"
    text = "".join(rendering.text([finding]))
    assert verdict in text.splitlines()[0]
    assert "  warning: septal is uncertain: at this operating point, about 33 in 100" in text
    (row,) = csv.DictReader(io.StringIO("".join(rendering.csv_table([finding], made.localization.spec.labels))))
    assert "uncertain_site" in row["warnings"].split(";")
    assert (row["found_sites"], row["doubtful_sites"]) == ("septal;lateral;inferior", "septal;lateral")
    assert finding.doubtful_sites == ("septal", "lateral")
    notes = json.loads("".join(rendering.jsonl([finding])))["warnings"]
    assert [note["site"] for note in notes if note["code"] == "uncertain_site"] == ["septal"]
    report = ecg_edge.report(three_sites, made)
    for page in (report.to_svg(), report.to_html()):
        assert verdict in page
        assert "found, uncertain" in page
        assert "Warning: septal is uncertain: at this operating point, about 33 in 100" in page


def test_what_was_measured_counts_and_not_the_estimate(detector, three_sites):
    infarction, sites = figures(infarction=SURE), figures(septal=SEPTAL, inferior=INFERIOR)
    sites["septal"]["positive_predictive_value"] = {"value": 0.8, "low": 0.6, "high": 0.9, "n": 1000, "positives": 50}
    sites["inferior"]["positive_predictive_value"] = {
        "value": 0.61,
        "low": 0.4,
        "high": 0.7,
        "n": 1000,
        "positives": 160,
    }
    infarction["infarction"]["positive_predictive_value"] = {"value": 0.52, "low": 0.49, "high": 0.55}
    finding = detector(infarction, sites).detect(three_sites)
    doubted = {("uncertain_infarction", None), ("unproven_site", "lateral"), ("uncertain_site", "inferior")}
    assert set(doubts(finding)) == doubted
    said = " ".join(note.message for note in finding.warnings)
    assert "about 61 in 100 such findings are right (40 to 70)" in said
    assert "about 52 in 100 such findings are right (49 to 55)" in said


def test_a_live_feed_says_it_too(detector, three_sites):
    made = detector(figures(infarction=SURE), figures(septal=SEPTAL))
    stream = made.stream(sampling_rate=500)
    for chunk in np.array_split(three_sites.signal, 7, axis=1):
        stream.push(chunk)
    assert ("uncertain_site", "septal") in doubts(stream.finding())


def test_what_the_shipped_models_say_agrees_with_what_the_card_measured(shipped):
    """The card has what was measured on all records, both networks one after the other."""
    card = (shipped_models() / "README.md").read_text(encoding="utf-8").split("positive_predictive_value | neg")[1]
    cells = r"\| (\w+) \| (\w+) \| 1680 \| \d+ \| (\S+) \((\S+) to \S+\) \|"
    rows = re.findall(cells, card.split("## Calibration")[0])
    assert len(rows) == 3 * 6
    for name, label, value, low in rows:
        infarction, sites = (model.spec.points[name] for model in (shipped.infarction, shipped.localization))
        if label == "infarction":
            note = note_uncertain_infarction(infarction, label)
        else:
            note = note_uncertain_site(infarction, "infarction", sites, label)
        if float(low) < RATHER_WRONG:
            assert note is not None, (name, label)
        if note is not None:
            told = int(re.search(r"about (\d+) in 100", note.message)[1]) / 100
            assert told == pytest.approx(float(value), abs=0.0051), (name, label)


def test_the_command_line_page_shows_what_a_run_prints(shipped):
    signal = np.load(example_recordings() / "normal.npy")
    signal[[LEADS.index("V2"), LEADS.index("V3")]] *= -1
    printed = "".join(rendering.text([shipped.detect(Recording(signal, name="turned"))])).splitlines()
    page = (Path(__file__).parents[1] / "docs/cli.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(turned: .*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(block.splitlines()) == 6
    assert set(block.splitlines()) <= set(printed)
