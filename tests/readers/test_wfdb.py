"""WFDB records and their oddities, compared with the reading of the wfdb library."""

import re
import socket

import numpy as np
import pytest
from written import write_wfdb

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, UndeclaredError, UnreadableError
from ecg_edge.readers import find_records
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.formats import wfdb_record
from ecg_edge.readers.formats.wfdb_header import read_wfdb_header
from ecg_edge.readers.formats.wfdb_signal import FORMATS
from ecg_edge.recording.leads import LEADS

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
    monkeypatch.setattr(wfdb_record, "_TOGETHER", 12 * 333)
    recording = read_recording(path)
    for start in (0, 100, 777, 2111, 5):
        found = recording.stretch(start, start + 800)
        np.testing.assert_allclose(found, SIGNAL[:, start : start + 800], atol=2e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("n_frames", [500, 501, 502])
@pytest.mark.parametrize("n_signals", [1, 3])
def test_any_bytes_are_read_as_the_library_reads_them(tmp_path, fmt, n_frames, n_signals):
    wfdb = pytest.importorskip("wfdb")
    random = np.random.default_rng(n_frames)
    size = {"8": 1, "80": 1, "24": 3, "32": 4, "212": 1.5, "310": 4 / 3, "311": 4 / 3}.get(fmt, 2)
    content = random.integers(0, 256, 4 * round(n_signals * n_frames * size / 4 + 1), np.uint8)
    if fmt == "311":
        content[3::4] &= 0x3F  # the format does not use these bits
    lines = [f"r {n_signals} 500 {n_frames}"]
    lines += [f"r.dat {fmt} 100({i})/mV 16 0 {7 + i} 0 0 x{i}" for i in range(n_signals)]
    path = hea(tmp_path, lines, content.tobytes())
    digital = fmt == "8"
    expected = wfdb.rdrecord(str(path)[:-4], physical=not digital)
    expected = (expected.d_signal - np.arange(n_signals)) / 100 if digital else expected.p_signal
    data = FileSource(path)
    header = read_wfdb_header(data)
    files, found_frames = wfdb_record._open_signal_files(header, "r", lambda name: FileSource(tmp_path / name))
    (file,) = files.values()
    assert found_frames == n_frames
    for first, last in ((0, n_frames), (7, 8), (250, n_frames)):
        samples = file.read(first, last)
        found = np.where(samples == file.lowest, np.nan, (samples - np.arange(n_signals)) / 100)
        np.testing.assert_allclose(found, expected[first:last], atol=1e-9)


@pytest.mark.parametrize("units", [None, "uV"])
@pytest.mark.parametrize("field", ["0", "0/mV", "0/uV", ""])
def test_a_lead_that_is_not_calibrated_is_refused_unless_the_caller_states_its_gain(tmp_path, field, units):
    lines = lines_of(COUNTS, field) if field else [f"r 12 500 {COUNTS.shape[1]}", *["r.dat 16"] * 12]
    path, leads = hea(tmp_path, lines, sixteen_bits(COUNTS)), None if field else LEADS
    with pytest.raises(UndeclaredError, match=r"calibration: the gain of .* is 0 or missing; pass --gain"):
        read_recording(path, leads=leads)
    found = read_recording(path, gain=1000, leads=leads, units=units).stretch(0, 3000)
    np.testing.assert_allclose(found, COUNTS / 1000, rtol=1e-5)


def test_a_gain_that_the_file_states_is_not_replaced(tmp_path):
    path = hea(tmp_path, lines_of(COUNTS), sixteen_bits(COUNTS))
    np.testing.assert_allclose(read_recording(path, gain=200).stretch(0, 3000), COUNTS / 1000, rtol=1e-5)


@pytest.mark.parametrize("rest", ["05-May-2020 09:49:17", "2014-05-08 05:05:15", "10:00:00 2006", "2006", "10:00:00"])
def test_odd_times_and_dates_are_not_needed(tmp_path, rest):
    lines = lines_of(COUNTS)
    path = hea(
        tmp_path, b"\xef\xbb\xbf" + "\r\n".join([f"{lines[0]} {rest}", *lines[1:]]).encode(), sixteen_bits(COUNTS)
    )
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), SIGNAL, atol=1e-6)


