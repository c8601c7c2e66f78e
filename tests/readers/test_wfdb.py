"""WFDB records and their oddities."""

import re
import socket

import numpy as np
import pytest
from written import write_wfdb

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, UnreadableError
from ecg_edge.readers import find_records
from ecg_edge.readers.formats import wfdb_record
from ecg_edge.recording.leads import LEADS

wfdb = pytest.importorskip("wfdb")
pytestmark = pytest.mark.filterwarnings("ignore")
SIGNAL = np.random.default_rng(0).normal(0, 0.5, (12, 3000)).round(3)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        pytest.fail("the reader went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def hea(folder, lines, dat=b"", dat_name="r.dat"):
    """Write a header by hand."""
    (folder / "r.hea").write_bytes(lines if isinstance(lines, bytes) else "\n".join(lines).encode())
    (folder / dat_name).write_bytes(dat)
    return folder / "r.hea"


def sixteen_bits(counts):
    return np.asarray(counts).T.astype("<i2").tobytes()


def lines_of(counts, fields="1000/mV", file="r.dat", rate=500):
    """Header lines of twelve leads in format 16."""
    return [f"r 12 {rate} {counts.shape[1]}", *(f"{file} 16 {fields} 16 0 0 0 0 {lead}" for lead in LEADS)]


COUNTS = np.round(SIGNAL * 1000).astype(int)


@pytest.mark.parametrize(("fmt", "tolerance"), [("16", 1e-4), ("24", 1e-6), ("32", 1e-7), ("80", 0.02), ("212", 2e-3)])
def test_each_sample_format_is_read(tmp_path, fmt, tolerance):
    path = write_wfdb(tmp_path / "a.hea", SIGNAL, fmt=fmt)
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), SIGNAL, atol=tolerance)


@pytest.mark.parametrize("fmt", ["16", "212", "24"])
def test_a_long_record_is_read_in_blocks(tmp_path, monkeypatch, fmt):
    path = write_wfdb(tmp_path / "a.hea", SIGNAL, fmt=fmt)
    monkeypatch.setattr(wfdb_record, "_AHEAD", 12 * 333)
    recording = read_recording(path)
    for start in (0, 100, 777, 2111, 5):
        found = recording.stretch(start, start + 800)
        np.testing.assert_allclose(found, SIGNAL[:, start : start + 800], atol=2e-3)


def test_a_gain_of_0_means_200_steps_a_millivolt(tmp_path):
    path = hea(tmp_path, lines_of(COUNTS, "0"), sixteen_bits(COUNTS))
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), COUNTS / 200, rtol=1e-5)


def test_each_lead_has_its_own_gain_baseline_and_units(tmp_path):
    fields = [f"{1000 + i}({i})/mV" if i % 2 else f"{2 + i}/uV" for i in range(12)]
    lines = [f"r 12 500 {COUNTS.shape[1]}"]
    lines += [f"r.dat 16 {field} 16 0 0 0 0 {lead}" for field, lead in zip(fields, LEADS, strict=True)]
    found = read_recording(hea(tmp_path, lines, sixteen_bits(COUNTS))).stretch(0, 3000)
    expected = [(row - i) / (1000 + i) if i % 2 else row / (2 + i) / 1000 for i, row in enumerate(COUNTS)]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_leads_and_other_signals_may_have_different_rates(tmp_path):
    frames = np.concatenate([COUNTS[:, ::2], COUNTS[:, 1::2]])  # two samples of each lead in a frame
    order = [row + 12 * sample for row in range(12) for sample in range(2)]
    breathing = np.zeros((1, 1500))
    lines = ["r 13 250 1500", "r.dat 16 100/l 16 0 0 0 0 resp"]
    lines += [f"r.dat 16x2 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    path = hea(tmp_path, lines, sixteen_bits(np.concatenate([breathing, frames[order]])))
    recording = read_recording(path)
    assert (recording.sampling_rate, recording.samples) == (500, 3000)
    np.testing.assert_allclose(recording.stretch(0, 3000), SIGNAL, atol=1e-6)


def test_leads_of_different_rates_are_refused(tmp_path):
    lines = lines_of(COUNTS)
    lines[3] = lines[3].replace(" 16 ", " 16x2 ", 1)
    with pytest.raises(EcgEdgeError, match="its leads have different sampling rates"):
        read_recording(hea(tmp_path, lines, sixteen_bits(COUNTS) * 2))


def test_a_signal_file_may_begin_with_something_else_and_leads_lie_in_several(tmp_path):
    lines = lines_of(COUNTS)
    lines[1:] = [line.replace(" 16 ", " 16+24 ", 1) for line in lines[1:]]
    lines[7:] = [line.replace("r.dat", "s.mat") for line in lines[7:]]
    path = hea(tmp_path, lines, bytes(24) + sixteen_bits(COUNTS[:6]))
    (tmp_path / "s.mat").write_bytes(bytes(24) + sixteen_bits(COUNTS[6:]))
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), SIGNAL, atol=1e-6)


