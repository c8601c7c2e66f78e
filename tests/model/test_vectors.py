"""The files for programs in other languages: the spec beside each model, and the test vectors."""

import json
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from folders import copy_models, put_file

from ecg_edge import Detector, Recording
from ecg_edge.errors import ModelError
from ecg_edge.model.vectors import build_input
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.selfcheck import SelfCheckError, self_check

STAGES = ("infarction", "localization", "plausibility")


@pytest.fixture(scope="module")
def vectors():
    return json.loads((shipped_models() / "vectors.json").read_bytes())


def check(folder):
    return list(self_check(Detector(folder)))


def refuse_constant(name):
    raise AssertionError(name)


@pytest.mark.parametrize("stage", STAGES)
def test_the_spec_beside_a_model_says_what_its_metadata_say(stage):
    session = onnxruntime.InferenceSession(shipped_models() / f"{stage}.onnx", providers=["CPUExecutionProvider"])
    text = (shipped_models() / f"{stage}.json").read_text(encoding="utf-8")
    spec = json.loads(text, parse_constant=refuse_constant)
    assert [node.name for node in session.get_inputs()] == [spec.pop("input")]
    assert spec.pop("output") in {node.name for node in session.get_outputs()}
    assert spec == json.loads(session.get_modelmeta().custom_metadata_map["ecg_edge"])


def test_the_vectors_have_short_inputs_tails_and_one_that_takes_several_calls(vectors):
    samples = {entry["name"]: entry["samples"] for entry in vectors["inputs"]}
    long = samples.pop("long")
    assert sorted(samples.values()) == [801, 860, 4950, 5000]
    assert long > 60 * vectors["sampling_rate"]
    for model in Detector().models:
        assert long > model.spec.window + model.spec.windows_per_call * model.spec.stride
        assert (long - model.spec.window) % model.spec.stride
    assert (shipped_models() / "vectors.json").stat().st_size < 1e6


def test_the_vectors_are_made_of_the_example_recordings(vectors):
    entries = {entry["name"]: entry for entry in vectors["inputs"]}
    ill, normal = (np.load(example_recordings() / f"{name}.npy") for name in ("inferior_infarction", "normal"))
    np.testing.assert_array_equal(build_input(vectors, entries["5000"]), ill)
    np.testing.assert_array_equal(build_input(vectors, entries["4950"]), normal[:, :4950])
    long = build_input(vectors, entries["long"])
    np.testing.assert_array_equal(long[:, 9999:15000], np.hstack([ill, normal])[:, :5001])


def test_the_answers_are_those_of_the_detector(vectors):
    detector = Detector()
    for entry in vectors["inputs"]:
        recording = Recording(build_input(vectors, entry))
        finding = detector.detect(recording, all_sites=True, windows=True)
        infarction, sites = (vectors["models"][stage]["answers"][entry["name"]] for stage in STAGES[:2])
        assert infarction["mean"] == pytest.approx([finding.probability], abs=1e-6)
        assert np.ravel(infarction["windows"]) == pytest.approx(finding.timeline.probability, abs=1e-6)
        assert sites["mean"] == pytest.approx([site.probability for site in finding.sites], abs=1e-6)
        timelines = np.transpose([site.timeline.probability for site in finding.sites])
        np.testing.assert_allclose(sites["windows"], timelines, atol=1e-6)


def test_an_input_shorter_than_a_window_has_no_answer(vectors):
    answers = vectors["models"]["plausibility"]["answers"]
    assert answers["801"] == answers["860"] == {"mean": [], "windows": []}
    assert len(answers["4950"]["windows"]) == 9


def test_check_compares_the_specs_and_the_vectors():
    lines = check(shipped_models())
    for stage in STAGES:
        assert f"spec {stage}.json: as in the model" in lines
        assert any(line.startswith(f"test vectors of {stage}: 5 inputs, answers within ") for line in lines)


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec.update(thresholds=[0.5]),
        lambda spec: spec.update(output="probability"),
        lambda spec: spec.pop("licence"),
        lambda spec: spec.update(more=1),
    ],
)
def test_check_fails_when_a_spec_does_not_say_what_the_model_says(tmp_path, change):
    folder = copy_models(tmp_path, "infarction.json", change)
    with pytest.raises(SelfCheckError, match=r"infarction\.json does not say .* python -m export describe FOLDER"):
        check(folder)


