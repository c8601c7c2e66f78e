"""An .npy that declares itself: the sidecar beside it."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from written import write_edf

from ecg_edge import Recording, read_recording
from ecg_edge.errors import ContradictionError, EcgEdgeError, UnreadableError, WrongShapeError
from ecg_edge.readers import RecordFile, find_candidates, find_records
from ecg_edge.readers.formats import npy
from ecg_edge.readers.in_memory import find_in_memory
from ecg_edge.recording.leads import LEADS

SIGNAL = np.random.default_rng(0).normal(0, 0.5, (12, 1500)).astype(np.float32)
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
STATED = {"sampling_rate": 250, "units": "uV", "leads": EIGHT, "samples": 1500}


def put(folder, stated, signal=SIGNAL[[0, 1, *range(6, 12)]] * 1000):
    np.save(folder / "x.npy", signal)
    (folder / "x.json").write_bytes(stated if isinstance(stated, bytes) else json.dumps(stated).encode())
    return folder / "x.npy"


def packed(path):
    archive = path.with_name("x.zip")
    with zipfile.ZipFile(archive, "w") as made:
        for name in ("x.npy", "x.json"):
            made.write(path.with_name(name), f"ward/{name}")
    return archive


def test_a_saved_recording_is_read_again_without_options(tmp_path):
    signal = np.repeat(SIGNAL, 2, axis=1) * 1000
    saved = Recording(signal[[0, 1, *range(6, 12)]], 250, EIGHT, "uV", name="bed 7")
    saved.save(tmp_path / "x.npy")
    found = read_recording(tmp_path / "x.npy")
    assert (found.sampling_rate, found.units, found.leads, found.samples) == (250, "mV", LEADS, 3000)
    np.testing.assert_array_equal(found.stretch(0, 3000), saved.stretch(0, 3000))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), saved.stretch(0, 3000))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.json", "x.npy"]


def test_a_file_of_another_format_can_be_saved(tmp_path):
    recording = read_recording(write_edf(tmp_path / "a.edf", np.tile(SIGNAL, 2)[:, :2500], 250))
    recording.save(str(tmp_path / "x.NPY"))
    found = read_recording(tmp_path / "x.NPY")
    assert found.sampling_rate == 250
    np.testing.assert_array_equal(found.stretch(0, 2500), recording.stretch(0, 2500))


def test_a_long_recording_is_saved_in_parts(tmp_path, monkeypatch):
    from ecg_edge.recording import saving

    monkeypatch.setattr(saving, "_BLOCK", 400)
    Recording(SIGNAL, 100).save(tmp_path / "x.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), SIGNAL)


def test_a_recording_may_be_saved_in_place_of_its_own_file(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "_WHOLE_BELOW", 0)
    np.save(tmp_path / "x.npy", SIGNAL * 1000)
    read_recording(tmp_path / "x.npy", units="uV", sampling_rate=250).save(tmp_path / "x.npy")
    found = read_recording(tmp_path / "x.npy")
    assert found.sampling_rate == 250
    np.testing.assert_allclose(found.stretch(0, 1500), SIGNAL, rtol=1e-6)


def test_another_file_of_the_name_is_not_overwritten(tmp_path):
    (tmp_path / "x.json").write_text('{"patient": 7}')
    with pytest.raises(ValueError, match=r"x\.json: is there already and is not a sidecar"):
        Recording(SIGNAL).save(tmp_path / "x.npy")
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]
    with pytest.raises(ValueError, match=r"saved as \.npy, found the ending '\.edf'"):
        Recording(SIGNAL).save(tmp_path / "x.edf")


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", ["file", "folder", "archive"])
def test_a_sidecar_is_honoured_everywhere(tmp_path, monkeypatch, kind, large):
    if large:
        monkeypatch.setattr(npy, "_WHOLE_BELOW", 0)
    path = put(tmp_path, STATED)
    path = {"file": path, "folder": tmp_path, "archive": packed(path) if kind == "archive" else None}[kind]
    (record,) = find_candidates(path)
    assert isinstance(record, RecordFile)
    found = record.read()
    assert (found.sampling_rate, found.units, found.leads) == (250, "uV", EIGHT)
    np.testing.assert_allclose(found.stretch(0, 1500)[[0, 1, *range(6, 12)]], SIGNAL[[0, 1, *range(6, 12)]], rtol=1e-5)


def test_a_sidecar_may_state_a_part(tmp_path):
    found = read_recording(put(tmp_path, {"sampling_rate": 360}, SIGNAL), units="uV")
    assert (found.sampling_rate, found.units, found.leads) == (360, "uV", LEADS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampling_rate": 500}, r"x\.json: the file states 250 Hz, but --sampling-rate .* states 500"),
        ({"units": "mV"}, r"x\.json: the file states uV, but --units .* states mV"),
        ({"leads": LEADS}, r"x\.json: the file states 8 channels, but --leads .* states 12"),
        ({"leads": EIGHT[::-1]}, r"x\.json: the file states I, but --leads .* states V6"),
    ],
)
def test_a_caller_who_contradicts_the_sidecar_is_told(tmp_path, options, message):
    path = put(tmp_path, STATED)
    with pytest.raises(ContradictionError, match=message):
        read_recording(path, **options)
    assert read_recording(path, sampling_rate=250, units="\N{MICRO SIGN}V", leads=EIGHT).sampling_rate == 250


BROKEN = {
    "text for a rate": ({"sampling_rate": "fast"}, "sampling_rate is not a number"),
    "a truth for a rate": ({"sampling_rate": True}, "sampling_rate is not a number"),
    "nothing for a rate": ({"sampling_rate": None}, "sampling_rate is not a number"),
    "a rate of 0": ({"sampling_rate": 0}, "the sampling rate must be a positive number"),
    "a rate that is not a number": (b'{"sampling_rate": NaN}', "the sampling rate must be a positive number"),
    "a rate of 400 digits": (b'{"sampling_rate": 1' + b"0" * 400 + b"}", "the sampling rate must be a positive number"),
    "other units": ({"units": "mmHg"}, "mmHg is not a voltage unit"),
    "one text for leads": ({"leads": "I,II"}, "leads is not a list of names"),
    "numbers for leads": ({"leads": [1, 2]}, "leads is not a list of names"),
    "leads missing": ({"leads": ["I", "II"]}, "V1, V2, V3, V4, V5, V6 of I, II, V1 to V6 are missing"),
    "cut off": (b'{"sampling_rate": 250, "uni', "is not a valid sidecar"),
    "cut off, with a mark": (b'\xef\xbb\xbf {\n "leads": ["I"', "is not a valid sidecar"),
    "of another array": ({"sampling_rate": 250, "samples": 5000}, r"has 1500 samples, but .*x\.json states 5000"),
}


@pytest.mark.parametrize("in_archive", [False, True])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sidecar_is_the_error_of_its_record(tmp_path, name, in_archive):
    stated, message = BROKEN[name]
    path = put(tmp_path, stated, SIGNAL)
    with pytest.raises(UnreadableError, match=message) as caught:
        read_recording(packed(path) if in_archive else path)
    assert "\n" not in str(caught.value)
    assert "x.json" in str(caught.value)


def test_a_sidecar_of_other_leads_than_rows_is_an_error(tmp_path):
    with pytest.raises(WrongShapeError, match="expected a signal of shape"):
        read_recording(put(tmp_path, STATED, SIGNAL))


HARMLESS = {
    "findings": {"schema": 1, "record": "x", "status": "detected", "sampling_rate": 250},
    "lines of findings": b'{"schema": 1, "sampling_rate": 250}\n{"schema": 1, "sampling_rate": 250}\n',
    "a list": [{"sampling_rate": 250}],
    "a number": 250,
    "nothing in it": {},
    "no JSON": b"hello {",
    "bytes": bytes(range(256)) * 8,
    "empty": b"",
    "nested": b"[" * 60_000,
    "nested keys": b'{"a":' * 10_000,
    "large": b'{"sampling_rate": 250, "units": "' + b" " * 70_000 + b'"}',
    "UTF-16": '{"sampling_rate": 250}'.encode("utf-16"),
    "a number of many digits": b"[" + b"9" * 60_000 + b"]",
}


@pytest.mark.parametrize("in_archive", [False, True])
@pytest.mark.parametrize("name", HARMLESS)
def test_any_other_file_of_that_name_does_not_matter(tmp_path, name, in_archive):
    path = put(tmp_path, HARMLESS[name], SIGNAL)
    found = read_recording(packed(path) if in_archive else path)
    assert (found.sampling_rate, found.units) == (500, "mV")


def test_a_folder_of_that_name_does_not_matter(tmp_path):
    np.save(tmp_path / "x.npy", SIGNAL)
    (tmp_path / "x.json").mkdir()
    (tmp_path / "y.json").symlink_to("y.json")
    np.save(tmp_path / "y.npy", SIGNAL)
    assert [record.read().sampling_rate for record in find_records(tmp_path)] == [500, 500]


def test_a_broken_sidecar_does_not_cost_the_other_records(tmp_path):
    put(tmp_path, {"sampling_rate": -1}, SIGNAL)
    np.save(tmp_path / "y.npy", SIGNAL)
    broken, sound = find_records(tmp_path)
    with pytest.raises(EcgEdgeError, match=r"x\.json"):
        broken.read()
    assert sound.read().samples == 1500


def test_an_output_that_is_a_sidecar_of_an_input_is_refused(tmp_path):
    path = put(tmp_path, STATED)
    command = [sys.executable, "-m", "ecg_edge", "run", path, "--format", "json", "--output", tmp_path / "x.json"]
    result = subprocess.run(command, capture_output=True, check=False, text=True)
    assert result.returncode == 2
    assert "is also an input" in result.stderr
    assert json.loads((tmp_path / "x.json").read_text()) == {**STATED, "leads": list(EIGHT)}


def test_a_sidecar_in_memory_belongs_to_its_npy(tmp_path):
    path = put(tmp_path, STATED)
    files = [(name, path.with_name(name).read_bytes()) for name in ("x.npy", "x.json")]
    ((index, found),) = find_in_memory(files)
    recording = found.read()
    assert (index, recording.sampling_rate, recording.leads) == (0, 250, EIGHT)
