"""Parity with torch, and the ladder of checks: each broken model is refused by its own error."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from ecg_edge.model.spec import METADATA_KEY, ModelSpec
from ecg_edge.recording import LEADS
from export.checks import (
    OFFSET_MV,
    SHIPPED,
    AxesError,
    NamesError,
    OffsetError,
    OperatorsError,
    ShapesError,
    ValuesError,
    WindowExactnessError,
    check_model,
)
from export.choices import Choice
from export.errors import ExportCheckError
from export.graph import to_onnx
from export.network import Network
from export.reference import Exported
from export.release import serialize
from export.stages import STAGES


def made(stage):
    """Return a random network of the shipped sizes as it is exported, and its spec."""
    torch.manual_seed(0)
    network = Network(stage.network, len(stage.labels), 5)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    for member in network.members:
        torch.nn.init.normal_(member.attention.place_bias)
    n = len(stage.labels)
    choice = Choice(0, np.full(n, 3, np.float32), np.full(n, 0.2, np.float32), np.full(n, 0.5))
    spec = ModelSpec(
        stage.name, "0", stage.name, LEADS, 500.0, "mV", stage.network.window, stage.network.stride, stage.labels,
        (0.5,) * n, "by hand", (), 512, {}, {}, "none", "MIT",
    )  # fmt: skip
    return Exported(network.eval(), choice).eval(), network, choice, spec


@pytest.fixture(scope="module", params=list(STAGES))
def exported(request):
    reference, network, choice, spec = made(STAGES[request.param])
    return to_onnx(reference, spec), reference, network, choice, spec


@pytest.fixture(scope="module")
def signals():
    return np.random.default_rng(0).normal(0, 0.5, (3, 12, 5000)).astype(np.float32)


def test_the_shipped_sizes_pass_every_check(exported, signals):
    model, reference, _, _, spec = exported
    check_model(serialize(model), reference, spec, signals)


@pytest.mark.parametrize("neighbours", [1, 3, 9, 16, 22])
def test_any_neighbourhood_that_a_window_holds_passes_every_check(signals, neighbours):
    stage = STAGES["localization"]
    sizes = replace(stage.network, neighbours=neighbours, members=1, baseline=0)
    reference, _, _, spec = made(replace(stage, network=sizes))
    check_model(serialize(to_onnx(reference, spec)), reference, spec, signals)


@pytest.mark.parametrize("name", list(STAGES))
@pytest.mark.parametrize("baseline", [3, 9, 15])
def test_without_its_baseline_a_network_passes_every_check_and_offsets_change_nothing(signals, name, baseline):
    stage = STAGES[name]
    reference, _, _, spec = made(replace(stage, network=replace(stage.network, baseline=baseline)))
    limits = replace(SHIPPED, offset_mv=OFFSET_MV)
    check_model(serialize(to_onnx(reference, spec)), reference, spec, signals, limits)


@pytest.mark.parametrize("name", list(STAGES))
def test_a_network_that_sees_the_baseline_is_refused_if_offsets_must_change_nothing(signals, name):
    stage = STAGES[name]
    reference, _, _, spec = made(replace(stage, network=replace(stage.network, baseline=0)))
    with pytest.raises(OffsetError, match="offsets of 300 mV change a probability by"):
        check_model(
            serialize(to_onnx(reference, spec)), reference, spec, signals, replace(SHIPPED, offset_mv=OFFSET_MV)
        )


@pytest.mark.parametrize("baseline", [1, 4, -3])
def test_a_baseline_without_a_middle_is_refused(baseline):
    with pytest.raises(ValueError, match=f"baseline must be 0 or an odd number from 3, found {baseline}"):
        replace(STAGES["infarction"].network, baseline=baseline)


def test_a_neighbourhood_larger_than_a_window_is_refused():
    with pytest.raises(ValueError, match="neighbours must be 1 to 14"):
        replace(STAGES["localization"].network, neighbours=15)


def test_folding_batch_norm_and_calibration_change_no_answer(exported, signals):
    _, reference, network, choice, _ = exported
    x = torch.from_numpy(signals)
    with torch.no_grad():
        logits = network(x)
        expected = torch.sigmoid(logits * torch.from_numpy(choice.slope) + torch.from_numpy(choice.intercept))
        torch.testing.assert_close(reference(x)[1], expected, atol=1e-5, rtol=0)


def test_the_same_network_gives_the_same_bytes(exported):
    model, reference, _, _, spec = exported
    assert serialize(to_onnx(reference, spec)) == serialize(model)


def test_the_file_holds_nothing_of_the_machine_that_made_it(exported):
    content = serialize(exported[0])
    assert b".py" not in content
    assert b"stack_trace" not in content


def broken(model, change):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    change(copy)
    return serialize(copy)


def rename_input(model):
    model.graph.input[0].name = "signal"
    for node in model.graph.node:
        node.input[:] = ["signal" if name == "ecg" else name for name in node.input]


def fix_batch(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def add_foreign_operator(model):
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))


def nudge_weight(model):
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    array = onnx.numpy_helper.to_array(weights) * 1.01
    weights.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float32), weights.name))


def drop_metadata(model):
    del model.metadata_props[:]


def bloat(model):
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(250_000, np.float32), "bloat"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (rename_input, NamesError),
        (drop_metadata, NamesError),
        (fix_batch, AxesError),
        (add_foreign_operator, OperatorsError),
        (bloat, OperatorsError),
        (nudge_weight, ValuesError),
    ],
)
def test_a_model_that_breaks_the_contract_is_refused_by_its_own_error(exported, signals, change, error):
    model, reference, _, _, spec = exported
    with pytest.raises(error) as caught:
        check_model(broken(model, change), reference, spec, signals)
    assert isinstance(caught.value, ExportCheckError)


class Leaky(torch.nn.Module):
    """Each window's answer leans on the whole recording."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, ecg):
        windows = self.inner(ecg)[1] * torch.sigmoid(ecg.mean(dim=(1, 2)))[:, None, None]
        return windows.mean(dim=1), windows


