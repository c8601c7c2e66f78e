"""Models that are not what they say are refused before they compute anything, whatever the manifest says of them."""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import StringStringEntryProto, TensorProto, helper, numpy_helper
from tiny import model, spec, write_models

from ecg_edge import Detector
from ecg_edge.errors import InferenceError, ModelError
from ecg_edge.model.manifest import CheckedFile
from ecg_edge.model.onnx_check import check_onnx
from ecg_edge.model.session import Model
from ecg_edge.model.spec import ModelSpec


def of_bytes(content, path="a.onnx"):
    return Model(CheckedFile(path, content, hashlib.sha256(content).hexdigest()))


def with_weights_elsewhere(location):
    made = model(spec("infarction"))
    weight = next(tensor for tensor in made.graph.initializer if tensor.name == "weight")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "48"}.items():
        weight.external_data.append(StringStringEntryProto(key=key, value=value))
    return made


def constant_of(tensor):
    made = model(spec("infarction"))
    made.graph.initializer.remove(next(tensor for tensor in made.graph.initializer if tensor.name == "weight"))
    made.graph.node.insert(0, helper.make_node("Constant", [], ["weight"], value=tensor))
    return made


@pytest.fixture
def no_session(monkeypatch):
    """Let no model get as far as onnxruntime."""

    def refuse(*_, **__):
        pytest.fail("onnxruntime has seen it")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)


@pytest.mark.parametrize("location", ["weights.bin", "/etc/passwd", "../weights.bin", "*/_ORT_MEM_ADDR_/*"])
def test_weights_in_another_file_are_refused_unread(tmp_path, monkeypatch, no_session, location):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(bytes(48))
    made = with_weights_elsewhere(location)
    in_a_node = constant_of(next(tensor for tensor in made.graph.initializer if tensor.name == "weight"))
    for proto in (made, in_a_node):
        with pytest.raises(ModelError, match="keeps weights in another file"):
            of_bytes(proto.SerializeToString())


def test_a_mark_of_weights_elsewhere_is_enough(no_session):
    made = model(spec("infarction"))
    made.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(ModelError, match="keeps weights in another file"):
        of_bytes(made.SerializeToString())


def looping():
    made = model(spec("infarction"))
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["goes"])],
        "for ever",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, [])],
        [value("goes", TensorProto.BOOL, [])],
    )
    made.graph.initializer.append(numpy_helper.from_array(np.array(2**62), "trips"))
    made.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    made.graph.node.append(helper.make_node("Loop", ["trips", "yes"], [], body=body))
    return made


def nested():
    made = model(spec("infarction"))
    body = helper.make_graph([], "empty", [], [])
    for _ in range(10):
        body = helper.make_graph(
            [helper.make_node("If", ["yes"], [], then_branch=body, else_branch=body)], "deep", [], []
        )
        body.node[0].attribute.pop()
    made.graph.node.append(helper.make_node("If", ["yes"], [], then_branch=body))
    return made


def foreign_node():
    made = model(spec("infarction"))
    made.graph.node[0].domain = "com.microsoft"
    return made


def foreign_operators():
    made = model(spec("infarction"))
    made.opset_import.append(helper.make_opsetid("ai.onnx.contrib", 1))
    return made


def own_functions():
    made = model(spec("infarction"))
    made.functions.append(helper.make_function("", "Mine", [], [], [], [helper.make_opsetid("", 18)]))
    return made


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (looping, "has a loop, which may never end"),
        (nested, "has graphs that are nested too deeply"),
        (foreign_node, r"operators that are not standard \(com.microsoft\)"),
        (foreign_operators, r"operators that are not standard \(ai.onnx.contrib\)"),
        (own_functions, "defines its own operators"),
    ],
)
def test_more_than_a_graph_of_standard_operators_is_refused_unseen(no_session, made, why):
    with pytest.raises(ModelError, match=why):
        of_bytes(made().SerializeToString())


def test_a_file_of_onnxruntimes_other_format_is_not_taken_for_it(shipped):
    content = shipped.folder.joinpath("infarction.onnx").read_bytes()
    for hostile in (b"\x20\0\0\0ORTM" + bytes(64), b"\x12\x40\0\0ORTM" + bytes(60) + content):
        with pytest.raises(ModelError):
            of_bytes(hostile)


