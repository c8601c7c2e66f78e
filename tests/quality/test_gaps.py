"""Missing samples cost the windows that they lie in, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_edge import Recording, read_recording
from ecg_edge.package_data import example_recordings
from ecg_edge.quality.monitor import QualityMonitor
from ecg_edge.recording.gaps import hold_last
from ecg_edge.recording.leads import LEADS

CLEAN = read_recording(example_recordings() / "inferior_infarction.npy").stretch(0, 5000)
V1 = LEADS.index("V1")


def with_gap(start_s, stop_s, leads=V1, signal=CLEAN, value=np.nan):
    spoilt = signal.copy()
    spoilt[leads, round(start_s * 500) : round(stop_s * 500)] = value
    return spoilt


def answer_twice(detector, signal):
    """Return the findings of a recording and of a stream, which must agree."""
    stream = detector.stream(name="recording")
    for start in range(0, signal.shape[1], 777):
        stream.push(signal[:, start : start + 777])
    found, live = detector.detect(Recording(signal)), stream.finding()
    assert (live.status, live.reasons, live.warnings) == (found.status, found.reasons, found.warnings)
    assert live.probability == (found.probability and pytest.approx(found.probability, abs=1e-6))
    return found


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_ten_milliseconds_are_a_warning_and_cost_their_windows(shipped, value):
    with np.errstate(over="ignore"):
        signal = with_gap(3.2, 3.21, value=np.float64(value).astype(np.float32))
    finding = answer_twice(shipped, signal)
    assert finding.status == "detected"
    missing, left_out = (note for note in finding.warnings if note.code != "unproven_site")
    assert (missing.code, missing.lead, missing.start_s, missing.stop_s) == ("not_finite", "V1", 3.2, 3.4)
    assert missing.message == "V1 has missing samples from 3.2 to 3.4 s"
    assert left_out.message == "8 of 43 windows do not count: samples of V1 are missing"


def test_one_missing_sample_in_an_hour_costs_its_windows(shipped):
    signal = np.tile(CLEAN, 360)
    signal[V1, 900_000] = np.nan
    finding = shipped.detect(Recording(signal))
    assert finding.status == "detected"
    assert finding.warnings[-2].message == "V1 has missing samples from 1800.0 to 1800.2 s"
    assert finding.warnings[-1].message == "8 of 17993 windows do not count: samples of V1 are missing"


def test_missing_samples_in_most_windows_are_refused(shipped):
    finding = answer_twice(shipped, with_gap(4, 10))
    assert (finding.status, finding.probability) == ("cannot_analyse", None)
    (reason,), (warning,) = finding.reasons, finding.warnings
    assert (reason.code, reason.message) == (
        "windows_left_out",
        "30 of 43 windows do not count: samples of V1 are missing",
    )
    assert warning.message == "V1 has missing samples from 4.0 to 10.0 s"


def test_the_reason_names_the_leads_without_samples(shipped):
    for rows, named in (([V1], "V1"), ([0, V1], "I, V1"), (range(12), "all leads")):
        signal = CLEAN.copy()
        signal[list(rows)] = np.nan
        (reason,) = answer_twice(shipped, signal).reasons
        assert reason.message == f"43 of 43 windows do not count: samples of {named} are missing"


def test_both_causes_of_a_window_that_does_not_count_are_told(shipped):
    signal = with_gap(0, 3, leads=[7, 8], signal=np.tile(CLEAN, 2), value=0)
    finding = answer_twice(shipped, with_gap(15, 15.01, signal=signal))
    (note,) = (note for note in finding.warnings if note.code == "windows_left_out")
    assert (
        note.message == "16 of 93 windows do not count: samples of V1 are missing and the signal is unusable for 3.0 s"
    )


def test_a_stream_recovers_from_a_gap(shipped):
    stream = shipped.stream(name="recording")
    stream.push(with_gap(0, 9))
    assert stream.finding().status == "cannot_analyse"
    stream.push(np.tile(CLEAN, 3))
    assert stream.finding().status == "detected"
    assert stream.finding(last_s=10).warnings == shipped.detect(Recording(CLEAN)).warnings


@pytest.mark.parametrize("lead", range(12))
@pytest.mark.parametrize("start_s", [0, 2.998, 3.5, 4.99, 9.5])
@pytest.mark.parametrize("length_s", [0.002, 0.1, 1.5])
def test_a_gap_raises_no_other_flag(lead, start_s, length_s):
    offset = CLEAN + np.float32(15) * (np.arange(12)[:, None] >= 6)
    monitor = QualityMonitor()
    monitor.push(with_gap(start_s, start_s + length_s, lead, offset))
    report = monitor.report()
    assert report.reasons == ()
    assert [(note.code, note.lead) for note in report.warnings] == [("not_finite", LEADS[lead])]


def test_all_leads_missing_for_a_while_raise_no_other_flag():
    monitor = QualityMonitor()
    monitor.push(with_gap(2.2, 6.7, slice(None)))
    report = monitor.report()
    assert {note.code for note in (*report.reasons, *report.warnings)} == {"not_finite"}
    assert report.unusable_s == 0


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_report_of_a_recording_with_gaps_is_the_same_whatever_the_stretches(data):
    signal = np.tile(CLEAN + np.float32(data.draw(st.sampled_from([0, 15]))), 2)
    for _ in range(data.draw(st.integers(1, 4))):
        start, length = data.draw(st.integers(0, 9999)), data.draw(st.integers(1, 3000))
        leads = data.draw(st.sampled_from([slice(0, 1), slice(3, 4), slice(6, 8), slice(11, 12), slice(None)]))
        signal[leads, start : start + length] = data.draw(st.sampled_from([np.nan, np.inf, 0, 5000]))
    signal = signal[:, : data.draw(st.integers(1, 10_000))]
    cuts = sorted(data.draw(st.lists(st.integers(0, signal.shape[1]), max_size=30)))
    whole, pieces = QualityMonitor(), QualityMonitor()
    unusable = whole.push(signal)
    in_pieces = []
    for piece in np.split(signal, cuts, axis=1):
        in_pieces.append(pieces.push(piece))
        pieces.report()
    assert pieces.report() == whole.report()
    assert np.concatenate(in_pieces).tolist() == unusable.tolist()


@given(st.lists(st.sampled_from([1.0, 2.0, np.nan, np.inf]), max_size=20), st.integers(0, 20))
def test_the_last_known_value_is_held_whatever_the_pieces(values, cut):
    expected, last = [], 7.0
    for value in values:
        last = value if np.isfinite(value) else last
        expected.append(last)
    samples = np.array([values], np.float32)
    first = hold_last(samples[:, :cut], np.float32([[7]]))
    second = hold_last(samples[:, cut:], np.concatenate([np.float32([[7]]), first], axis=1)[:, -1:])
    assert [*first[0], *second[0]] == expected