def test_a_header_in_capitals_names_a_file_in_capitals(tmp_path):
    hea(tmp_path, lines_of(COUNTS), sixteen_bits(COUNTS), "R.DAT").rename(tmp_path / "R.HEA")
    (record,) = find_records(tmp_path)
    np.testing.assert_allclose(record.read().stretch(0, 3000), SIGNAL, atol=1e-6)


def test_a_control_character_that_hides_a_line_is_refused(tmp_path):
    lines = lines_of(COUNTS)
    lines[1] += "\x0br.dat 16 1/mV 16 0 0 0 0 II"
    with pytest.raises(UnreadableError, match="control characters"):
        read_recording(hea(tmp_path, lines, sixteen_bits(COUNTS)))


def test_microvolts_in_any_letters(tmp_path):
    lines = [line.replace("1000/mV", "1/\N{MICRO SIGN}V") for line in lines_of(COUNTS)]
    for encoding in ("utf-8", "latin-1"):
        path = hea(tmp_path, "\n".join(lines).encode(encoding), sixteen_bits(COUNTS))
        np.testing.assert_allclose(read_recording(path).stretch(0, 3000), SIGNAL, atol=1e-6)


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


@pytest.mark.parametrize("skews", [[0] * 11 + [40], list(range(12))])
@pytest.mark.parametrize("fmt", ["16", "212"])
def test_a_skew_is_taken_back(tmp_path, skews, fmt):
    wfdb = pytest.importorskip("wfdb")
    counts = np.clip(COUNTS, -2000, 2000)
    write_wfdb(tmp_path / "r.hea", counts / 1000, fmt=fmt)
    head, *lines = (tmp_path / "r.hea").read_text().splitlines()
    lines = [line.replace(f" {fmt} ", f" {fmt}:{skew} ", 1) for line, skew in zip(lines, skews, strict=True)]
    (tmp_path / "r.hea").write_text("\n".join([head, *lines]))
    found = read_recording(tmp_path / "r.hea").stretch(0, 3000)
    if len(set(skews)) == 2:  # the library fails if there are more
        expected = wfdb.rdrecord(str(tmp_path / "r")).p_signal.T
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    for lead, skew in enumerate(skews):
        np.testing.assert_allclose(found[lead, : 3000 - skew], counts[lead, skew:] / 1000, atol=2e-3)
        assert np.isnan(found[lead, 3000 - skew :]).all()


def with_checksums(counts, change=lambda checksum: checksum):
    lines = lines_of(counts)
    sums = [change(int(np.int64(row.sum()).astype(np.int16))) for row in counts]
    return [
        lines[0],
        *(line.replace(" 0 0 0 0 ", f" 0 0 {found} 0 ") for line, found in zip(lines[1:], sums, strict=True)),
    ]


@pytest.mark.parametrize("shift", [0, 2**16, -(2**16)])
def test_a_right_checksum_says_nothing(tmp_path, shift):
    path = hea(tmp_path, with_checksums(COUNTS, lambda checksum: checksum + shift), sixteen_bits(COUNTS))
    assert read_recording(path).notes == ()


@pytest.mark.parametrize("fmt", ["16", "24", "80", "212"])
def test_the_checksums_of_the_library_are_right(tmp_path, fmt):
    pytest.importorskip("wfdb")
    counts = np.clip(COUNTS, -2000, 2000)
    path = write_wfdb(tmp_path / "a.hea", counts / 1000, fmt=fmt)
    assert re.search(r" -?\d+ 0 aVF$", path.read_text(), re.MULTILINE)
    assert read_recording(path).notes == ()


