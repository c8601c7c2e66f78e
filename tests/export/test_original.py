"""The original system's checkpoints become models whose answers are those of eager torch."""

import json
import subprocess
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from original_files import checkpoints, logits, scaled, signal, store_scaler, weights

from ecg_edge import Recording
from ecg_edge.model.aggregation import mean_probability
from ecg_edge.model.inference import window_scores
from ecg_edge.model.manifest import CheckedFile
from ecg_edge.model.session import Model
from export.errors import ValuesError
from export.original import release
from export.original.checkpoint import read_checkpoint
from export.original.graph import to_onnx
from export.original.rules import ARCHITECTURES, RULES
from export.original.scaler import read_scaler
from export.original.weights import round_weights

EXAMPLES = Path(__file__).parents[2] / "examples"
STAGES = ("infarction", "localization")


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Folder with both checkpoints and the scaler."""
    folder = tmp_path_factory.mktemp("original")
    for stage in STAGES:
        torch.save(weights(ARCHITECTURES[stage]), folder / f"{stage}.pt")
    store_scaler(folder / "scaler.joblib")
    return folder


@pytest.fixture(scope="session")
def scaler(files):
    return read_scaler(files / "scaler.joblib")


@pytest.fixture(scope="session")
def networks(files):
    return {stage: read_checkpoint(files / f"{stage}.pt", ARCHITECTURES[stage]) for stage in STAGES}


def build(network, scaler, rule, form="float32"):
    """Make the network with the weights that a form can hold, and its model."""
    spec = RULES[rule].spec("infarction" if network.architecture.outputs == 1 else "localization", "0", "nothing")
    network = round_weights(network, spec.stride, form)
    content = to_onnx(network, spec, scaler, form).SerializeToString()
    return network, Model(CheckedFile(Path("made.onnx"), content, "0"))


@pytest.fixture(scope="session")
def made(networks, scaler):
    """Make the network and the model of a stage under a rule, each once."""
    return cache(lambda stage, rule: build(networks[stage], scaler, rule))


def export(*arguments):
    command = [sys.executable, "-m", "export", "convert", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES.parent)


def ecg_edge(*arguments):
    command = [sys.executable, "-m", "ecg_edge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES.parent)


def answer(model, ecg):
    """What the runtime makes of a recording."""
    return mean_probability(window_scores(model, [Recording(ecg)])[0], model.spec.average)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("samples", [5000, 5050])
def test_windows_are_those_of_torch_under_the_described_rule(made, files, stage, samples):
    network, model = made(stage, "described")
    ecg = signal(samples)
    (scores,) = window_scores(model, [Recording(ecg)])
    starts = range(0, samples - model.spec.window + 1, model.spec.stride)
    checked = [0, 1, len(starts) // 2, len(starts) - 1]
    expected = logits(network, scaled(ecg, files), [starts[i] for i in checked]).sigmoid()
    assert np.abs(scores[checked] - expected.numpy()).max() < 1e-5


@pytest.mark.parametrize("rule", list(RULES))
def test_absurd_signals_have_an_answer(made, rule):
    """Scores far apart must not leave a window without any weight."""
    ecg = np.cumsum(signal(5050), axis=1) * 1000
    assert np.isfinite(answer(made("infarction", rule)[1], ecg)).all()


@pytest.mark.parametrize("stage", STAGES)
def test_a_tail_has_its_window_under_the_described_rule_and_none_under_the_notebooks(made, files, stage):
    ecg = signal(12_345)
    network, model = made(stage, "described")
    last = 12_345 - model.spec.window
    tail = logits(network, scaled(ecg, files), [last]).sigmoid()
    assert np.abs(window_scores(model, [Recording(ecg)])[0][-1] - tail.numpy()).max() < 1e-5
    network, model = made(stage, "notebook")
    starts = range(0, last, model.spec.stride)
    expected = logits(network, scaled(ecg, files), starts).mean(0).sigmoid()
    assert len(starts) > model.spec.windows_per_call
    assert np.abs(answer(model, ecg) - expected.numpy()).max() < 1e-5


@pytest.mark.parametrize(("stage", "step", "n_windows"), [("infarction", 700, 6), ("localization", 686, 7)])
def test_the_notebooks_rule_gives_the_notebooks_number(made, files, stage, step, n_windows):
    network, model = made(stage, "notebook")
    ecg = signal(5000, seed=3)
    window, rows = network.architecture.window, scaled(ecg, files)
    total = 0
    for i in range(n_windows):
        total += logits(network, rows, [i * step])[0]
    expected = torch.sigmoid(total / n_windows).numpy()
    assert np.abs(answer(model, ecg) - expected).max() < 1e-6
    probability, windows, window_logits = model._session.run(
        ["probability", "window_probability", "window_logit"], {"ecg": np.stack([ecg, ecg[::-1]])}
    )
    assert np.abs(probability[0] - expected).max() < 1e-6
    assert windows.shape == (2, n_windows, len(model.spec.labels))
    assert np.abs(windows - 1 / (1 + np.exp(-window_logits))).max() < 1e-6
    unseen = ecg.copy()
    unseen[:, (n_windows - 1) * step + window :] = 5
    assert answer(model, unseen) == pytest.approx(answer(model, ecg), abs=1e-7)


@pytest.mark.parametrize("rule", list(RULES))
def test_a_part_of_5000_samples_is_not_scaled_as_a_recording_of_5000_samples(made, files, rule):
    """The first window of a long recording, and of the 5000 samples that it begins with."""
    network, model = made("infarction", rule)
    ecg = signal(9000)
    first = [window_scores(model, [Recording(part)])[0][0] for part in (ecg, ecg[:, :5000])]
    expected = [logits(network, scaled(part, files), [0])[0] for part in (ecg, ecg[:, :5000])]
    if rule == "described":
        expected = [logit.sigmoid() for logit in expected]
    assert np.abs(np.array(first) - np.stack(expected)).max() < 1e-5
    assert np.abs(first[0] - first[1]).max() > 1e-3


@pytest.mark.parametrize("form", ["float16", "int8"])
def test_rounded_weights_answer_as_torch_does_with_the_same_weights(networks, scaler, files, form):
    network, model = build(networks["localization"], scaler, "notebook", form)
    ecg = signal(5000)
    rows, starts = scaled(ecg, files), range(0, 4300, 686)
    expected, unrounded = (
        logits(model, rows, starts).mean(0).sigmoid().numpy() for model in (network, networks["localization"])
    )
    assert np.abs(answer(model, ecg) - expected).max() < 1e-5
    assert 0 < np.abs(expected - unrounded).max() < 0.01


def test_a_model_that_differs_from_its_network_is_not_written(files, tmp_path, monkeypatch):
    def wrong(network, *others):
        other = deepcopy(network)
        other.fc2.bias += 1e-4
        return to_onnx(other, *others)

    monkeypatch.setattr(release, "to_onnx", wrong)
    with pytest.raises(ValuesError, match="from torch"):
        release.convert(original(files), release.Settings(RULES["notebook"], "float32"), tmp_path / "out", print)
    assert not (tmp_path / "out").exists()


def original(files):
    return release.Original({stage: files / f"{stage}.pt" for stage in STAGES}, files / "scaler.joblib")


def test_weights_of_fewer_bytes_are_compared_with_float32_on_given_records(files, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "check_model", lambda *_: None)
    monkeypatch.setattr(release, "check_runtime", lambda *_: None)
    records, out, lines = tmp_path / "records", tmp_path / "out", []
    records.mkdir()
    np.save(records / "a.npy", signal(5000))
    np.save(records / "b.npy", signal(5050))
    release.convert(original(files), release.Settings(RULES["notebook"], "int8", records), out, lines.append)
    assert (out / "infarction.onnx").stat().st_size < 31e6
    reports = [line for line in lines if "decisions flip" in line]
    assert [report.split(", ")[0] for report in reports] == ["infarction: 2 records", "localization: 2 records"]
    assert "of 2 decisions" in reports[0]
    assert "of 12 decisions" in reports[1]
    assert "differs by 0.0" not in reports[1]


@pytest.fixture(scope="session")
def models(files, tmp_path_factory):
    """What the command makes of the checkpoints under the notebook's rule."""
    out = tmp_path_factory.mktemp("converted")
    result = export(*checkpoints(files), "--out", out, "--rule", "notebook")
    assert result.returncode == 0, result.stderr
    return out


