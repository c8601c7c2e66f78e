"""`python -m export describe` writes what programs in other languages need beside models of any kind."""

import hashlib
import json

import onnx
import pytest
import tiny
from click.testing import CliRunner
from folders import copy_models
from javascript import run_node

from ecg_edge import Detector
from ecg_edge.package_data import shipped_models
from ecg_edge.selfcheck import self_check
from export.__main__ import main
from export.folder import add_model, write_models


def describe(folder):
    return CliRunner().invoke(main, ["describe", str(folder)])


def strictly(content):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(content, parse_constant=refuse)


def test_the_shipped_files_are_what_the_command_writes(tmp_path):
    folder = copy_models(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.glob("*.json"):
        if path.name not in {"manifest.json", "golden.json"}:
            path.unlink()
    assert describe(folder).exit_code == 0
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after.keys() == before.keys()
    # Another processor may round the answers in another way.
    vectors, stored = (json.loads(files["vectors.json"]) for files in (after, before))
    assert vectors["inputs"] == stored["inputs"]
    assert vectors["steps"] == stored["steps"]
    assert all(after[name] == before[name] for name in before if name not in {"vectors.json", "manifest.json"})
    assert any(line.startswith("test vectors of") for line in self_check(Detector(folder)))


def test_writing_them_for_older_models_changes_no_model(tmp_path):
    folder = tiny.write_models(tmp_path / "older", plausibility={})
    before = {path.name: path.read_bytes() for path in folder.glob("*.onnx")}
    models = json.loads((folder / "manifest.json").read_bytes())["models"]
    assert describe(folder).exit_code == 0
    assert before == {path.name: path.read_bytes() for path in folder.glob("*.onnx")}
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["models"] == models
    for entry in (*manifest["specs"].values(), *manifest["ports"].values()):
        content = (folder / entry["file"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (entry["sha256"], entry["size"])
    lines = list(self_check(Detector(folder)))
    assert "spec plausibility.json: as in the model" in lines


def test_a_key_that_this_version_does_not_know_is_carried(tmp_path):
    model = tiny.model(tiny.spec("infarction"))
    stated = json.loads(model.metadata_props[0].value) | {"chosen_by": {"a": [1, 2]}, "metrics": {"x": float("nan")}}
    del stated["tail"]  # as in a file from before this key
    onnx.helper.set_model_props(model, {"ecg_edge": json.dumps(stated)})
    contents = {"infarction": model, "localization": tiny.model(tiny.spec("localization"))}
    write_models(tmp_path, {stage: made.SerializeToString() for stage, made in contents.items()})
    spec = strictly((tmp_path / "infarction.json").read_bytes())
    assert spec["chosen_by"] == {"a": [1, 2]}
    assert spec["metrics"] == {"x": None}
    assert spec.keys() == {*stated, "input", "output"}
    assert "spec infarction.json: as in the model" in list(self_check(Detector(tmp_path)))


def test_a_model_that_is_replaced_gets_its_own_spec(tmp_path):
    folder = tiny.write_models(tmp_path / "models")
    describe(folder)
    add_model(folder, "infarction", tiny.model(tiny.spec("infarction", thresholds=(0.7,))).SerializeToString())
    assert json.loads((folder / "infarction.json").read_bytes())["thresholds"] == [0.7]
    assert describe(folder).exit_code == 0
    assert "spec infarction.json: as in the model" in list(self_check(Detector(folder)))


def test_a_folder_without_models_is_one_line(tmp_path):
    result = describe(tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("tail", ["window", "dropped"])
@pytest.mark.parametrize("average", ["probability", "logit"])
def test_node_answers_models_with_every_rule_of_windows_and_means(tmp_path, tail, average):
    changes = {"tail": tail, "average": average, "whole_length": 5000}
    folder = tiny.write_models(tmp_path / "models", infarction=changes, localization=changes)
    assert describe(folder).exit_code == 0
    vectors = json.loads((folder / "vectors.json").read_bytes())
    assert vectors["models"].keys() == {"infarction", "localization"}
    assert vectors["tolerance"] == json.loads((shipped_models() / "vectors.json").read_bytes())["tolerance"]
    result = run_node("node.mjs", "--vectors", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(result.stdout.splitlines()) == 11
