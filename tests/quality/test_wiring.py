"""Electrodes that are off or exchanged, copied leads, wrong gains, and signals that are not an ECG."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_edge import Recording, read_recording
from ecg_edge.package_data import example_recordings
from ecg_edge.quality.monitor import QualityMonitor, StackMonitor
from ecg_edge.recording.leads import LEADS

CLEAN = read_recording(example_recordings() / "inferior_infarction.npy").stretch(0, 5000)
SECONDS = np.arange(5000) / 500


def noise(n_leads, rms_mv, samples=5000):
    return np.random.default_rng(0).normal(0, rms_mv, (n_leads, samples)).astype(np.float32)


def without(*leads, start=0, stop=5000, signal=CLEAN):
    """Return a signal in which the electrodes of chest leads are off: 10 microvolts of noise are left."""
    rows = [LEADS.index(lead) for lead in leads]
    spoilt = signal.copy()
    spoilt[rows, start:stop] = noise(len(rows), 0.01, stop - start)
    return spoilt


def with_copies(lead, *copies):
    spoilt = CLEAN.copy()
    spoilt[[LEADS.index(copy) for copy in copies]] = CLEAN[LEADS.index(lead)]
    return spoilt


def from_limbs(first, second, chest):
    """Return twelve leads whose limb leads agree with each other."""
    return np.stack(
        [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2, *chest]
    )


def slow_noise():
    """Return noise of 0.5 to 8 Hz, as of an EEG."""
    spectrum = np.fft.rfft(noise(8, 1))
    hz = np.fft.rfftfreq(5000, 1 / 500)
    first, second, *chest = np.fft.irfft(spectrum * ((hz > 0.5) & (hz < 8)), 5000) * 2
    return from_limbs(first, second, chest)


def sines():
    first, second, *chest = (np.sin(2 * np.pi * SECONDS + phase) for phase in range(8))
    return from_limbs(first, second, chest)


def answer_twice(detector, signal):
    """Return the finding of a recording. A stream must have the same."""
    stream = detector.stream(name="recording")
    for start in range(0, signal.shape[1], 777):
        stream.push(signal[:, start : start + 777])
    found, live = detector.detect(Recording(signal)), stream.finding()
    assert (live.status, live.reasons, live.warnings) == (found.status, found.reasons, found.warnings)
    return found


@pytest.mark.parametrize(
    ("signal", "code", "message"),
    [
        (
            without("V3", "V4"),
            "faint_chest_leads",
            "V3, V4 have almost no signal: chest electrodes are off, or the gain is wrong",
        ),
        (noise(12, 0.05), "no_qrs", "the signal has no QRS complexes from 0.0 to 10.0 s: it may not be an ECG"),
        (slow_noise(), "no_qrs", "the signal has no QRS complexes from 0.0 to 10.0 s: it may not be an ECG"),
        (sines(), "no_qrs", "the signal has no QRS complexes from 0.0 to 10.0 s: it may not be an ECG"),
        (
            with_copies("V2", "V1"),
            "equal_leads",
            "V1, V2 are equal: the file or the names of its leads are wrong",
        ),
        (
            with_copies("V4", "V1", "V2", "V3", "V5", "V6"),
            "equal_leads",
            "V1, V2, V3, V4, V5, V6 are equal: the file or the names of its leads are wrong",
        ),
    ],
)
def test_what_no_answer_can_rest_on_is_refused(gated, signal, code, message):
    finding = answer_twice(gated, signal)
    assert finding.status == "cannot_analyse"
    assert message in [note.message for note in finding.reasons if note.code == code]


@pytest.mark.parametrize(
    ("signal", "codes"),
    [
        (without("V3"), {"faint_chest_lead"}),
        (CLEAN * 0.2, {"low_amplitude", "faint_chest_lead"}),
        (-CLEAN, {"inverted_leads"}),
    ],
)
def test_what_the_reader_must_know_is_a_warning(gated, signal, codes):
    finding = answer_twice(gated, signal.astype(np.float32))
    assert finding.probability is not None
    assert {note.code for note in finding.warnings} <= codes
    assert finding.warnings


def test_chest_electrodes_that_are_off_for_a_while_are_a_warning_with_the_place(gated):
    signal = without("V1", "V2", "V3", start=5000, stop=8500, signal=np.tile(CLEAN, 3))
    notes = answer_twice(gated, signal).warnings
    assert [(note.code, note.lead) for note in notes] == [("faint_chest_lead", lead) for lead in ("V1", "V2", "V3")]
    assert notes[0].message == "V1 has almost no signal from 10.0 to 17.0 s: its electrode may be off"


def test_a_flat_and_a_faint_chest_lead_are_refused_with_both_names(gated):
    signal = without("V2")
    signal[LEADS.index("V5")] = 0
    (reason,) = gated.detect(Recording(signal)).reasons
    assert (reason.code, reason.message.split(" have")[0]) == ("faint_chest_leads", "V5, V2")


def test_dead_leads_are_not_reported_as_equal_or_faint(gated):
    signal = CLEAN.copy()
    signal[8:10] = 0
    assert [note.code for note in gated.detect(Recording(signal)).reasons] == ["dead_leads"]


def test_a_while_without_beats_is_a_warning_with_the_place(gated):
    signal = np.tile(CLEAN, 3)
    signal[:, 5000:8000] = slow_noise()[:, :3000]
    (note,) = answer_twice(gated, signal).warnings
    assert (note.code, note.start_s, note.stop_s) == ("no_qrs", 10, 15)


def test_leads_that_differ_for_an_instant_are_not_equal():
    signal = np.tile(with_copies("V2", "V1"), 2)
    signal[LEADS.index("V1"), 7777] += np.float32(0.002)
    monitor = QualityMonitor()
    monitor.push(signal)
    assert monitor.report().reasons == ()


def test_leads_that_are_equal_apart_from_a_gap_are_equal():
    signal = with_copies("V2", "V1")
    signal[LEADS.index("V1"), 2600:2700] = np.nan
    monitor = QualityMonitor()
    monitor.push(signal)
    assert [note.code for note in monitor.report().reasons] == ["equal_leads"]


def test_leads_that_were_never_compared_are_not_equal():
    signal = CLEAN.copy()
    signal[0, 499::500] = np.nan
    monitor = QualityMonitor()
    monitor.push(signal)
    assert monitor.report().reasons == ()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("millivolts", [0, 0.1, 1e-20, 15, 1e30, -1e38])
def test_a_constant_signal_is_refused_without_a_numerical_warning(gated, millivolts):
    assert answer_twice(gated, np.full((12, 5000), millivolts, np.float32)).status == "cannot_analyse"


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_recordings_that_are_measured_together_get_the_reports_that_they_get_alone(data):
    kinds = [
        CLEAN,
        without("V3", "V4"),
        slow_noise(),
        with_copies("V2", "V1"),
        CLEAN * 1000,
        CLEAN[[1, 0, *range(2, 12)]],
    ]
    samples = data.draw(st.integers(1, 5000))
    signals = [
        data.draw(st.sampled_from(kinds))[:, :samples].astype(np.float32) for _ in range(data.draw(st.integers(1, 5)))
    ]
    for signal in signals:
        start, value = data.draw(st.integers(0, 4999)), data.draw(st.sampled_from([None, 0, 30, np.nan, 1e6]))
        if value is not None:
            signal[6:8, start : start + 700] = value
    cuts = sorted(data.draw(st.lists(st.integers(0, samples), max_size=5)))
    together, alone = StackMonitor(len(signals)), [QualityMonitor() for _ in signals]
    for pieces in np.split(np.stack(signals), cuts, axis=2):
        blocks = together.push(pieces)
        assert blocks.tolist() == [one.push(piece).tolist() for one, piece in zip(alone, pieces, strict=True)]
    assert [together.report(i) for i in range(len(signals))] == [one.report() for one in alone]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_report_is_the_same_whatever_the_stretches(data):
    kinds = [without("V3", "V4"), without("V1"), slow_noise(), with_copies("V2", "V1"), CLEAN * 0.2, -CLEAN]
    first, second = data.draw(st.sampled_from(kinds)), data.draw(st.sampled_from([*kinds, CLEAN]))
    signal = np.concatenate([first, second], axis=1)[:, : data.draw(st.integers(1, 10_000))].astype(np.float32)
    cuts = sorted(data.draw(st.lists(st.integers(0, signal.shape[1]), max_size=30)))
    whole, pieces = QualityMonitor(), QualityMonitor()
    whole.push(signal)
    for piece in np.split(signal, cuts, axis=1):
        pieces.push(piece)
    assert pieces.report() == whole.report()