@pytest.mark.parametrize("together", [12 * 333, 2**21])
def test_a_damaged_sample_is_a_warning_that_names_its_lead(tmp_path, monkeypatch, tiny, together):
    monkeypatch.setattr(wfdb_record, "_TOGETHER", together)
    damaged = COUNTS.copy()
    damaged[7, 2999] += 1
    path = hea(tmp_path, with_checksums(COUNTS), sixteen_bits(damaged))
    (note,) = [note for note in tiny.detect(read_recording(path)).warnings if note.code == "wrong_checksum"]
    assert note.message.endswith("so the file may be damaged: V2")


def test_samples_beyond_the_stated_length_are_not_part_of_the_checksum(tmp_path):
    path = hea(tmp_path, with_checksums(COUNTS), sixteen_bits(COUNTS) + bytes(24 * 50) + b"\1" * 24)
    assert read_recording(path).notes == ()


@pytest.mark.parametrize("fields", ["r 12 500/250(17) 3000", "r 12 500/250 3000", "r 12 500 3000 12:00:00 1/1/2020"])
def test_the_frequency_of_a_counter_is_not_the_sampling_rate(tmp_path, fields):
    path = hea(tmp_path, [fields, *lines_of(COUNTS)[1:]], sixteen_bits(COUNTS))
    assert (read_recording(path).sampling_rate, read_recording(path).samples) == (500, 3000)


def test_a_record_without_a_stated_length_has_that_of_its_file(tmp_path):
    path = hea(tmp_path, ["r 12 500", *lines_of(COUNTS)[1:]], sixteen_bits(COUNTS))
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), SIGNAL, atol=1e-6)


GOOD = lines_of(COUNTS)
HOSTILE = {
    "file outside": ([GOOD[0], *(line.replace("r.dat", "../r.dat") for line in GOOD[1:])], "not a plain file name"),
    "absolute file": ([GOOD[0], *(line.replace("r.dat", "/etc/passwd") for line in GOOD[1:])], "not a plain file name"),
    "address": (
        [GOOD[0], *(line.replace("r.dat", "http://x.example/r.dat") for line in GOOD[1:])],
        "not a plain file name",
    ),
    "no such file": ([GOOD[0], *(line.replace("r.dat", "q.dat") for line in GOOD[1:])], "q.dat, which does not exist"),
    "standard input": ([GOOD[0], *(line.replace("r.dat", "-") for line in GOOD[1:])], "not a plain file name"),
    "too long": (["r 12 500 3000000000", *GOOD[1:]], "states 3000000000 frames, but r.dat has 3000"),
    "too many signals": (["r 1000000000 500 3000", *GOOD[1:]], "states 1000000000 signals, but it describes 12"),
    "huge frames": ([GOOD[0], GOOD[1].replace(" 16 ", " 16x999999999 ", 1), *GOOD[2:]], "different sampling rates"),
    "offset beyond": ([GOOD[0], *(line.replace(" 16 ", " 16+999999999 ", 1) for line in GOOD[1:])], "has 0"),
    "skew": ([GOOD[0], GOOD[1].replace(" 16 ", " 16:999999999 ", 1), *GOOD[2:]], "a skew of more than its 3000 frames"),
    "compressed": ([line.replace(" 16 ", " 516 ", 1) for line in GOOD], "format 516"),
    "two formats": ([*GOOD[:-1], GOOD[-1].replace(" 16 ", " 24 ", 1)], "different formats"),
    "segments": (["r/2 12 500 3000", "a 1500", "b 1500"], "several segments"),
    "no names": (
        [GOOD[0], *["r.dat 16 1000/mV"] * 12],
        "missing; the channels have no names; if leads have other names",
    ),
    "no rate": (["r 12 0 3000", *GOOD[1:]], "does not state its sampling rate"),
    "no signals": (["r 0 500 3000"], "states 0 signals"),
    "long line": ([GOOD[0] + " 1" * 2000, *GOOD[1:]], "more than 1000 characters"),
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
