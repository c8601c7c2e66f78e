"""What `pip install` gives."""

import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import pytest
from written import write_csv, write_edf, write_npy

from ecg_edge.package_data import example_recordings

PROJECT = Path(__file__).parents[1]
WRITERS = {".npy": write_npy, ".edf": write_edf, ".csv": write_csv}
PROGRAM = """
import sys
from ecg_edge import Detector, read_recording

detector = Detector()
for path in sys.argv[1:]:
    finding = detector.detect(read_recording(path))
    print(path.rpartition(".")[2], finding.status, *finding.found_sites)
"""


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
    assert wheel.stat().st_size < 2e6
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "ecg_edge/py.typed",
        "ecg_edge/onnx_models/infarction.onnx",
        "ecg_edge/onnx_models/localization.onnx",
        "ecg_edge/onnx_models/manifest.json",
        "ecg_edge/onnx_models/golden.json",
        "ecg_edge/onnx_models/infarction.json",
        "ecg_edge/onnx_models/localization.json",
        "ecg_edge/onnx_models/plausibility.json",
        "ecg_edge/examples/normal.npy",
        "ecg_edge/readers/formats/npy.py",
        "ecg_edge/readers/formats/edf.py",
        "ecg_edge/bench/suite/full_set.py",
        "ecg_edge/web/templates/list.html",
        "ecg_edge/web/static/base.css",
        "ecg_edge/web/translations/ru.json",
    } <= names
    assert not any(name.startswith(("export", "tests")) or "javascript" in name for name in names)
    assert "ecg_edge/onnx_models/vectors.json" not in names


def test_the_wheel_holds_every_package(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "ecg_edge").rglob("__init__.py")}
    assert packages <= names
    assert "ecg_edge/_pyinstaller/hook-ecg_edge.py" in names


def test_the_wheel_needs_numpy_onnxruntime_and_click_alone(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
    needs = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
    plain = {need.split(">")[0].strip() for need in needs if "extra" not in need}
    assert plain == {"numpy", "onnxruntime", "click"}


def test_a_program_imported_from_an_archive_answers_npy_edf_and_csv(wheel, tmp_path):
    signal = np.load(example_recordings() / "inferior_infarction.npy")
    files = [write(tmp_path / f"a{suffix}", signal) for suffix, write in WRITERS.items()]
    (tmp_path / "program.py").write_text(PROGRAM + "\nimport ecg_edge\nprint(ecg_edge.__file__, detector.folder)\n")
    environment = os.environ | {"PYTHONPATH": str(wheel)}
    program = [sys.executable, tmp_path / "program.py", *files]
    result = subprocess.run(program, check=True, capture_output=True, text=True, env=environment)
    *answers, where = result.stdout.splitlines()
    assert answers == [f"{suffix[1:]} detected inferior" for suffix in WRITERS]
    imported_from, unpacked_to = where.split()
    assert imported_from.startswith(str(wheel))
    assert not Path(unpacked_to).exists()


@pytest.mark.slow
@pytest.mark.parametrize("source", ["wheel", "checkout"])
def test_a_program_frozen_by_pyinstaller_answers_npy_edf_and_csv(source, wheel, tmp_path):
    pytest.importorskip("PyInstaller")
    # A device has none of these; where they are, onnxruntime's tools would pull them in.
    left_out = [
        f"--exclude-module={name}" for name in ("torch", "onnx", "onnxscript", "sklearn", "scipy", "matplotlib")
    ]
    build = [sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", *left_out, "program.py"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if source == "wheel":
        installed = tmp_path / "installed"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", installed, wheel]
        subprocess.run(pip, check=True)
        environment["PYTHONPATH"] = str(installed)
    else:
        # The hook comes from the editable install. The code needs its folder: PyInstaller follows no import hooks.
        if not is_installed_from_the_checkout():
            pytest.skip("this Python has no editable install of the checkout")
        build.append(f"--paths={PROJECT}")
    (tmp_path / "program.py").write_text(PROGRAM)
    subprocess.run(build, cwd=tmp_path, check=True, env=environment)
    signal = np.load(example_recordings() / "inferior_infarction.npy")
    files = [write(tmp_path / f"a{suffix}", signal) for suffix, write in WRITERS.items()]
    program = tmp_path / "dist" / "program" / "program"
    found = subprocess.run([program, *files], check=True, capture_output=True, text=True).stdout
    assert found.splitlines() == [f"{suffix[1:]} detected inferior" for suffix in WRITERS]


def is_installed_from_the_checkout():
    # The checkout may hold metadata of its own beside those of the install: all are asked.
    origins = [json.loads(found.read_text("direct_url.json") or "{}") for found in distributions(name="ecg_edge")]
    return any(
        origin.get("url") == PROJECT.as_uri() and origin.get("dir_info", {}).get("editable") for origin in origins
    )