def test_check_fails_in_one_line_at_the_command_line(tmp_path):
    folder = copy_models(tmp_path, "localization.json", lambda spec: spec.pop("stride"))
    command = [sys.executable, "-m", "ecg_edge", "check", "--models", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith("FAILED: ")
    assert not result.stderr


def test_check_fails_when_a_spec_is_damaged_or_missing(tmp_path):
    folder = copy_models(tmp_path)
    (folder / "infarction.json").write_text("{}")
    with pytest.raises(ModelError, match=r"infarction\.json: differs from the manifest"):
        check(folder)
    put_file(folder, "infarction.json", "[")
    with pytest.raises(SelfCheckError, match=r"infarction\.json does not contain a spec"):
        check(folder)
    (folder / "infarction.json").unlink()
    with pytest.raises(ModelError, match=r"infarction\.json: cannot be read"):
        check(folder)


def test_a_folder_without_specs_and_vectors_works(tmp_path):
    folder = copy_models(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    del manifest["specs"], manifest["ports"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for file in ("vectors.json", *(f"{stage}.json" for stage in STAGES)):
        (folder / file).unlink()
    lines = check(folder)
    assert lines[-1] == "OK: this installation gives the stored answers"
    assert not any(line.startswith(("spec ", "test vectors ")) for line in lines)


def test_an_installation_without_the_vectors_is_whole(tmp_path):
    folder = copy_models(tmp_path)
    (folder / "vectors.json").unlink()
    lines = check(folder)
    assert lines[-1] == "OK: this installation gives the stored answers"
    assert not any(line.startswith("test vectors ") for line in lines)


def test_vectors_that_are_there_must_be_those_of_the_manifest(tmp_path):
    folder = copy_models(tmp_path)
    (folder / "vectors.json").write_text("{}")
    with pytest.raises(ModelError, match=r"vectors\.json: differs from the manifest"):
        check(folder)


@pytest.mark.parametrize("section", ["specs", "ports"])
@pytest.mark.parametrize("name", ["../vectors.json", "/dev/zero", "absent/../x", 3, "a\0b"])
def test_the_manifest_cannot_name_a_file_outside_its_folder(tmp_path, section, name):
    folder = copy_models(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    next(iter(manifest[section].values()))["file"] = name
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="which is not a plain file name"):
        check(folder)


def change_answer(vectors):
    vectors["models"]["localization"]["answers"]["long"]["windows"][600][3] += 2e-5


def forget_answer(vectors):
    vectors["models"]["localization"]["answers"]["801"]["mean"][0] = None


def change_model(vectors):
    vectors["models"]["infarction"]["sha256"] = "0" * 64


def forget_model(vectors):
    del vectors["models"]["plausibility"]


def drop_window(vectors):
    vectors["models"]["infarction"]["answers"]["860"]["windows"].pop()


def change_step(vectors):
    vectors["steps"] = "AAAA" + vectors["steps"][4:]


def ask_too_much(vectors):
    vectors["inputs"][0]["samples"] = 10**12


def ask_beyond_the_steps(vectors):
    vectors["inputs"][0]["first"] = 9990


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_answer, "an answer of the model localization differs by 2.0e-05, more than 1e-05"),
        (forget_answer, "an answer of the model localization differs by nan"),
        (change_model, "was not made with this model of the stage infarction"),
        (forget_model, "was not made with this model of the stage plausibility"),
        (drop_window, "does not contain test vectors"),
        (change_step, "does not have the samples that its sha256 states"),
        (ask_too_much, "an input of 1000000000000 samples"),
        (ask_beyond_the_steps, "does not contain test vectors"),
        (lambda vectors: vectors.clear(), "does not contain test vectors"),
        (lambda vectors: vectors.update(inputs=[]), "does not contain test vectors"),
    ],
)
def test_check_fails_when_the_vectors_are_not_those_of_the_models(tmp_path, change, message):
    folder = copy_models(tmp_path, "vectors.json", change)
    with pytest.raises(SelfCheckError, match=message):
        check(folder)
