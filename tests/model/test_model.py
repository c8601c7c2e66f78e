import json

import onnxruntime
import pytest
from tiny import model, spec, write_models

from ecg_edge import Detector
from ecg_edge.errors import ModelError, ProviderError
from ecg_edge.model.manifest import CheckedFile
from ecg_edge.model.session import Model
from ecg_edge.model.spec import METADATA_KEY, ModelSpec


@pytest.fixture
def folder(tmp_path):
    return write_models(tmp_path / "models")


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_byte_of_a_model_is_noticed_and_the_file_named(folder, at):
    path = folder / "localization.onnx"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"localization\.onnx: differs from the manifest"):
        Detector(folder)


def test_a_missing_model_is_named(folder):
    (folder / "infarction.onnx").unlink()
    with pytest.raises(ModelError, match=r"infarction\.onnx: cannot be read"):
        Detector(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"models": {"infarction": {}}}', '{"models": 3}'])
def test_a_file_that_is_no_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        Detector(folder)


@pytest.mark.parametrize("name", ["../infarction.onnx", "/etc/passwd", "sub/infarction.onnx"])
def test_a_manifest_cannot_name_a_file_outside_its_folder(folder, name):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["models"]["infarction"]["file"] = name
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="not a plain file name"):
        Detector(folder)


def test_a_manifest_without_a_stage_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["models"]["localization"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="no model for the stage localization"):
        Detector(folder)


def test_bytes_that_are_no_model_are_refused(tmp_path):
    with pytest.raises(ModelError, match="is not an ONNX file"):
        Model(CheckedFile(tmp_path / "a.onnx", b"nothing", "0"))


def test_a_model_without_a_spec_is_refused(tmp_path):
    bare = model(spec("infarction"))
    del bare.metadata_props[:]
    with pytest.raises(ModelError, match=f"does not have '{METADATA_KEY}' in its metadata"):
        Model(CheckedFile(tmp_path / "a.onnx", bare.SerializeToString(), "0"))


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": (0.5, 0.5)},
        {"stride": 0},
        {"stride": 801},
        {"stage": "other"},
        {"schema": 2},
        {"labels": ()},
        {"thresholds": (float("nan"),)},
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(changes):
    values = json.loads(spec("infarction").to_json()) | changes
    with pytest.raises(ValueError, match="its spec"):
        ModelSpec.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"average": "median"}, "average 'median'"),
        ({"tail": "padded"}, "tail 'padded'"),
        ({"whole_length": 1400}, "have 1400 samples, the length of a whole recording"),
        (
            {"whole_length": 1501, "tail": "dropped", "stride": 700},
            "have 1501 samples, the length of a whole recording",
        ),
        ({"whole_length": 5010}, "whole length 5010, at whose end there is not a window"),
        ({"whole_length": 500}, "whole length 500, at whose end there is not a window"),
    ],
)
def test_a_spec_that_the_runtime_could_not_keep_is_refused(changes, why):
    with pytest.raises(ValueError, match=why):
        spec("infarction", **changes)


def test_a_spec_that_says_nothing_of_averages_and_tails_means_what_it_always_meant():
    values = json.loads(spec("infarction").to_json())
    for later in ("average", "tail", "whole_length"):
        del values[later]
    assert ModelSpec.from_json(json.dumps(values)) == spec("infarction")


def test_a_spec_without_a_key_is_refused_and_an_unknown_key_passed_over():
    values = json.loads(spec("infarction").to_json())
    assert ModelSpec.from_json(json.dumps(values | {"later": 1})) == spec("infarction")
    del values["window"]
    with pytest.raises(ValueError, match="window"):
        ModelSpec.from_json(json.dumps(values))


def test_models_of_the_wrong_stage_or_leads_are_refused(tmp_path):
    with pytest.raises(ModelError, match="stage infarction, expected localization"):
        Detector(write_models(tmp_path / "a", localization={"stage": "infarction"}))
    with pytest.raises(ModelError, match="12 leads in mV"):
        Detector(write_models(tmp_path / "b", infarction={"unit": "uV"}))


@pytest.mark.parametrize("stage", ["infarction", "localization"])
def test_models_of_another_sampling_rate_than_the_quality_gate_are_refused(tmp_path, stage):
    with pytest.raises(
        ModelError, match=rf"{stage}.onnx: expects 250 Hz; the quality gate and all models must use 500 Hz"
    ):
        Detector(write_models(tmp_path, **{stage: {"sampling_rate": 250.0}}))


def test_a_pair_of_models_at_250_hz_is_refused(tmp_path):
    rate = {"sampling_rate": 250.0}
    with pytest.raises(ModelError, match="expects 250 Hz"):
        Detector(write_models(tmp_path, infarction=rate, localization=rate))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"stage": "other"}, "the stage 'other', expected one of infarction, localization"),
        ({"stride": 801}, "the stride 801, expected 1 to 800"),
        ({"windows_per_call": 0}, "windows_per_call 0, expected 1 or more"),
        ({"sampling_rate": 0}, "the sampling rate 0, expected more than 0"),
        ({"labels": ()}, "0 labels, expected 1"),
        ({"labels": ("a", "a"), "thresholds": (0.5, 0.5)}, "a label more than once"),
        ({"metrics": ()}, "metrics that are not an object"),
    ],
)
def test_each_fault_of_a_spec_has_its_own_message(changes, why):
    with pytest.raises(ValueError, match=why):
        spec("infarction", **changes)


@pytest.mark.parametrize("changes", [{"window": 900}, {"stride": 50}, {"labels": ("a", "b"), "thresholds": (0.5, 0.5)}])
def test_a_graph_that_does_not_answer_as_its_spec_states_is_refused(tmp_path, changes):
    honest = model(spec("infarction"))
    honest.metadata_props[0].value = spec("infarction", **changes).to_json()
    with pytest.raises(ModelError, match="its spec states"):
        Model(CheckedFile(tmp_path / "a.onnx", honest.SerializeToString(), "0"))


def test_cuda_that_is_not_offered_is_an_error_that_says_what_is(folder, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ProviderError, match="CUDAExecutionProvider was requested, but onnxruntime offers CPUExecution"):
        Detector(folder, provider="cuda")


def test_a_session_that_falls_back_to_cpu_is_an_error(folder, monkeypatch):
    real = onnxruntime.InferenceSession
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda content, options, **_: real(content, options))
    with pytest.raises(ProviderError, match="CUDAExecutionProvider"):
        Detector(folder, provider="cuda")


def test_cuda_that_is_active_is_used_and_reported(folder, monkeypatch, ecg):
    class OnCuda:
        def __init__(self, content, options, providers, provider_options):
            assert providers == ["CUDAExecutionProvider"]
            assert provider_options == [{"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}]
            self.session = onnxruntime_session(content, options)

        def get_providers(self):
            return ["CUDAExecutionProvider", "CPUExecutionProvider"]

        def __getattr__(self, name):
            return getattr(self.session, name)

    onnxruntime_session = onnxruntime.InferenceSession
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    on_cpu = list(Detector(folder, quality_gate="warn").detect_many([ecg(I=1.0), ecg()]))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: offered)
    monkeypatch.setattr(onnxruntime, "InferenceSession", OnCuda)
    findings = list(Detector(folder, provider="cuda", quality_gate="warn").detect_many([ecg(I=1.0), ecg()]))
    assert [finding.status for finding in findings] == ["detected", "not_detected"]
    assert [finding.probability for finding in findings] == [finding.probability for finding in on_cpu]
    assert findings[0].provenance.provider == "CUDAExecutionProvider"
