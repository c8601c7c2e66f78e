"""The figures that are published, measured again."""

import csv
import json
import re

import numpy as np
import pytest

from ecg_edge import Detector
from ecg_edge.evaluation.metrics import compute_auroc
from ecg_edge.package_data import shipped_models
from ecg_edge.readers import find_records
from export.dataset import read_dataset
from export.disturbances import DISTURBANCES
from export.evaluation import evaluate, render_calibration, render_table
from export.operating_points import (
    collect_shares,
    measure_points,
    measure_predictive_values,
    render_points,
    render_predictive_values,
)
from export.out_of_fold import FILE, LABELS, Answers
from export.release import RELIABILITY, ROBUSTNESS, collect_metrics, measure_seen_records
from export.robustness import UNDISTURBED
from export.second_reader import measure_second_reader, render_second_reader
from export.stages import STAGES

FOLD = 0


@pytest.fixture(scope="module")
def dataset(records):
    return read_dataset(records / "train")


@pytest.fixture(scope="module")
def answers():
    return Answers.read(shipped_models() / FILE)


def test_the_card_the_accuracy_page_the_figure_and_the_specs_say_what_the_out_of_fold_answers_give(
    dataset, answers, request
):
    progress = []
    evaluation = evaluate(dataset, answers, progress.append)
    assert "of infarction, 1680 records" in progress[0]
    assert len(progress) == 1 + 2 * (6 + 1) + (1 + 6)
    points = measure_points(dataset, answers)
    assert "\n".join(render_points(points)).strip() in (request.path.parents[2] / "docs/accuracy.md").read_text("utf-8")
    values = measure_predictive_values(dataset, answers)
    assert "\n".join(render_predictive_values(values)).strip() in (
        request.path.parents[2] / "docs/accuracy.md"
    ).read_text("utf-8")
    reader = "\n".join(render_second_reader(measure_second_reader(dataset))).strip()
    for page in (shipped_models() / "README.md", request.path.parents[2] / "docs/accuracy.md"):
        text = page.read_text(encoding="utf-8")
        assert reader in text
        for tables in (render_table(evaluation), render_calibration(evaluation)):
            assert "\n".join(tables).strip() in text
    figure = (shipped_models() / RELIABILITY).read_text(encoding="utf-8")
    for row in evaluation.calibration:
        assert not row.figures or f"{row.name}, n {row.n}, ECE {row.figures['ece'].value:.3f}" in figure
    detector = Detector()
    for model in (detector.infarction, detector.localization):
        assert model.spec.metrics == collect_metrics(STAGES[model.spec.stage], evaluation)
        for name, point in model.spec.operating_points.items():
            assert point.metrics == collect_shares(STAGES[model.spec.stage], [*points[name], *values[name]])


def test_the_card_has_the_robustness_of_the_networks_that_gave_the_out_of_fold_answers(dataset, answers):
    with (shipped_models() / ROBUSTNESS).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["disturbance"] for row in rows] == [UNDISTURBED, *DISTURBANCES]
    ill = dataset.infarction[:, 0] > 0
    assert float(rows[0]["auroc"]) == pytest.approx(
        compute_auroc(ill, answers.probability[:, 0], np.ones((1, len(ill))))[0], abs=2e-4
    )
    card = (shipped_models() / "README.md").read_text(encoding="utf-8")
    for row in rows:
        (line,) = (line for line in card.splitlines() if line.startswith(f"| {row['disturbance']} | "))
        stored = [float(value) for column, value in row.items() if not column.endswith(("_n", "disturbance"))]
        np.testing.assert_allclose([float(number) for number in re.findall(r"\d\.\d{3}", line)], stored, atol=6e-4)


def test_no_patient_is_in_two_folds(dataset, answers):
    folds_of = {}
    for patient, fold in zip(dataset.patients, answers.folds, strict=True):
        folds_of.setdefault(patient, set()).add(fold)
    assert all(len(folds) == 1 for folds in folds_of.values())
    np.testing.assert_array_equal(answers.folds, dataset.folds(5, 0))


def test_the_runtime_gives_the_out_of_fold_answers_of_a_fold(records, answers, request):
    """The networks of one fold, exported as the shipped ones are, on the records that they have not seen."""
    detector = Detector(request.path.with_name(f"fold{FOLD}"), quality_gate="warn")
    rows = {name: i for i, name in enumerate(answers.names) if answers.folds[i] == FOLD}
    held_out = [record for record in find_records(records / "train") if record.name in rows]
    assert len(held_out) == len(rows) > 300
    for finding in detector.detect_many(held_out, all_sites=True):
        row = rows[finding.record]
        now = [finding.probability, *(site.probability for site in finding.sites)]
        np.testing.assert_allclose(now, answers.probability[row], atol=1e-4, err_msg=finding.record)
        found = [finding.status == "detected", *(site.found for site in finding.sites)]
        close = np.abs(np.array(now) - [detector.infarction.spec.thresholds[0], *detector.localization.spec.thresholds])
        assert all(np.array(found)[close > 1e-4] == answers.found[row][close > 1e-4])


def test_the_shipped_models_still_score_what_the_card_says(dataset):
    card = (shipped_models() / "README.md").read_text(encoding="utf-8")
    assert measure_seen_records(Detector(quality_gate="warn"), dataset) in card


def test_the_card_counts_the_records_that_are_too_few(dataset):
    card = (shipped_models() / "README.md").read_text(encoding="utf-8")
    assert f"{dataset.minors} of the 1680 records are of people under 18" in card
    assert f"{dataset.paced} of the records are" in card


def test_labels_of_the_table_are_those_of_the_models():
    detector = Detector()
    assert LABELS == (*detector.infarction.spec.labels, *detector.localization.spec.labels)


def test_manifest_and_changelog_name_the_same_version():
    manifest = json.loads((shipped_models() / "manifest.json").read_text())
    detector = Detector()
    assert {model.name for model in detector.provenance.models} == set(manifest["models"])
    changelog = (shipped_models() / "CHANGELOG.md").read_text(encoding="utf-8")
    assert all(f"## {model.version}\n" in changelog for model in detector.provenance.models)
