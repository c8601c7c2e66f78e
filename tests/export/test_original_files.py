"""What is wrong with a file of the original system is said in one line, and nothing in it is run."""

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import original_files
import pytest
import torch

from export.original.checkpoint import BINARY, LOCALIZATION, read_checkpoint
from export.original.errors import CheckpointError, ScalerError
from export.original.scaler import read_scaler

PROJECT = Path(__file__).parents[2]
SHARED_SCALER = PROJECT.parent / "shared" / "data" / "scaler_main.joblib"


class Harmful:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refused(path, architecture=BINARY):
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path, architecture)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.fixture
def changed(tmp_path):
    """Store a checkpoint of the first stage whose keys were changed by a function."""

    def store(change):
        state = original_files.hollow(BINARY)
        change(state)
        torch.save(state, tmp_path / "changed.pt")
        return tmp_path / "changed.pt"

    return store


@pytest.mark.parametrize("architecture", [BINARY, LOCALIZATION])
def test_right_keys_are_read_and_the_unused_layer_passed_over(tmp_path, architecture):
    state = original_files.hollow(architecture)
    torch.save({**state, "encoder_layer.norm1.weight": torch.ones(12)}, tmp_path / "a.pt")
    network = read_checkpoint(tmp_path / "a.pt", architecture)
    assert network.state_dict().keys() == state.keys()
    assert not network.training


def test_a_missing_key_is_named(changed):
    assert "missing keys: conv2.bias;" in refused(changed(lambda state: state.pop("conv2.bias")))


def test_an_unknown_key_is_named(changed):
    path = changed(lambda state: state.update({"fc3.weight": torch.ones(1)}))
    assert "unknown keys: fc3.weight;" in refused(path)


def test_a_wrong_shape_is_named_with_the_right_one(changed):
    path = changed(lambda state: state.update({"fc2.weight": torch.ones(6, 128)}))
    assert "fc2.weight has the shape (6, 128), expected (1, 128)" in refused(path)


def test_a_checkpoint_of_the_other_stage_is_refused(tmp_path):
    torch.save(original_files.hollow(LOCALIZATION), tmp_path / "a.pt")
    assert "fc1.weight has the shape (128, 187600), expected (128, 214400)" in refused(tmp_path / "a.pt")


def test_another_precision_and_nan_are_named(changed):
    path = changed(lambda state: state.update({"fc2.bias": torch.ones(1, dtype=torch.float64)}))
    assert "fc2.bias is torch.float64" in refused(path)
    path = changed(lambda state: state.update({"fc2.bias": torch.tensor([np.nan])}))
    assert "fc2.bias has NaN" in refused(path)


@pytest.mark.parametrize("stored", [[torch.ones(1)], {"a": 1}, torch.ones(3), None])
def test_what_is_no_state_dict_is_refused(tmp_path, stored):
    torch.save(stored, tmp_path / "a.pt")
    assert "is not a state_dict" in refused(tmp_path / "a.pt")


def test_one_changed_byte_of_the_weights_is_noticed(changed):
    path = changed(lambda state: state.update({"conv2.weight": torch.full((128, 64, 5), 0.5)}))
    content = bytearray(path.read_bytes())
    content[content.index(b"\0\0\0\x3f" * 100) + 50] ^= 1
    path.write_bytes(content)
    assert "does not match its checksum" in refused(path)


@pytest.mark.parametrize("part", [0, 100, 1000, -100])
def test_a_file_that_was_cut_is_refused(changed, part):
    path = changed(dict.copy)
    path.write_bytes(path.read_bytes()[:part])
    assert "is damaged" in refused(path)


def test_a_checkpoint_that_would_run_code_is_refused_and_does_not_run_it(changed, tmp_path):
    path = changed(lambda state: state.update({"conv1.bias": Harmful(tmp_path / "harm")}))
    assert "contains more than weights" in refused(path)
    assert not (tmp_path / "harm").exists()


def test_a_scaler_is_read_as_joblib_reads_it(tmp_path):
    fitted = original_files.store_scaler(tmp_path / "a.joblib")
    scaler = read_scaler(tmp_path / "a.joblib")
    ecg = np.random.default_rng(1).normal(0, 0.3, (12, 5000)).astype(np.float32)
    assert np.abs(scaler(ecg) - fitted.transform(ecg)).max() < 1e-5
    longer = np.hstack([ecg, ecg])
    assert np.abs(scaler(longer) - (longer - fitted.mean_.mean()) / fitted.scale_.mean()).max() < 1e-5


