"""EDF and EDF+ and their oddities."""

import tracemalloc

import numpy as np
import pytest
from written import edf_signals, write_edf

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, UnreadableError
from ecg_edge.readers import find_records
from ecg_edge.readers.formats import edf, edf_header
from ecg_edge.recording.leads import LEADS

edfio = pytest.importorskip("edfio")
SIGNAL = np.random.default_rng(0).normal(0, 0.5, (12, 3000))


def other(label="Resp", rate=50, units="l"):
    return edfio.EdfSignal(np.zeros(6 * rate), rate, label=label, physical_dimension=units, physical_range=(-1, 1))


@pytest.mark.parametrize("together", [0, 2**23])
def test_other_signals_annotations_and_rates_do_not_disturb_the_leads(tmp_path, monkeypatch, together):
    monkeypatch.setattr(edf, "_MOST_TOGETHER", together)
    signals = edf_signals(SIGNAL, leads=[f"ECG {lead}" for lead in LEADS])
    signals = [other(), *signals[:5], other("ECG V7", 100, "mV"), *signals[5:]]
    edfio.Edf(signals, annotations=[edfio.EdfAnnotation(1, None, "chest pain")]).write(tmp_path / "a.edf")
    recording = read_recording(tmp_path / "a.edf")
    assert (recording.sampling_rate, recording.samples) == (500, 3000)
    for start, stop in [(0, 3000), (499, 501), (500, 1000), (1234, 2999)]:
        np.testing.assert_allclose(recording.stretch(start, stop), SIGNAL[:, start:stop], atol=1e-3)


def test_each_lead_has_its_own_gain_and_units(tmp_path):
    signals = [
        edfio.EdfSignal(
            row * (1000 if i % 2 else 1),
            500,
            label=LEADS[i],
            physical_dimension="uV" if i % 2 else "mV",
            physical_range=(-(3 + i) * (1000 if i % 2 else 1), (4 + i) * (1000 if i % 2 else 1)),
            digital_range=(-2048, 2047) if i % 3 else (0, 30000),
        )
        for i, row in enumerate(SIGNAL)
    ]
    edfio.Edf(signals).write(tmp_path / "a.edf")
    found = read_recording(tmp_path / "a.edf").stretch(0, 3000)
    np.testing.assert_allclose(found, SIGNAL, atol=5e-3)


@pytest.mark.parametrize("rate", [250, 360, 1000, 62.5 * 8])
def test_the_rate_is_that_of_the_data_records(tmp_path, rate):
    signals = edf_signals(SIGNAL[:, : int(rate * 2)], rate)
    edfio.Edf(signals, data_record_duration=0.2).write(tmp_path / "a.edf")
    assert read_recording(tmp_path / "a.edf").sampling_rate == pytest.approx(rate)


def test_leads_of_different_rates_are_refused(tmp_path):
    signals = edf_signals(SIGNAL)
    signals[7] = edfio.EdfSignal(SIGNAL[7, ::2], 250, label="V2", physical_dimension="mV")
    edfio.Edf(signals).write(tmp_path / "a.edf")
    with pytest.raises(EcgEdgeError, match="its leads have different sampling rates"):
        read_recording(tmp_path / "a.edf")


def test_units_that_the_file_leaves_blank_are_asked_for(tmp_path):
    path = write_edf(tmp_path / "a.edf", SIGNAL, units="")
    with pytest.raises(EcgEdgeError, match="does not state its units; pass --units"):
        read_recording(path)
    np.testing.assert_allclose(read_recording(path, units="mV").stretch(0, 3000), SIGNAL, atol=1e-3)


def patched(path, at, content):
    data = bytearray(path.read_bytes())
    data[at : at + len(content)] = content
    path.write_bytes(data)
    return path


def column(name, signal=0):
    """Where a signal's cell of a column stands."""
    widths = list(edf_header._COLUMNS.items())
    before = sum(width for key, width in widths[: [key for key, _ in widths].index(name)])
    return 256 + 12 * before + signal * edf_header._COLUMNS[name]


