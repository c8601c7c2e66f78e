"""What disturbances do to trained networks, measured and published. The made infarctions are leads at -1 mV."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from ecg_edge import Detector, Recording
from ecg_edge.evaluation.metrics import METRICS
from ecg_edge.selfcheck import self_check
from export import robustness
from export.__main__ import main
from export.crossfit import train_stage
from export.dataset import read_dataset
from export.disturbances import DISTURBANCES
from export.network import NetworkSettings
from export.operating_points import (
    collect_shares,
    measure_points,
    measure_predictive_values,
    render_points,
    render_predictive_values,
)
from export.out_of_fold import Answers
from export.release import release_fold
from export.robustness import HeldOut, measure_robustness
from export.stages import MODEL_VERSION, STAGES
from export.training import TrainingSettings

NETWORK = NetworkSettings(800, 100, ((8, 15, 5), (16, 7, 4)), heads=2, feed_forward=16, hidden=16)
TRAINING = TrainingSettings(epochs=8, candidates=(8,), crop=1100, stride=100, averaging=0.9)
HARMLESS, OFFSETS = "steps of 5 µV", "offset of each lead, up to ±300 mV"


@pytest.fixture
def runs(dataset, tmp_path, monkeypatch, one_process):
    """Small networks of both stages, trained, and two disturbances."""
    for name, stage in STAGES.items():
        small = replace(stage, network=NETWORK, training=TRAINING, mixed=0)
        monkeypatch.setitem(STAGES, name, small)
        train_stage(small, dataset, tmp_path / "runs", lambda _: None)
    few = {name: DISTURBANCES[name] for name in (HARMLESS, OFFSETS, "shift by 1 to 99 samples")}
    monkeypatch.setattr(robustness, "DISTURBANCES", few)
    return tmp_path / "runs"


def test_the_decisions_that_a_disturbance_changes_are_counted(dataset, runs):
    lines = []
    effects = {effect.disturbance: effect.figures for effect in measure_robustness(dataset, runs, lines.append)}
    assert len(lines) == len(effects) == 4
    answers = Answers.of_runs(dataset, runs)
    ill, answered = dataset.infarction[:, 0] > 0, (answers.probability[:, 0], answers.found[:, 0])
    for name in ("auroc", "sensitivity", "specificity"):
        assert effects["undisturbed"][name].value == pytest.approx(METRICS[name](ill, *answered, np.ones((1, 60)))[0])
    assert effects["undisturbed"]["changed"].value == 0
    assert effects["undisturbed"]["sites_changed"].value == 0
    assert effects[HARMLESS]["changed"].value < 0.05
    offset = effects[OFFSETS]
    assert 0.2 < offset["changed"].low < offset["changed"].value < offset["changed"].high <= 1
    assert offset["sites_changed"].value > 0
    assert offset["auroc"].high < effects["undisturbed"]["auroc"].low
    assert (offset["changed"].n, offset["sites_changed"].n) == (60, 30)


def test_disturbed_recordings_are_answered_as_by_the_runtime(dataset, runs, tmp_path):
    """Also where one more window, here without the start, reaches the end that the regular ones leave out."""

    def spoil_start(signal, _=None):
        spoiled = signal[:, :850].copy()
        spoiled[:, :50] = -20
        return spoiled

    disturbed = HeldOut(STAGES["infarction"], dataset, runs).answer(spoil_start)
    release_fold(dataset, runs, tmp_path / "fold0", 0, lambda _: None)
    detector = Detector(tmp_path / "fold0", quality_gate="warn")
    rows = np.flatnonzero(dataset.folds(5, 0) == 0)
    findings = [detector.detect(Recording(spoil_start(dataset.signals[row]))) for row in rows]
    probability = np.array([finding.probability for finding in findings])
    assert ((probability > 0.1) & (probability < 0.9)).any(), "the windows should disagree"
    np.testing.assert_allclose(disturbed.probability[rows, 0], probability, atol=1e-5)
    assert disturbed.found[rows, 0].tolist() == [finding.status == "detected" for finding in findings]


def test_a_release_publishes_what_was_measured_on_its_networks(dataset_folder, runs, tmp_path):
    out = tmp_path / "models"
    out.mkdir()
    (out / "CHANGELOG.md").write_text(f"## {MODEL_VERSION}\n")
    result = CliRunner().invoke(main, ["convert", str(dataset_folder), "--runs", str(runs), "--out", str(out)])
    assert result.exit_code == 0, result.output
    printed = CliRunner().invoke(main, ["robustness", str(dataset_folder), "--runs", str(runs)])
    assert printed.exit_code == 0, printed.output
    card = (out / "README.md").read_text(encoding="utf-8")
    assert printed.stdout.strip() in card
    with (out / "robustness.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = printed.stdout.splitlines()[2:]
    assert [row["disturbance"] for row in rows] == [line.split("|")[1].strip() for line in lines]
    for row, line in zip(rows, lines, strict=True):
        stored = [float(row[f"{name}{end}"]) for name in ("changed", "auroc") for end in ("", "_low", "_high")]
        np.testing.assert_allclose([float(x) for x in re.findall(r"\d\.\d{3}", line)][:6], stored, atol=6e-4)
    assert "![Reliability](reliability.svg)" in card
    assert "infarction, n 60" in (out / "reliability.svg").read_text(encoding="utf-8")
    lines = list(self_check(Detector(out)))
    for stage in ("infarction", "localization"):
        assert f"spec {stage}.json: as in the model" in lines
        assert any(line.startswith(f"test vectors of {stage}: 5 inputs") for line in lines)
    check_operating_points(read_dataset(dataset_folder), out, card)


def check_operating_points(dataset, out, card):
    """The specs and the card have the figures that the table of answers gives; too few of each site are there."""
    points = measure_points(dataset, Answers.read(out / "out_of_fold.csv"))
    assert "\n".join(render_points(points)) in card
    predictive = measure_predictive_values(dataset, Answers.read(out / "out_of_fold.csv"))
    assert "\n".join(render_predictive_values(predictive)) in card
    detector = Detector(out)
    assert detector.operating_points == tuple(points) == ("balanced", "sensitive", "specific")
    spec, sites = detector.infarction.spec, detector.localization.spec
    for name, rows in points.items():
        assert spec.points[name].metrics == collect_shares(STAGES["infarction"], [*rows, *predictive[name]])
        assert sites.points[name].metrics["inferior"] == {}
        assert (sites.points[name].unproven, sites.points[name].thresholds) == (sites.labels, (0.5,) * 6)
        row = f"| infarction | {' | '.join(f'{spec.points[point].thresholds[0]:.3f}' for point in points)} |"
        assert row in card
    assert spec.points["balanced"].metrics["infarction"]["sensitivity"]["n"] == 60
    assert spec.points["sensitive"].thresholds <= spec.thresholds <= spec.points["specific"].thresholds
