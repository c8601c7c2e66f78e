"""The figures that are published, measured again."""

import json

import numpy as np
import pytest

from ecg_edge import Detector
from ecg_edge.package_data import shipped_models
from ecg_edge.readers import find_records
from export.dataset import read_dataset
from export.evaluation import evaluate, render_table
from export.out_of_fold import FILE, LABELS, Answers
from export.release import collect_metrics, measure_seen_records
from export.stages import STAGES

FOLD = 0


@pytest.fixture(scope="module")
def dataset(records):
    return read_dataset(records / "train")


@pytest.fixture(scope="module")
def answers():
    return Answers.read(shipped_models() / FILE)


def test_the_card_the_accuracy_page_and_the_specs_say_what_the_out_of_fold_answers_give(dataset, answers, request):
    progress = []
    evaluation = evaluate(dataset, answers, progress.append)
    assert progress[0] == "measuring infarction, 1680 records"
    assert len(progress) == 1 + 2 * (6 + 1)
    lines = "\n".join(render_table(evaluation)).strip()
    for page in (shipped_models() / "README.md", request.path.parents[2] / "docs/accuracy.md"):
        assert lines in page.read_text(encoding="utf-8")
    detector = Detector()
    for model in (detector.infarction, detector.localization):
        assert model.spec.metrics == collect_metrics(STAGES[model.spec.stage], evaluation)


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