def bomb(shape):
    made = model(spec("infarction"))
    kept = [node for node in made.graph.node if node.output[0] != "window_probability"]
    made.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 1, 1), np.float32), "nothing"))
    made.graph.initializer.append(numpy_helper.from_array(np.array(shape), "much"))
    del made.graph.node[:]
    made.graph.node.extend([helper.make_node("Expand", ["nothing", "much"], ["window_probability"]), *kept])
    return made


@pytest.mark.skipif(
    tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 32),
    reason="older ones may compute constants while they load a model, before it can be asked for its shapes",
)
@pytest.mark.parametrize("shape", [(1, 1, 10**9), (1, 10**9, 1), (10**9, 1, 1), (1, 2, 10**12)])
def test_outputs_of_a_thousand_million_numbers_are_refused_before_they_are_computed(monkeypatch, shape):
    monkeypatch.setattr(Model, "_probe", lambda *_: pytest.fail("it has computed"))
    with pytest.raises(ModelError, match=r"its spec states another type or shape|more than 4194304"):
        of_bytes(bomb(shape).SerializeToString())


def test_other_inputs_outputs_and_types_are_refused_before_inference(monkeypatch):
    monkeypatch.setattr(Model, "_probe", lambda *_: pytest.fail("it has computed"))
    renamed = model(spec("infarction"))
    renamed.graph.output[0].name = "other"
    renamed.graph.node[-1].output[0] = "other"
    with pytest.raises(ModelError, match="its inputs and outputs are ecg, other, window_probability"):
        of_bytes(renamed.SerializeToString())
    of_two_leads = model(spec("infarction"))
    of_two_leads.metadata_props[0].value = spec("infarction", leads=("I", "II")).to_json()
    with pytest.raises(ModelError, match=r"its spec states another type or shape|more than 4194304"):
        of_bytes(of_two_leads.SerializeToString())


POINT = {"goal": "by hand", "thresholds": [0.5], "unproven": [], "metrics": {}, "measured": ""}
ABSURD_IN_A_POINT = {
    "goal": [None, 7, ["best"]],
    "thresholds": [[float("nan")], [0], [1.5], ["0.5"], [True], 0.5, [], [0.5, 0.5], [[0.5]], None],
    "unproven": [7, "infarction", ["lateral"], [["infarction"]]],
    "metrics": [None, [], "good"],
    "measured": [None, 3],
}
ABSURD = {
    "window": [10**12, 0, -1, 800.0, "800", None, True, [800]],
    "stride": [10**12, 0, -100, "100"],
    "windows_per_call": [10**9, 0, -1, 1.5],
    "whole_length": [10**12, -1, "5000", 0],
    "sampling_rate": [0, -500, float("nan"), float("inf"), 10**9, "500", True, None],
    "thresholds": [[float("nan")], [0], [1.5], [-1.0], ["0.5"], [True], 0.5, [], [[0.5]]],
    "labels": [["a"] * 3, [1], [None], "infarction", 7, [["a"]], ["a\x1b[31m"]],
    "leads": [["I"] * 1000, "I", 12, [1] * 12, None],
    "name": [None, 7, "a\nb", {}],
    "stage": ["", None, 3, ["infarction"]],
    "metrics": [None, [], "good"],
    "calibration": [None, []],
    "unproven": [7, [7], "all"],
    "operating_points": [
        *(
            None,
            [],
            "balanced",
            {"balanced": None},
            {"balanced": {}},
            {"sensitive": POINT},
            {"balanced": POINT, "": POINT},
        ),
        {"balanced": POINT, "a\x1b[31m": POINT},
        {f"p{i}": POINT for i in range(1000)},
        *({"balanced": POINT | {key: value}} for key, values in ABSURD_IN_A_POINT.items() for value in values),
        {"balanced": POINT | {"thresholds": [0.4]}},
    ],
    "schema": [None, "1", 2],
    "average": [None, [], "median"],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in ABSURD.items() for value in values])
def test_a_spec_with_an_absurd_value_is_refused_in_one_line(key, value):
    values = json.loads(spec("infarction").to_json()) | {key: value}
    with pytest.raises(ValueError, match="its spec") as caught:
        ModelSpec.from_json(json.dumps(values))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "{" * 100_000, "null", "1" * 5000, '{"window": 1e999}'])
def test_a_spec_that_is_no_object_is_refused(text):
    made = model(spec("infarction"))
    made.metadata_props[0].value = text
    with pytest.raises(ModelError, match=r"a\.onnx"):
        of_bytes(made.SerializeToString())


