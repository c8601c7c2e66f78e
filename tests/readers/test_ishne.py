"""ISHNE Holter files, written by hand by the standard."""

import numpy as np
import pytest
from written_binary import ishne

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError
from ecg_edge.recording.leads import LEADS

STEPS = np.random.default_rng(0).integers(-400, 400, (12, 3000))


def write(tmp_path, content, name="a.ecg"):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.ecg", "a"])
@pytest.mark.parametrize("comments", [b"", b"Holter of a day"])
def test_all_leads_are_read_in_millivolts(tmp_path, comments, name):
    recording = read_recording(write(tmp_path, ishne(STEPS, comments=comments), name))
    assert (recording.sampling_rate, recording.samples, recording.name) == (500, 3000, "a")
    np.testing.assert_allclose(recording.stretch(0, 3000), STEPS * 0.005, atol=1e-5)
    np.testing.assert_array_equal(recording.stretch(1000, 1250), recording.stretch(0, 3000)[:, 1000:1250])


def test_a_second_reading_by_the_library_is_equal(tmp_path):
    pytest.importorskip("ecgdatakit", "2.0")
    from ecgdatakit import FileParser

    path = write(tmp_path, ishne(STEPS, nanovolts=2441, rate=200, comments=b"x"))
    record, recording = FileParser().parse(path, units="mV"), read_recording(path)
    assert recording.sampling_rate == record.leads[0].sampling_rate
    found = recording.stretch(0, 3000)
    for lead in record.leads:
        np.testing.assert_allclose(found[LEADS.index(lead.label)], lead.samples, atol=1e-5)


def test_leads_come_in_any_order_and_eight_are_enough(tmp_path):
    names = ("V6", "V5", "V4", "V3", "V2", "V1", "X", "II", "I")
    found = read_recording(write(tmp_path, ishne(STEPS[:9], names))).stretch(0, 3000)
    np.testing.assert_allclose(found[6:], STEPS[5::-1] * 0.005, atol=1e-5)
    np.testing.assert_allclose(found[2], (STEPS[7] - STEPS[8]) * 0.005, atol=1e-5)


def test_the_lowest_number_is_a_missing_sample(tmp_path):
    steps = STEPS.copy()
    steps[4, 700] = -32768
    found = read_recording(write(tmp_path, ishne(steps))).stretch(0, 3000)
    assert np.argwhere(~np.isfinite(found)).tolist() == [[4, 700]]


def test_a_resolution_that_is_not_stated_needs_a_gain(tmp_path):
    path = write(tmp_path, ishne(STEPS, nanovolts=0))
    with pytest.raises(EcgEdgeError, match="does not state its calibration: the gain of I is 0 or missing"):
        read_recording(path)
    for units in (None, "uV"):
        found = read_recording(path, gain=200, units=units).stretch(0, 3000)
        np.testing.assert_allclose(found, STEPS / 200, atol=1e-5)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (ishne(STEPS, place=600), "begin at byte 600, but also at 522"),
        (ishne(STEPS)[:522], "is cut off: it has no samples"),
        (ishne(STEPS)[:300], "its header is missing or cut off"),
        (ishne(STEPS, rate=0), "does not state its sampling rate"),
        (ishne(STEPS[:3], ("X", "Y", "Z")), "are missing"),
        (ishne(STEPS[:8], ("I", "II", "I", "V1", "V2", "V3", "V4", "V5")), "two channels are the lead I"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_error(tmp_path, content, match):
    with pytest.raises(EcgEdgeError, match=match):
        read_recording(write(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "code"),
    [(ishne(STEPS, checksum=1), "wrong_checksum"), (ishne(STEPS, promised=9000), "fewer_samples")],
)
def test_damage_that_leaves_the_samples_is_a_warning_of_the_finding(tmp_path, tiny, content, code):
    recording = read_recording(write(tmp_path, content))
    assert recording.samples == 3000
    assert [note.code for note in recording.notes] == [code]
    assert code in {note.code for note in tiny.detect(recording).warnings}


def test_the_warning_of_missing_samples_has_both_numbers(tmp_path):
    (note,) = read_recording(write(tmp_path, ishne(STEPS, promised=9000))).notes
    assert note.message.startswith("the file states 9000 samples of a lead, but has 3000")


@pytest.mark.parametrize("promised", [3000, 36_000, 0])
def test_the_number_of_samples_may_be_that_of_all_leads(tmp_path, promised):
    recording = read_recording(write(tmp_path, ishne(STEPS, promised=promised)))
    assert (recording.samples, recording.notes) == (3000, ())
