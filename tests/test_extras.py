"""A broken optional library, or any fault in a reader, costs the records that need it and no others."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from written import write_dicom, write_npy
from written_vendor import mortara

from ecg_edge import Detector, Recording
from ecg_edge.errors import BrokenExtraError, MissingExtraError
from ecg_edge.extras import optional_library
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import RecordFile, find_records
from ecg_edge.readers.formats import npy

SIGNAL = np.load(example_recordings() / "normal.npy")


def break_library(folder, name, error):
    (folder / f"{name}.py").write_text(f"raise {error}")


@pytest.mark.parametrize(
    "error", ["ValueError('numpy.dtype size changed')", "OSError('libx.so: no such file')", "SystemExit(3)"]
)
def test_a_library_that_cannot_be_imported_costs_its_own_records(tmp_path, error):
    pytest.importorskip("pydicom")
    (tmp_path / "records").mkdir()
    write_npy(tmp_path / "records" / "a.npy", SIGNAL)
    write_dicom(tmp_path / "records" / "b.dcm", SIGNAL)
    write_npy(tmp_path / "records" / "c.npy", SIGNAL)
    break_library(tmp_path, "pydicom", error)
    command = [sys.executable, "-m", "ecg_edge", "run", str(tmp_path / "records"), "--format", "csv", "--threads", "1"]
    project = str(Path(__file__).parents[1])
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONPATH": f"{tmp_path}:{project}"}, cwd=tmp_path
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    statuses = [line.split(",")[2] for line in result.stdout.splitlines()[1:]]
    assert statuses == ["not_detected", "error", "not_detected"]
    assert "the library pydicom cannot be imported" in result.stdout


@pytest.mark.parametrize(
    ("where", "write", "name"),
    [
        ("pydicom.filereader.read_dataset", lambda folder: write_dicom(folder / "b.dcm", SIGNAL), "pydicom"),
        (
            "ecgdatakit.parsing.parsers.mortara_el250.MortaraEL250Parser.parse",
            lambda folder: (folder / "b.xml").write_bytes(mortara(np.round(SIGNAL * 200).astype(int))),
            "ecgdatakit",
        ),
    ],
)
def test_a_library_that_runs_out_of_memory_does_not_make_the_file_invalid(tmp_path, monkeypatch, where, write, name):
    pytest.importorskip(name)
    write_npy(tmp_path / "a.npy", SIGNAL)
    write(tmp_path)

    def fail(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr(where, fail)
    fine, failed = Detector().detect_many(list(find_records(tmp_path)))
    assert (fine.status, failed.status) == ("not_detected", "error")
    assert failed.error == "there is not enough memory (without details)"


def test_a_library_that_is_missing_and_one_that_is_broken_are_told_apart():
    with pytest.raises(MissingExtraError), optional_library("no_such_library", "a test", "dicom"):
        import no_such_library  # noqa: F401
    error = ModuleNotFoundError("No module named 'numpy.core.broken'", name="numpy.core.broken")
    with pytest.raises(BrokenExtraError, match="numpy cannot be imported"), optional_library("numpy", "x", "dicom"):
        raise error


@pytest.mark.parametrize("error", [TypeError("a bool"), RecursionError("too deep"), ZeroDivisionError()])
def test_any_fault_of_a_reader_is_the_error_of_its_record(tmp_path, monkeypatch, error):
    for name in "abc":
        write_npy(tmp_path / f"{name}.npy", SIGNAL)
    parse = npy._parse

    def fail_for_b(content, name, *others):
        if name == "b":
            raise error
        return parse(content, name, *others)

    monkeypatch.setattr(npy, "_parse", fail_for_b)
    findings = list(Detector().detect_many(list(find_records(tmp_path))))
    assert [finding.status for finding in findings] == ["not_detected", "error", "not_detected"]
    assert type(error).__name__ in findings[1].error
    assert "b.npy" in findings[1].error


def test_a_fault_while_samples_are_read_costs_its_own_record():
    class Broken:
        shape, dtype = SIGNAL.shape, SIGNAL.dtype

        def read(self, start, stop):
            msg = f"samples {start} to {stop} are gone"
            raise KeyError(msg)

    records = [
        RecordFile(name, name, lambda samples=samples: Recording(samples))
        for name, samples in (("a", SIGNAL), ("b", Broken()), ("c", SIGNAL))
    ]
    statuses = [finding.status for finding in Detector().detect_many(records)]
    assert statuses == ["not_detected", "error", "not_detected"]


def test_what_is_not_a_recording_is_the_callers_mistake():
    with pytest.raises(TypeError, match="expected a Recording"):
        list(Detector().detect_many([Recording(SIGNAL), "a.npy"]))