def test_a_spec_of_another_model_is_refused(tmp_path):
    for changes in ({"leads": ("I",) * 12}, {"sampling_rate": 1e4, "unit": "V"}):
        with pytest.raises(ModelError):
            Detector(write_models(tmp_path / "models", infarction=changes))


MANIFESTS = {
    "deep": "[" * 100_000,
    "deep objects": '{"models": ' * 50_000,
    "huge": " " * (2**20 + 1),
    "no object": "[1, 2]",
    "nothing": "null",
    "no text": b"\xff\xfe\x00",
    "nan size": '{"models": {"infarction": {"file": "infarction.onnx", "sha256": "0", "size": NaN}}}',
    "negative size": '{"models": {"infarction": {"file": "infarction.onnx", "sha256": "0", "size": -1}}}',
    "huge size": '{"models": {"infarction": {"file": "infarction.onnx", "sha256": "0", "size": 1e30}}}',
    "number for a name": '{"models": {"infarction": {"file": 7, "sha256": "0", "size": 1}}}',
    "nul in a name": '{"models": {"infarction": {"file": "a\\u0000b", "sha256": "0", "size": 1}}}',
    "name of the folder": '{"models": {"infarction": {"file": "..", "sha256": "0", "size": 1}}}',
    "no name": '{"models": {"infarction": {"file": "", "sha256": "0", "size": 1}}}',
    "list": '{"models": {"infarction": [1, 2, 3]}}',
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_hostile_manifest_is_refused_in_one_line(tmp_path, name):
    write_models(tmp_path)
    content = MANIFESTS[name]
    (tmp_path / "manifest.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError) as caught:
        Detector(tmp_path)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["manifest.json", "infarction.onnx"])
def test_a_model_that_never_ends_is_not_begun(tmp_path, name):
    write_models(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="is not a regular file"):
        Detector(tmp_path)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelError, match="is not a regular file"):
        Detector(tmp_path)


def test_a_model_that_is_larger_than_promised_is_not_read_whole(tmp_path):
    write_models(tmp_path)
    os.truncate(tmp_path / "infarction.onnx", 2**40)
    with pytest.raises(ModelError, match=r"infarction\.onnx: is larger than the \d+ bytes expected"):
        Detector(tmp_path)


@pytest.mark.parametrize("command", [["run", "x.npy"], ["info"], ["check"]])
def test_at_the_command_line_a_hostile_model_is_one_line_and_status_1(tmp_path, command):
    write_models(tmp_path)
    content = with_weights_elsewhere("/etc/passwd").SerializeToString()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["models"]["infarction"] |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "infarction.onnx").write_bytes(content)
    whole = [sys.executable, "-m", "ecg_edge", *command, "--models", str(tmp_path)]
    result = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert (result.stdout + result.stderr).count("\n") == 1
    assert "keeps weights in another file" in result.stdout + result.stderr


@pytest.mark.parametrize("golden", ["[]", '{"recordings": 3}', '{"recordings": [{"file": "/dev/zero"}]}', "[" * 10**5])
def test_stored_answers_of_another_make_are_one_line(tmp_path, golden):
    from ecg_edge.selfcheck import SelfCheckError, self_check

    write_models(tmp_path)
    (tmp_path / "golden.json").write_text(golden)
    entry = {"file": "golden.json", "sha256": hashlib.sha256(golden.encode()).hexdigest(), "size": len(golden)}
    manifest = json.loads((tmp_path / "manifest.json").read_text()) | {"checks": {"golden": entry}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SelfCheckError):
        list(self_check(Detector(tmp_path)))


def test_figures_of_another_make_are_no_obstacle_to_info(tmp_path):
    from ecg_edge.cli.info import summarize

    for metrics in (
        {"infarction": 3},
        {"infarction": {"sensitivity": [1]}},
        {"infarction": {"sensitivity": {"value": "x"}}},
    ):
        lines = list(summarize(Detector(write_models(tmp_path / "models", infarction={"metrics": metrics}))))
        assert any("not measured" in line for line in lines)


@pytest.fixture(scope="module")
def sound():
    return model(spec("infarction")).SerializeToString()


@given(data=st.data())
def test_any_damage_to_a_model_ends_in_a_refusal_or_a_look_that_ends(sound, data):
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        check_onnx(bytes(content))


def with_nodes(*nodes, **initializers):
    made = model(spec("infarction"))
    for name, value in initializers.items():
        made.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    for node in reversed(nodes):
        made.graph.node.insert(0, node)
    return made


