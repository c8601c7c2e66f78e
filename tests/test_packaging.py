"""What `pip install` gives."""

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    source = out / "source"
    files = subprocess.run(
        ["git", "-C", PROJECT, "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True
    )
    for name in files.stdout.decode().splitlines():
        if (PROJECT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((PROJECT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, source]
    subprocess.run(command, check=True)
    return next(out.glob("*.whl"))


def test_the_wheel_is_small_and_holds_what_works_offline(wheel):
    assert wheel.stat().st_size < 1.5e6
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "ecg_edge/py.typed",
        "ecg_edge/onnx_models/infarction.onnx",
        "ecg_edge/onnx_models/localization.onnx",
        "ecg_edge/onnx_models/manifest.json",
        "ecg_edge/onnx_models/golden.json",
        "ecg_edge/examples/normal.npy",
        "ecg_edge/readers/formats/npy.py",
        "ecg_edge/readers/formats/edf.py",
        "ecg_edge/bench/suite/full_set.py",
    } <= names
    assert not any(name.startswith(("export", "tests")) for name in names)


def test_the_wheel_needs_numpy_onnxruntime_and_click_alone(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
    needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
    plain = {need.split(">")[0].strip() for need in needs if "extra" not in need}
    assert plain == {"numpy", "onnxruntime", "click"}