def test_one_command_makes_a_folder_that_the_runtime_takes(models, networks, files):
    made = {path.name for path in models.iterdir()}
    of_stages = {f"{stage}.{suffix}" for stage in STAGES for suffix in ("onnx", "json")}
    assert made == {"golden.json", "manifest.json", "vectors.json", *of_stages}
    result = ecg_edge("run", "--models", models, "--all-sites", "--format", "json", EXAMPLES / "normal.npy")
    (finding,) = json.loads(result.stdout)
    rows = scaled(np.load(EXAMPLES / "normal.npy"), files)
    infarction = logits(networks["infarction"], rows, range(0, 4200, 700)).mean(0).sigmoid()
    sites = logits(networks["localization"], rows, range(0, 4300, 686)).mean(0).sigmoid()
    assert finding["probability"] == pytest.approx(infarction.item(), abs=1e-6)
    assert finding["threshold"] == 0.275
    assert [site["probability"] for site in finding["sites"]] == pytest.approx(sites.tolist(), abs=1e-6)
    assert {site["threshold"] for site in finding["sites"]} == {0.10}


def test_info_and_check_work_on_the_folder(models):
    info, check = (ecg_edge(command, "--models", models) for command in ("info", "check"))
    assert "windows of 700 samples every 686" in info.stdout
    assert check.stdout.splitlines()[-1].startswith("OK")


def test_the_files_hold_no_path_and_only_standard_operators(models, files):
    for stage in STAGES:
        content = (models / f"{stage}.onnx").read_bytes()
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model, full_check=True)
        assert [opset.domain for opset in model.opset_import] == [""]
        assert str(files).encode() not in content


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory as Linux shows it")
def test_memory_is_bounded_whatever_the_length_and_the_threads(models, tmp_path):
    """Four records side by side, of 5000 samples and of two minutes."""
    for i in range(4):
        np.save(tmp_path / f"{i}.npy", signal(5000 if i % 2 else 60_000))
    script = (
        "import sys; from ecg_edge.cli.app import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    )
    options = ["run", "--models", models, "--all-sites", "--threads", "4", "--no-quality-gate", tmp_path]
    command = [sys.executable, "-c", script, *map(str, options)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=EXAMPLES.parent)
    assert int(result.stderr) * 1024 < 1.5e9