COSTLY = {
    "a constant of gigabytes": (
        with_nodes(helper.make_node("ConstantOfShape", ["size"], ["big"]), size=[10**6, 10**6]),
        "makes 1000000000000 numbers with ConstantOfShape",
    ),
    "a size that is computed": (
        with_nodes(
            helper.make_node("Mul", ["size", "size"], ["larger"]),
            helper.make_node("ConstantOfShape", ["larger"], ["big"]),
            size=[10**6],
        ),
        "computes the size of ConstantOfShape from constants",
    ),
    "a size in a node": (
        with_nodes(
            helper.make_node("Constant", [], ["size"], value=numpy_helper.from_array(np.array([2**40]))),
            helper.make_node("Expand", ["ecg", "size"], ["big"]),
        ),
        "numbers with Expand",
    ),
    "many copies": (
        with_nodes(helper.make_node("Tile", ["ecg", "times"], ["big"]), times=[1, 1, 2**30]),
        "numbers with Tile",
    ),
    "a range for ever": (
        with_nodes(helper.make_node("Range", ["from", "to", "by"], ["big"]), **{"from": 0, "to": 2**50, "by": 1}),
        "numbers with Range",
    ),
    "products of constants": (
        with_nodes(
            helper.make_node("ConstantOfShape", ["size"], ["ones"]),
            helper.make_node("MatMul", ["ones", "ones"], ["product"]),
            size=[2000, 2000],
        ),
        "computes MatMul with constants only",
    ),
    "noise of any size": (
        with_nodes(helper.make_node("RandomNormal", [], ["noise"], shape=[10**5, 10**5])),
        "RandomNormal",
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_constants_that_cost_minutes_or_gigabytes_are_refused(no_session, name):
    made, message = COSTLY[name]
    with pytest.raises(ModelError, match=message):
        of_bytes(made.SerializeToString())


def test_settings_of_onnxruntime_in_the_metadata_are_refused(no_session):
    made = model(spec("infarction"))
    made.metadata_props.append(StringStringEntryProto(key="ort_config", value='{"session_options": {}}'))
    with pytest.raises(ModelError, match="settings of onnxruntime in its metadata"):
        of_bytes(made.SerializeToString())


@pytest.mark.parametrize("factor", [2.0, -1.0])
def test_probabilities_outside_0_to_1_are_refused(factor):
    made = model(spec("infarction"))
    (sigmoid,) = [node for node in made.graph.node if node.output[0] == "window_probability"]
    sigmoid.output[0] = "right"
    made.graph.initializer.append(numpy_helper.from_array(np.array(factor, np.float32), "factor"))
    at = list(made.graph.node).index(sigmoid)
    made.graph.node.insert(at + 1, helper.make_node("Mul", ["right", "factor"], ["window_probability"]))
    found = of_bytes(made.SerializeToString()) if factor > 0 else None
    with pytest.raises((InferenceError, ModelError), match="gives probabilities outside 0 to 1"):
        (found or of_bytes(made.SerializeToString())).window_scores(np.ones((1, 12, 900), np.float32))


def with_slow_scan():
    """Return a model that multiplies large matrices for each sample."""
    made = model(spec("infarction"))
    value = helper.make_tensor_value_info
    products = [helper.make_node("MatMul", [f"s{i}", "square"], [f"s{i + 1}"]) for i in range(4)]
    square = [512, 512]
    body = helper.make_graph(
        products,
        "slow",
        [value("s0", TensorProto.FLOAT, square), value("x", TensorProto.FLOAT, [])],
        [value("s4", TensorProto.FLOAT, square)],
    )
    for node in made.graph.node:
        node.input[:] = ["late" if name == "ecg" else name for name in node.input]
    constants = {"square": np.eye(512, dtype=np.float32), "nothing": np.zeros(1, np.float32), "flat": np.array([-1])}
    made.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    before = [
        helper.make_node("Reshape", ["ecg", "flat"], ["steps"]),
        helper.make_node("Scan", ["square", "steps"], ["state"], num_scan_inputs=1, body=body),
        helper.make_node("ReduceSum", ["state"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["delay"]),
        helper.make_node("Add", ["ecg", "delay"], ["late"]),
    ]
    for node in reversed(before):
        made.graph.node.insert(0, node)
    return made


def test_a_model_that_takes_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr("ecg_edge.model.session._LONGEST_PROBE_S", 0.5)
    with pytest.raises(ModelError, match=r"does not keep the contract.*[Tt]erminate"):
        of_bytes(with_slow_scan().SerializeToString())