class Long(torch.nn.Module):
    """There is a window too many at the end."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, ecg):
        windows = torch.nn.functional.pad(self.inner(ecg)[1], (0, 0, 0, 1))
        return windows.mean(dim=1), windows


def lean_on_the_recording(model):
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 2]), "of_all"))
    spliced(
        model,
        helper.make_node("ReduceMean", ["ecg", "of_all"], ["level"]),
        helper.make_node("Sigmoid", ["level"], ["factor"]),
        helper.make_node("Mul", ["inner", "factor"], ["window_probability"]),
    )


def add_a_window(model):
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, 0, 0, 1, 0]), "one_more"))
    spliced(model, helper.make_node("Pad", ["inner", "one_more"], ["window_probability"]))


def spliced(model, *nodes):
    """Put nodes between the window probabilities and their mean."""
    *before, mean = model.graph.node
    before[-1].output[0] = "inner"
    every = [*before, *nodes, mean]
    del model.graph.node[:]
    model.graph.node.extend(every)


@pytest.mark.parametrize(
    ("wrapper", "change", "error"),
    [(Leaky, lean_on_the_recording, WindowExactnessError), (Long, add_a_window, ShapesError)],
)
def test_a_network_that_breaks_the_contract_is_refused_by_its_own_error(signals, wrapper, change, error):
    reference, _, _, spec = made(STAGES["infarction"])
    content = broken(to_onnx(reference, spec), change)
    with pytest.raises(error):
        check_model(content, wrapper(reference).eval(), spec, signals)


def test_the_metadata_is_the_spec(exported):
    model, *_, spec = exported
    (entry,) = model.metadata_props
    assert entry.key == METADATA_KEY
    assert ModelSpec.from_json(entry.value) == spec