def test_a_missing_sample_is_not_a_number(tmp_path):
    counts = COUNTS.copy()
    counts[4, 250] = -32768
    signal = read_recording(hea(tmp_path, lines_of(counts), sixteen_bits(counts))).stretch(0, 3000)
    assert np.argwhere(~np.isfinite(signal)).tolist() == [[4, 250]]


GOOD = lines_of(COUNTS)
HOSTILE = {
    "file outside": ([GOOD[0], *(line.replace("r.dat", "../r.dat") for line in GOOD[1:])], "not a valid WFDB header"),
    "absolute file": ([GOOD[0], *(line.replace("r.dat", "/etc/passwd") for line in GOOD[1:])], "not a valid WFDB"),
    "address": ([GOOD[0], *(line.replace("r.dat", "http://x.example/r.dat") for line in GOOD[1:])], "WFDB"),
    "no such file": ([GOOD[0], *(line.replace("r.dat", "q.dat") for line in GOOD[1:])], "q.dat, which does not exist"),
    "standard input": ([GOOD[0], *(line.replace("r.dat", "-") for line in GOOD[1:])], "not a plain file name"),
    "too long": (["r 12 500 3000000000", *GOOD[1:]], "states 3000000000 frames, but r.dat has 3000"),
    "too many signals": (["r 1000000000 500 3000", *GOOD[1:]], "states 1000000000 signals, but it describes 12"),
    "huge frames": ([GOOD[0], GOOD[1].replace(" 16 ", " 16x999999999 ", 1), *GOOD[2:]], "different sampling rates"),
    "offset beyond": ([GOOD[0], *(line.replace(" 16 ", " 16+999999999 ", 1) for line in GOOD[1:])], "has 0"),
    "skew": ([GOOD[0], GOOD[1].replace(" 16 ", " 16:999999999 ", 1), *GOOD[2:]], "skew"),
    "compressed": ([line.replace(" 16 ", " 516 ", 1) for line in GOOD], "format 516"),
    "two formats": ([*GOOD[:-1], GOOD[-1].replace(" 16 ", " 24 ", 1)], "several formats"),
    "segments": (["r/2 12 500 3000", "a 1500", "b 1500"], "several segments"),
    "no rate": (["r 12 0 3000", *GOOD[1:]], "without signals"),
    "no signals": (["r 0 500 3000"], "without signals"),
    "micro sign": ([line.replace("/mV", "/\N{MICRO SIGN}V") for line in GOOD], "not ASCII; write microvolts as uV"),
    "long line": ([GOOD[0] + " " * 2000, *GOOD[1:]], "more than 1000 characters"),
    "long header": (["#" * 70_000, *GOOD], "too many for a header"),
    "empty": ([""], "empty|not a valid WFDB header"),
    "prose": (["Dear reader,", "this is no header"], "not a valid WFDB header"),
    "unit": ([line.replace("/mV", "/mmHg") for line in GOOD], "mmHg is not a voltage unit"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_gets_one_clear_error(tmp_path, name):
    lines, message = HOSTILE[name]
    with pytest.raises(EcgEdgeError, match=message) as caught:
        read_recording(hea(tmp_path, lines, sixteen_bits(COUNTS))).stretch(0, 3000)
    assert "\n" not in str(caught.value)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(sixteen_bits(COUNTS))
    (tmp_path / "in").mkdir()
    path = hea(tmp_path / "in", GOOD)
    (tmp_path / "in" / "r.dat").unlink()
    (tmp_path / "in" / "r.dat").symlink_to(tmp_path / "secret")
    with pytest.raises(UnreadableError, match="a link out of its folder"):
        read_recording(path)


def test_a_folder_whose_name_is_an_address_for_the_library_is_refused(tmp_path):
    (tmp_path / "zip::http:").mkdir()
    with pytest.raises(UnreadableError, match="takes for a network address"):
        read_recording(hea(tmp_path / "zip::http:", GOOD, sixteen_bits(COUNTS)))


def test_a_signal_file_that_changes_is_an_error(tmp_path):
    recording = read_recording(hea(tmp_path, GOOD, sixteen_bits(COUNTS)))
    (tmp_path / "r.dat").write_bytes(b"short")
    with pytest.raises(UnreadableError, match="changed while it was read"):
        recording.stretch(0, 3000)


def test_a_broken_record_does_not_hide_the_others_of_its_folder(tmp_path):
    hea(tmp_path, ["prose"])
    write_wfdb(tmp_path / "s.hea", SIGNAL)
    broken, sound = find_records(tmp_path)
    with pytest.raises(UnreadableError, match=re.escape(str(tmp_path / "r.hea"))):
        broken.read()
    assert sound.read().duration_s == 6