HOSTILE = {
    "no times": (192, b"EDF+D", "data record 1 does not state its time"),
    "cut off": (236, b"99999999", "states 99999999 data records, found 6"),
    "many signals": (252, b"9999", "it has 9999 signals"),
    "no signals": (252, b"0   ", "it has 0 signals"),
    "signals beyond the end": (252, b"500 ", "is cut off"),
    "words": (252, b"many", "header cannot be read"),
    "no duration": (244, b"0       ", "does not state its sampling rate; pass --sampling-rate"),
    "negative duration": (244, b"-1      ", "does not state its sampling rate"),
    "nan duration": (244, b"nan     ", "does not state its sampling rate"),
    "huge data record": (column("samples"), b"99999999", "different sampling rates"),
    "negative samples": (column("samples", 3), b"-500    ", "negative number of samples"),
    "flat calibration": (column("digital_max", 4), b"-32768  ", "without calibration"),
    "infinite calibration": (column("physical_max", 4), b"1e999   ", "without calibration"),
    "letters": (column("physical_min", 4), b"low     ", "header cannot be read"),
    "unit": (column("units", 2), b"mmHg    ", "mmHg is not a voltage unit"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_gets_one_clear_error(tmp_path, name):
    at, content, message = HOSTILE[name]
    path = patched(write_edf(tmp_path / "a.edf", SIGNAL), at, content)
    with pytest.raises(EcgEdgeError, match=message) as caught:
        read_recording(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_header_is_quoted_in_one_line(tmp_path):
    path = patched(write_edf(tmp_path / "a.edf", SIGNAL), column("label", 6), b"V1\n\nV1\x1b[31m" + bytes(4))
    with pytest.raises(EcgEdgeError, match="V1 of I, II, V1 to V6 is missing") as caught:
        read_recording(path)
    assert "\n" not in str(caught.value)


def test_without_a_stated_length_the_file_size_decides(tmp_path):
    path = patched(write_edf(tmp_path / "a.edf", SIGNAL), 236, b"-1      ")
    assert read_recording(path).samples == 3000


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path):
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    recording = read_recording(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableError, match=r"shorter|changed"):
        recording.stretch(2900, 3000)


def test_an_hour_is_answered_in_little_memory(tmp_path, tiny):
    tile = write_edf(tmp_path / "tile.edf", SIGNAL).read_bytes()
    head, body = bytearray(tile[: 256 * 13]), tile[256 * 13 :]
    head[236:244] = b"%-8d" % (6 * 600)
    (tmp_path / "a.edf").write_bytes(bytes(head) + body * 600)
    tracemalloc.start()
    finding = tiny.detect(read_recording(tmp_path / "a.edf"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert finding.duration_s == 3600
    assert peak < 20e6


def rewrite(path, *changes):
    content = bytearray(path.read_bytes())
    for at, new in changes:
        content[at : at + len(new)] = new
    path.write_bytes(content)
    return path


def test_a_header_that_is_padded_with_nuls_and_has_decimal_commas_is_read(tmp_path):
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    fields = [(0, 8), (184, 8), (236, 8), (244, 8), (252, 4), *[(256 + 16 * i, 16) for i in range(12)]]
    content = path.read_bytes()
    nuls = [(at, content[at : at + width].rstrip().ljust(width, b"\0")) for at, width in fields]
    physical = 256 + 12 * (16 + 80 + 8)
    commas = [(physical, content[physical : physical + 12 * 16].replace(b".", b","))]
    recording = read_recording(rewrite(path, *nuls, *commas))
    np.testing.assert_allclose(recording.stretch(0, 3000), SIGNAL, atol=1e-3)


def test_the_lowest_number_outside_of_the_range_is_a_missing_sample(tmp_path):
    signals = [
        edfio.EdfSignal(row, 500, label=lead, physical_dimension="mV", digital_range=(-32767, 32767))
        for row, lead in zip(SIGNAL, LEADS, strict=True)
    ]
    edfio.Edf(signals).write(tmp_path / "a.edf")
    rewrite(tmp_path / "a.edf", (256 * 13 + 2 * (500 * 4 + 250), b"\0\x80"))
    found = read_recording(tmp_path / "a.edf").stretch(0, 3000)
    assert np.argwhere(~np.isfinite(found)).tolist() == [[4, 250]]


def test_a_data_record_that_holds_almost_nothing_of_the_leads_is_refused(tmp_path):
    path = tmp_path / "a.edf"
    other = edfio.EdfSignal(np.zeros(6 * 500), 500, label="other", physical_dimension="l", physical_range=(-1, 1))
    edfio.Edf([*edf_signals(SIGNAL), other]).write(path)
    samples = 256 + 13 * (16 + 80 + 8 + 8 + 8 + 8 + 8 + 80)
    rewrite(path, (samples, b"1       " * 12 + b"99999999"))
    with pytest.raises(UnreadableError, match="100000011 samples in a data record, but only 12 of the leads"):
        read_recording(path)


@pytest.mark.parametrize("unit", [b"\xc2\xb5V", b"\xce\xbcV", b"\xb5V", b"\xe6V", b".V", b"?V", "мкВ".encode("cp1251")])
def test_microvolts_of_damaged_or_foreign_headers_are_known(tmp_path, unit):
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    rewrite(path, (256 + 12 * 96, unit.ljust(8) * 12))
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), SIGNAL / 1000, atol=1e-5)


def test_units_that_nobody_understands_are_those_that_the_caller_states(tmp_path):
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    rewrite(path, (256 + 12 * 96, b"qq      " * 12))
    with pytest.raises(EcgEdgeError, match=r"a\.edf: qq is not a voltage unit, .*; pass --units"):
        read_recording(path)
    np.testing.assert_allclose(read_recording(path, units="mV").stretch(0, 3000), SIGNAL, atol=1e-3)


def test_a_duration_that_is_not_a_number_leaves_the_rate_to_the_caller(tmp_path):
    path = rewrite(write_edf(tmp_path / "a.edf", SIGNAL), (244, b"?       "))
    assert read_recording(path, sampling_rate=500).sampling_rate == 500


def write_discontinuous(path, onsets, *, signal=SIGNAL, bits=16, kind="EDF+D", duration="1", rate=500):
    """Write an EDF+D or BDF+D by hand, by the definition of the format; data record i begins at onsets[i] seconds."""
    width, whole = bits // 8, 2 ** (bits - 1)
    n_records = len(onsets)
    counts = np.round(signal / 4 * whole).astype("<i4").reshape(12, n_records, -1)
    n_samples = counts.shape[2]
    cells = {
        16: [*LEADS, f"{kind[:3]} Annotations"],
        80: [""] * 13,
        8: ["mV"] * 12 + [""],
        "low": ["-4"] * 12 + ["-1"],
        "high": [str(4 * (whole - 1) / whole)[:8]] * 12 + ["1"],
        "least": [str(-whole)] * 13,
        "most": [str(whole - 1)] * 13,
        "filter": [""] * 13,
        "samples": [str(n_samples)] * 12 + ["20"],
        "reserved": [""] * 13,
    }
    widths = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32]
    version = b"\xffBIOSEMI" if bits == 24 else b"0       "
    first = f"{'X X X X':80}{'Startdate X X X X':80}{'01.01.20':8}{'00.00.00':8}{256 * 14:<8}{kind:44}{n_records:<8}{duration:8}{13:<4}"
    second = "".join(cell.ljust(size) for size, column in zip(widths, cells.values(), strict=True) for cell in column)
    records = []
    for record, onset in enumerate(onsets):
        raw = counts[:, record].astype("<i4").reshape(-1, 1).view(np.uint8)[:, :width].tobytes()
        stamp = onset if isinstance(onset, bytes) else f"+{onset:g}\x14\x14\0".encode()
        records.append(raw + stamp.ljust(20 * width, b"\0"))
    path.write_bytes(version + (first + second).encode() + b"".join(records))
    return path


@pytest.mark.parametrize("first", [0, 0.25, 3600])
@pytest.mark.parametrize("jitter", [0, 4e-4])
def test_a_discontinuous_file_without_gaps_is_read(tmp_path, first, jitter):
    onsets = [first + i + jitter * (i % 2) for i in range(6)]
    recording = read_recording(write_discontinuous(tmp_path / "a.edf", onsets))
    assert (recording.sampling_rate, recording.samples) == (500, 3000)
    np.testing.assert_allclose(recording.stretch(0, 3000), SIGNAL, atol=1e-3)


@pytest.mark.parametrize(
    ("onsets", "message"),
    [
        ([0, 1, 2, 3.5, 4.5, 5.5], r"an EDF\+D file with a gap of 0\.5 s at 3 s; export its parts as EDF\+C"),
        ([0, 1, 2, 2.5, 3.5, 4.5], r"with an overlap of 0\.5 s at 3 s"),
        ([0, 1, 0, 1, 2, 3], r"with an overlap of 2 s at 2 s"),
        ([0, 1, 2, b"+x\x14\x14", 4, 5], "data record 4 does not state its time"),
        ([0, 1, 2, b"", 4, 5], "data record 4 does not state its time"),
        ([0, 1.004, 2.008, 3.012, 4.016, 5.02], "with a gap"),
    ],
)
def test_gaps_are_refused_with_their_place(tmp_path, onsets, message):
    with pytest.raises(EcgEdgeError, match=message):
        read_recording(write_discontinuous(tmp_path / "a.edf", onsets))


def test_small_steps_that_add_up_are_a_gap(tmp_path):
    signal = np.tile(SIGNAL, 2)[:, :5000]
    onsets = [round(i * 0.0108, 4) for i in range(500)]  # 0.8 ms late in each record of 10 ms
    with pytest.raises(EcgEdgeError, match="with a gap"):
        read_recording(write_discontinuous(tmp_path / "a.edf", onsets, signal=signal, duration="0.01"))


def test_a_discontinuous_file_that_does_not_state_its_duration_is_refused(tmp_path):
    path = write_discontinuous(tmp_path / "a.edf", range(6), duration="0")
    with pytest.raises(EcgEdgeError, match="does not state how long a data record is"):
        read_recording(path, sampling_rate=500)


@pytest.mark.parametrize("kind", ["24BIT", "BDF+C", "BDF+D"])
@pytest.mark.parametrize("together", [0, 2**23])
def test_bdf_is_read_with_all_its_bits(tmp_path, monkeypatch, kind, together):
    monkeypatch.setattr(edf, "_MOST_TOGETHER", together)
    path = write_discontinuous(tmp_path / "a.bdf", range(6), bits=24, kind=kind)
    (record,) = find_records(tmp_path)
    recording = record.read()
    assert (record.source, recording.sampling_rate, recording.samples) == (str(path), 500, 3000)
    for start, stop in [(0, 3000), (499, 501), (500, 1000), (1234, 2999)]:
        np.testing.assert_allclose(recording.stretch(start, stop), SIGNAL[:, start:stop], atol=2e-6)


@pytest.mark.parametrize("kind", ["24BIT", "BDF+C"])
def test_bdf_is_read_as_the_library_reads_it(tmp_path, kind):
    if not hasattr(edfio, "Bdf"):
        pytest.skip("this version of edfio reads no BDF")
    path = write_discontinuous(tmp_path / "a.bdf", range(6), bits=24, kind=kind)
    expected = np.stack([signal.data for signal in edfio.read_bdf(path).signals if signal.label in LEADS])
    np.testing.assert_allclose(read_recording(path).stretch(0, 3000), expected, atol=1e-6)


def test_the_lowest_number_of_24_bits_outside_of_the_range_is_a_missing_sample(tmp_path):
    path = write_discontinuous(tmp_path / "a.bdf", range(6), bits=24, kind="24BIT")
    least = 256 + 13 * (16 + 80 + 8 + 8 + 8)
    rewrite(path, (least, b"-8388607"), (256 * 14, b"\0\0\x80"))
    assert np.argwhere(~np.isfinite(read_recording(path).stretch(0, 3000))).tolist() == [[0, 0]]


def test_a_bdf_that_is_cut_off_is_an_error(tmp_path):
    path = write_discontinuous(tmp_path / "a.bdf", range(6), bits=24, kind="24BIT")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EcgEdgeError, match="states 6 data records, found 5"):
        read_recording(path)