@pytest.mark.skipif(not SHARED_SCALER.exists(), reason=f"there is no {SHARED_SCALER}")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_the_original_scaler_is_read_as_joblib_reads_it():
    scaler, fitted = read_scaler(SHARED_SCALER), joblib.load(SHARED_SCALER)
    assert np.abs(scaler.mean - fitted.mean_).max() < 1e-7
    assert np.abs(scaler.scale - fitted.scale_).max() < 1e-7


def test_a_scaler_of_another_length_is_named(tmp_path):
    original_files.store_scaler(tmp_path / "a.joblib", samples=4000)
    with pytest.raises(ScalerError, match=r"a\.joblib: mean_ has the shape \(4000,\), expected \(5000,\)"):
        read_scaler(tmp_path / "a.joblib")


def harmful_scalers(harm):
    """Yield files that run code under `joblib.load`."""
    fitted = original_files.store_scaler(io.BytesIO())
    for place in ("mean_", "scale_", "note"):
        for value in (Harmful(harm), np.array([Harmful(harm)]), [Harmful(harm)], np.str_):
            setattr(fitted, place, value)
            yield dumped(fitted)
            fitted = original_files.store_scaler(io.BytesIO())
    yield dumped(Harmful(harm))
    yield pickle.dumps(Harmful(harm))
    yield b"cbuiltins\nexec\n(S'import os; os.mkdir(" + repr(str(harm)).replace("'", '"').encode() + b")'\ntR."


def dumped(thing):
    file = io.BytesIO()
    joblib.dump(thing, file)
    return file.getvalue()


def test_no_scaler_runs_code(tmp_path):
    path, harm = tmp_path / "a.joblib", tmp_path / "harm"
    for content in harmful_scalers(harm):
        path.write_bytes(content)
        with pytest.raises(ScalerError, match=r"a\.joblib: the file is not a stored StandardScaler") as caught:
            read_scaler(path)
        assert "\n" not in str(caught.value)
        assert not harm.exists()


@pytest.mark.parametrize("part", [0, 10, 430, 1000, 60_000])
def test_a_scaler_that_was_cut_is_refused(tmp_path, part):
    content = dumped(original_files.store_scaler(io.BytesIO()))
    (tmp_path / "a.joblib").write_bytes(content[:part])
    with pytest.raises(ScalerError, match="the file is not a stored StandardScaler"):
        read_scaler(tmp_path / "a.joblib")


def test_scales_must_be_positive(tmp_path):
    fitted = original_files.store_scaler(io.BytesIO())
    fitted.scale_[7] = 0
    (tmp_path / "a.joblib").write_bytes(dumped(fitted))
    with pytest.raises(ScalerError, match="scale_ finite and positive"):
        read_scaler(tmp_path / "a.joblib")


def convert(*arguments):
    command = [sys.executable, "-m", "export", "convert", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)


def test_a_bad_file_is_one_line_and_status_1_and_nothing_is_written(tmp_path):
    for name, architecture in (("a.pt", BINARY), ("b.pt", LOCALIZATION)):
        torch.save(original_files.hollow(architecture), tmp_path / name)
    original_files.store_scaler(tmp_path / "s.joblib", samples=2500)
    files = ["--binary", tmp_path / "a.pt", "--localization", tmp_path / "b.pt", "--scaler", tmp_path / "s.joblib"]
    result = convert(*files, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert result.stderr == f"error: {tmp_path / 's.joblib'}: mean_ has the shape (2500,), expected (5000,)\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "also pass data"),
        (["--rule", "notebook"], "also pass binary, localization, out, scaler"),
        (["--binary", __file__, "--out", "out"], "also pass localization, scaler"),
        ([PROJECT, "--weights", "int8"], "also pass binary"),
        (
            [PROJECT, "--binary", __file__, "--localization", __file__, "--scaler", __file__, "--out", "out"],
            "data: only for our own",
        ),
        (["--binary", "missing.pt"], "does not exist"),
        (["--weights", "int4"], "Invalid value for '--weights'"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(arguments, why):
    result = convert(*arguments)
    assert result.returncode == 2
    assert why in " ".join(result.stderr.split())
