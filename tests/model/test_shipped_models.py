"""The models that ship, through the runtime alone."""

import json

import numpy as np
import onnxruntime
import pytest

from ecg_edge import Detector, Recording, read_recording
from ecg_edge.model.manifest import read_files
from ecg_edge.model.session import Model
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.recording import LEADS
from ecg_edge.selfcheck import self_check

EXAMPLES = example_recordings()


@pytest.fixture(scope="module")
def models():
    return {stage: Model(file) for stage, file in read_files(shipped_models(), "models").items()}


@pytest.fixture
def long_recording():
    normal, ill = (read_recording(EXAMPLES / f"{name}.npy").signal for name in ("normal", "inferior_infarction"))
    return np.ascontiguousarray(np.hstack([normal, ill, normal, ill])[:, :17_777], np.float32)


@pytest.mark.parametrize("stage", ["infarction", "localization"])
def test_a_window_depends_on_its_own_samples_alone(models, long_recording, stage):
    model = models[stage]
    together = model.window_scores(long_recording[None])[0]
    assert len(together) == 1 + (long_recording.shape[1] - model.spec.window) // model.spec.stride
    for index in range(0, len(together), 7):
        start = index * model.spec.stride
        alone = model.window_scores(long_recording[None, :, start : start + model.spec.window])[0, 0]
        np.testing.assert_allclose(together[index], alone, atol=1e-5)


@pytest.mark.parametrize("stage", ["infarction", "localization"])
def test_what_lies_outside_of_a_window_does_not_reach_it(models, long_recording, stage):
    model = models[stage]
    before = model.window_scores(long_recording[None])[0]
    changed = long_recording.copy()
    changed[:, model.spec.window :] = 1e3
    np.testing.assert_allclose(model.window_scores(changed[None])[0, 0], before[0], atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
@pytest.mark.parametrize("stage", ["infarction", "localization"])
def test_what_is_no_number_reaches_no_window_that_it_is_not_in(models, long_recording, stage, bad):
    spec = models[stage].spec
    session = onnxruntime.InferenceSession(
        read_files(shipped_models(), "models")[stage].content, providers=["CPUExecutionProvider"]
    )
    before = session.run(["window_probability"], {"ecg": long_recording[None]})[0][0]
    starts = spec.stride * np.arange(len(before))
    for at in (1000, 5432, 9999):
        changed = long_recording.copy()
        changed[7, at] = bad
        after = session.run(["window_probability"], {"ecg": changed[None]})[0][0]
        away = (starts > at) | (starts + spec.window <= at)
        np.testing.assert_allclose(after[away], before[away], atol=1e-5)


@pytest.mark.parametrize("stage", ["infarction", "localization"])
def test_a_file_answers_as_many_windows_as_the_contract_says(models, long_recording, stage):
    window, stride = models[stage].spec.window, models[stage].spec.stride
    for samples in (*range(window, window + 2 * stride, 7), window + stride - 1, window + 2 * stride - 1):
        found = models[stage].window_scores(long_recording[None, :, :samples].copy())
        assert found.shape[1] == 1 + (samples - window) // stride


@pytest.mark.parametrize("stage", ["infarction", "localization"])
def test_the_mean_in_the_file_is_that_of_its_windows(models, long_recording, stage):
    content = read_files(shipped_models(), "models")[stage].content
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    probability, windows = session.run(["probability", "window_probability"], {"ecg": long_recording[None]})
    np.testing.assert_allclose(probability, windows.mean(axis=1), atol=1e-6)


def test_chunks_change_no_answer(long_recording, monkeypatch):
    recording = Recording(long_recording)
    whole = Detector().detect(recording, all_sites=True, windows=True)
    pieces = Detector()
    for model in (pieces.infarction, pieces.localization):
        monkeypatch.setattr(model, "spec", _in_pieces(model.spec))
    cut = pieces.detect(recording, all_sites=True, windows=True)
    assert cut.timeline.start_s == whole.timeline.start_s
    np.testing.assert_allclose(cut.timeline.probability, whole.timeline.probability, atol=1e-5)
    for a, b in zip(cut.sites, whole.sites, strict=True):
        np.testing.assert_allclose(a.timeline.probability, b.timeline.probability, atol=1e-5)


def _in_pieces(spec):
    from dataclasses import replace

    return replace(spec, windows_per_call=5)


def test_the_spec_says_what_the_contract_asks_for(models):
    infarction, localization = models["infarction"].spec, models["localization"].spec
    assert (infarction.window, infarction.stride, infarction.labels) == (800, 100, ("infarction",))
    assert (localization.window, localization.stride) == (700, 50)
    assert localization.labels == ("septal", "anterior", "lateral", "anterolateral", "anteroseptal", "inferior")
    for spec in (infarction, localization):
        assert (spec.leads, spec.sampling_rate, spec.unit, spec.licence) == (LEADS, 500, "mV", "MIT")
        assert all(0 < threshold < 1 for threshold in spec.thresholds)
    assert localization.unproven == ("lateral",)


def test_each_model_is_one_file_under_a_megabyte():
    manifest = json.loads((shipped_models() / "manifest.json").read_text())
    assert all(entry["size"] < 1_000_000 for entry in manifest["models"].values())


def test_the_example_with_an_infarction_is_detected_and_the_normal_one_is_not(shipped):
    assert shipped.detect(read_recording(EXAMPLES / "normal.npy")).status == "not_detected"
    finding = shipped.detect(read_recording(EXAMPLES / "inferior_infarction.npy"))
    assert finding.status == "detected"
    assert "inferior" in finding.found_sites


def test_golden_answers_hold(shipped):
    assert sum("golden recording" in line for line in self_check(shipped)) == 2
