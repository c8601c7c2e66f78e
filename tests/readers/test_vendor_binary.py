"""SCP-ECG and MFER, written by hand by the standards."""

import warnings
import zipfile
from collections import Counter

import numpy as np
import pytest
from written_binary import EIGHT, mfer, scp, tlv

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, UndeclaredError
from ecg_edge.readers import find_records

pytest.importorskip("ecgdatakit", "2.0")
# Few different values, so that a table of codes stays small; steps of up to 400 for the escapes of the default table.
STEPS = np.random.default_rng(0).integers(-6, 7, (8, 2000)).cumsum(axis=1) % 41 - 20
STEPS[:, ::400] += 200


def write(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


def read(path, **declared):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_recording(path, **declared)


def refuse(path, match, **declared):
    with pytest.raises(EcgEdgeError, match=match) as caught:
        read(path, **declared)
    assert "\n" not in str(caught.value)


def table_of(difference):
    """Make a Huffman table for the values or differences: a code of some ones, a zero and four bits."""
    values = np.hstack([STEPS[:, :difference], np.diff(STEPS, difference, axis=1)])
    ordered = [int(value) for value, _ in Counter(values.ravel().tolist()).most_common()]
    return [(value, "1" * (rank // 16) + "0" + f"{rank % 16:04b}") for rank, value in enumerate(ordered)]


@pytest.mark.parametrize("difference", [0, 1, 2])
@pytest.mark.parametrize("coding", ["plain", "default", "own"])
def test_scp_is_read_in_each_coding(tmp_path, difference, coding):
    table = {"plain": None, "default": "default", "own": table_of(difference)}[coding]
    if coding == "own":
        table = [row for row in table if len(row[1]) <= 32]
        assert len(table) == len(table_of(difference)), "the standard stores 32 bits of a code"
    recording = read(write(tmp_path, scp(STEPS, difference=difference, table=table), "a.scp"))
    assert (recording.sampling_rate, recording.leads, recording.name) == (500, EIGHT, "a")
    np.testing.assert_allclose(recording.stretch(0, 2000)[[0, 1, *range(6, 12)]], STEPS * 0.005, atol=1e-5)


@pytest.mark.parametrize("table", [None, "default"])
def test_reference_beats_that_were_subtracted_are_added_again(tmp_path, table):
    beat = (
        np.round(300 * np.sin(np.linspace(0, 3, 200)) * np.arange(1, 9)[:, None] / 8).astype(int),
        100,
        [400, 900, 1500],
    )
    steps = STEPS.copy()
    for place in beat[2]:
        steps[:, place - 100 : place + 100] += beat[0]
    found = read(write(tmp_path, scp(steps, beat=beat, table=table, difference=1), "a.scp"))
    np.testing.assert_allclose(found.stretch(0, 2000)[[0, 1, *range(6, 12)]], steps * 0.005, atol=1e-5)


def test_scp_of_twelve_leads_in_any_order(tmp_path):
    leads = ("V6", "aVF", "I", "II", "III", "aVR", "aVL", "V1", "V2", "V3", "V4", "V5")
    steps = np.vstack([STEPS, STEPS[:4] + 7])
    found = read(write(tmp_path, scp(steps, leads), "a.scp")).stretch(0, 2000)
    np.testing.assert_allclose(found[[11, 5, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10]], steps * 0.005, atol=1e-5)


@pytest.mark.parametrize(("interval_us", "rate"), [(1000, 1000), (1953, 1e6 / 1953), (3333, 1e6 / 3333)])
def test_the_rate_of_scp_is_exact(tmp_path, interval_us, rate):
    assert read(write(tmp_path, scp(STEPS, interval_us=interval_us), "a.scp")).sampling_rate == pytest.approx(rate)


SCP_REFUSED = {
    "bimodal": (scp(STEPS, bimodal=1), "bimodal compression"),
    "leads of groups": (scp(STEPS, flags=3 << 3), "only 3 of its 8 leads were recorded at the same time"),
    "other first samples": (scp(STEPS, starts=[1, 1, *[5001] * 6]), "not recorded at the same time"),
    "other lengths": (scp([row[: 2000 - i] for i, row in enumerate(STEPS)]), "different lengths, 1993 to 2000"),
    "no multiplier": (scp(STEPS, nanovolts=0), "does not state its calibration"),
    "leads missing": (scp(STEPS[:2], EIGHT[:2]), "the leads V1, V2"),
    "cut off": (scp(STEPS)[:-100], "is not valid SCP-ECG"),
    "no rhythm": (scp(STEPS).replace(b"\6\0", b"\7\0"), "is not valid SCP-ECG"),
    "a lead twice": (scp(STEPS, ("I", "I", *EIGHT[2:])), "two channels are the lead I"),
    "a long recording beside the rhythm": (
        scp(STEPS, others={12: bytes(100)}, protocol=30),
        "holds more than one recording",
    ),
}


@pytest.mark.parametrize("what", SCP_REFUSED)
def test_scp_that_would_be_read_wrongly_is_refused(tmp_path, what):
    content, match = SCP_REFUSED[what]
    refuse(write(tmp_path, content, "a.scp"), match)


def test_a_wrong_checksum_of_scp_is_a_warning_of_the_finding(tmp_path, tiny):
    recording = read_recording(write(tmp_path, scp(STEPS, crc=False), "a.scp"))
    (note,) = [note for note in tiny.detect(recording).warnings if note.code == "wrong_checksum"]
    assert "SCP-ECG CRC mismatch in: record" in note.message
    assert str(tmp_path) not in note.message
    assert read_recording(write(tmp_path, scp(STEPS), "a.scp")).notes == ()


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("frames", [1, 4])
def test_mfer_is_read_in_each_byte_order_and_in_frames(tmp_path, little, frames):
    dtype = "<i2" if little else ">i2"
    recording = read(write(tmp_path, mfer(STEPS, little=little, dtype=dtype, frames=frames), "a.mwf"))
    assert recording.sampling_rate == pytest.approx(500)
    np.testing.assert_allclose(recording.stretch(0, 2000)[[0, 1, *range(6, 12)]], STEPS * 0.005, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "rate", "microvolts"),
    [
        ({"interval": (0, 0, 250)}, 250, 5),
        ({"interval": (0, 1, 24)}, 240, 5),
        ({"interval": (1, -6, 1953)}, 1e6 / 1953, 5),
        ({"sensitivity": (0, -9, 2441)}, 500, 2.441),
        ({"sensitivity": (0, -3, 1)}, 500, 1000),
    ],
)
def test_interval_and_sensitivity_of_mfer_are_applied(tmp_path, options, rate, microvolts):
    recording = read(write(tmp_path, mfer(STEPS, **options), "a.mwf"))
    assert recording.sampling_rate == pytest.approx(rate)
    np.testing.assert_allclose(recording.stretch(0, 2000)[0], STEPS[0] * microvolts / 1000, rtol=1e-5, atol=1e-6)


def test_the_default_rate_of_mfer_is_not_a_statement(tmp_path):
    path = write(tmp_path, mfer(STEPS, interval=None), "a.mwf")
    with pytest.raises(UndeclaredError, match="does not state its sampling rate"):
        read(path)
    assert read(path, sampling_rate=500).sampling_rate == 500


def test_a_null_value_of_mfer_is_a_missing_sample(tmp_path):
    steps = STEPS.copy()
    steps[3, 700] = -32768
    found = read(write(tmp_path, mfer(steps, more=tlv(0x12, b"\0\x80")), "a.mwf")).stretch(0, 2000)
    assert np.argwhere(~np.isfinite(found)).tolist() == [[7, 700]]


MFER_REFUSED = {
    "dominant beats": (mfer(STEPS, kind=9), "does not hold a rhythm"),
    "a gap": (mfer(STEPS, frames=2, pointers=True), "a recording with gaps"),
    "other sensitivity later": (mfer(STEPS)[:-2] + tlv(0x0C, b"\0\xfa\x0a\0") + mfer(STEPS, preamble=False)[80:], "more than one recording|not valid"),
    "sequences that are not there": (mfer(STEPS, sequences=3), "left out"),
    "no sensitivity": (mfer(STEPS, sensitivity=None), "does not state its calibration"),
    "a pressure": (mfer(STEPS, sensitivity=(1, 0, 1)), "mmHg is not a voltage unit"),
    "a skew": (mfer(STEPS, more=tlv(0x43, (10**6).to_bytes(4, "little"))), "its leads were sampled up to"),
    "compressed": (mfer(STEPS, more=tlv(0x0E, b"\1\0")), "compressed content"),
    "AHA differences": (mfer(STEPS, more=tlv(0x0A, b"\x09")), "AHA"),
    "cut off": (mfer(STEPS)[:-100], "is not valid MFER"),
    "a lead twice": (mfer(STEPS, ("I", "I", *EIGHT[2:])), "two channels are the lead I"),
}  # fmt: skip


@pytest.mark.parametrize("what", MFER_REFUSED)
def test_mfer_that_would_be_read_wrongly_is_refused(tmp_path, what):
    content, match = MFER_REFUSED[what]
    refuse(write(tmp_path, content, "a.mwf"), match)


@pytest.mark.parametrize(("content", "suffix"), [(scp(STEPS), ".scp"), (mfer(STEPS), ".mwf")])
def test_they_are_known_by_their_content_in_folders_and_archives(tmp_path, content, suffix):
    write(tmp_path, content, "IM0001")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(f"export/second{suffix}", content)
    records = list(find_records(tmp_path))
    assert [record.name for record in records] == ["IM0001", "second"]
    for record in records:
        np.testing.assert_allclose(record.read().stretch(0, 2000)[0], STEPS[0] * 0.005, atol=1e-5)


def test_mfer_without_a_preamble_is_known_by_its_suffix(tmp_path):
    found = read(write(tmp_path, mfer(STEPS, preamble=False), "a.mwf")).stretch(0, 2000)
    np.testing.assert_allclose(found[0], STEPS[0] * 0.005, atol=1e-5)


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".scp", "SCP-ECG"), (".mwf", "MFER"), (".mfer", "MFER"), (".xml", "XML")]
)
@pytest.mark.parametrize(
    ("content", "what"), [(b"%PDF-1.7", "a PDF"), (b"hello", "text; a table"), (b"\0" * 64, "nothing but zero bytes")]
)
def test_other_content_of_the_suffix_is_named(tmp_path, suffix, kind, content, what):
    refuse(write(tmp_path, content, f"a{suffix}"), f"is not a valid {kind} file, but {what}")


def test_xml_without_an_element_is_not_called_something_else(tmp_path):
    refuse(write(tmp_path, b"<?xml version='1.0'?><", "a.xml"), "has no XML element in its first 22 bytes$")
