"""Each rule on a recording made bad in just that way."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_edge import Detector, Recording, read_recording
from ecg_edge.package_data import example_recordings
from ecg_edge.quality.episodes import EpisodeTracker
from ecg_edge.quality.gate import find_unusable_windows
from ecg_edge.quality.limb_leads import compute_covariance, find_true_labels
from ecg_edge.quality.monitor import QualityMonitor
from ecg_edge.quality.rules import RULES
from ecg_edge.recording import LEADS

CLEAN = read_recording(example_recordings() / "inferior_infarction.npy").stretch(0, 5000)
SECONDS = np.arange(5000) / 500


def changed(**leads):
    """Return the clean signal with some leads replaced."""
    signal = CLEAN.copy()
    for lead, values in leads.items():
        signal[LEADS.index(lead)] = values
    return signal


def lead(name):
    return CLEAN[LEADS.index(name)]


def report_of(signal):
    monitor = QualityMonitor()
    monitor.push(np.ascontiguousarray(signal, np.float32))
    return monitor.report()


def codes(notes):
    return {note.code for note in notes}


def arms_swapped():
    return np.concatenate([-CLEAN[:1], CLEAN[[2, 1, 4, 3, 5]], CLEAN[6:]])


def paced():
    """A spike of 2 mV and 2 ms before each second's beat, in the leads of the chest."""
    signal = CLEAN.copy()
    signal[6:, 100::500] += 2
    return signal


def wandering():
    return CLEAN + 2 * np.sin(2 * np.pi * 0.3 * SECONDS)


def humming(hz):
    """The arms and the chest pick up 0.03 mV."""
    hum = 0.03 * np.sin(2 * np.pi * hz * SECONDS)
    return CLEAN + np.array([0, 1, 1, -0.5, -0.5, 1, *[1] * 6])[:, None] * hum


def muscle(mv=0.05):
    """Noise of the muscles under three electrodes."""
    noise = np.random.default_rng(0).normal(0, mv, (8, 5000))
    i, ii = CLEAN[:2] + noise[:2]
    return np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *(CLEAN[6:] + noise[2:])])


@pytest.mark.parametrize("name", ["normal", "inferior_infarction"])
def test_the_examples_are_not_flagged(name):
    signal = read_recording(example_recordings() / f"{name}.npy").stretch(0, 5000)
    assert report_of(signal).reasons == report_of(signal).warnings == ()


@pytest.mark.parametrize(
    ("signal", "code", "said"),
    [
        (changed(V2=np.where(SECONDS >= 4, np.nan, lead("V2"))), "windows_left_out", "samples of V2 are missing$"),
        (changed(V2=np.where(SECONDS == SECONDS[-1], 5000, lead("V2"))), "beyond_volts", "5000 mV"),
        (
            CLEAN * 1000,
            "too_large",
            "about 1000 times .* the unit .*--units uV.* the gain of converter counts .*--gain",
        ),
        (CLEAN * 200, "too_large", "about 200 times .* the unit .*--units uV.* the gain of converter counts .*--gain"),
        (
            CLEAN / 1000,
            "too_small",
            "about 0.001 times .* the unit .*--units V.* the gain of converter counts .*--gain",
        ),
        (changed(V1=lead("V1") + 400, V2=lead("V2") - 400), "leads_over_range", "V1, V2 are over range, .* check the"),
        (changed(V3=0, V4=0.7), "dead_leads", "V3, V4 are flat"),
        (CLEAN.clip(-0.3, 0.3), "clipped_leads", "are clipped"),
        (CLEAN[[1, 0, *range(2, 12)]], "limb_leads", "II should be I, I should be II"),
        (changed(aVR=-lead("aVR")), "limb_leads", "aVR should be -aVR"),
        (changed(II=lead("II") * 10), "limb_leads", "no other labels or signs"),
    ],
)
def test_what_makes_an_answer_meaningless_is_refused(gated, signal, code, said):
    finding = gated.detect(Recording(signal))
    assert (finding.status, finding.probability) == ("cannot_analyse", None)
    (note,) = (note for note in finding.reasons if note.code == code)
    assert re.search(said, note.message)


@pytest.mark.parametrize(
    ("signal", "code", "leads"),
    [
        (changed(V3=np.where(abs(SECONDS - 5) < 1, 0.2, lead("V3"))), "flat_lead", {"V3"}),
        (changed(V3=lead("V3").clip(-0.3, 0.3)), "clipped_lead", {"V3"}),
        (changed(V3=np.where(abs(SECONDS - 5) < 0.01, 25, lead("V3"))), "over_range", {"V3"}),
        (arms_swapped(), "swapped_arms", {None}),
        (humming(50), "mains_hum", set(LEADS[6:])),
        (humming(60), "mains_hum", set(LEADS[6:])),
        (changed(V6=wandering()[11]), "baseline_wander", {"V6"}),
        (muscle(), "muscle_noise", set(LEADS)),
        (paced(), "pacing_spikes", {None}),
    ],
)
def test_what_the_reader_must_know_is_a_warning(gated, signal, code, leads):
    finding = gated.detect(Recording(signal))
    assert finding.probability is not None
    notes = [note for note in finding.warnings if note.code == code]
    assert leads <= {note.lead for note in notes}
    assert codes(finding.warnings) <= {code, "limb_leads", "muscle_noise"}


def test_a_warning_says_where_it_holds():
    signal = changed(V3=np.where(abs(SECONDS - 5) < 1, 0.2, lead("V3")))
    (note,) = report_of(signal).warnings
    assert (note.lead, note.start_s, note.stop_s, note.message) == ("V3", 4.2, 6.0, "V3 is flat from 4.2 to 6.0 s")


def test_without_the_gate_reasons_become_warnings(tiny, gated):
    signal = CLEAN * 1000
    assert gated.detect(Recording(signal)).status == "cannot_analyse"
    finding = tiny.detect(Recording(signal))
    assert finding.probability is not None
    assert codes(finding.warnings) >= {"too_large"}
    assert finding.reasons == ()


def test_without_the_gate_windows_that_touch_nan_are_left_out_and_nothing_else(tiny):
    signal = CLEAN.copy()
    signal[3, 2000] = np.nan
    finding = tiny.detect(Recording(signal), windows=True)
    assert codes(finding.warnings) >= {"not_finite", "windows_left_out"}
    starts = [start * 500 for start in finding.timeline.start_s]
    assert starts == [*range(0, 1201, 100), *range(2100, 4201, 100)]
    clean = tiny.detect(Recording(CLEAN), windows=True).timeline.probability
    assert finding.timeline.probability == pytest.approx(clean[:13] + clean[21:])
    assert finding.probability == pytest.approx(np.mean(finding.timeline.probability))


def test_nothing_but_nan_cannot_be_answered_even_without_the_gate(tiny):
    finding = tiny.detect(Recording(np.full((12, 5000), np.nan)))
    assert finding.status == "cannot_analyse"
    assert codes(finding.reasons) == {"windows_left_out"}
    assert {note.lead for note in finding.warnings} == set(LEADS)


def test_windows_wholly_in_an_unusable_stretch_do_not_count(gated):
    dead = np.tile(CLEAN, 2).copy()
    dead[6:10, 1000:4000] = 0
    finding = gated.detect(Recording(dead), windows=True)
    (note,) = (note for note in finding.warnings if note.code == "windows_left_out")
    assert note.message == "23 of 93 windows do not count: the signal is unusable for 6.0 s"
    starts = {round(start * 500) for start in finding.timeline.start_s}
    assert set(range(0, 9201, 100)) - starts == set(range(1000, 3201, 100))


def test_a_stretch_that_only_the_shorter_windows_of_the_sites_fit_in_is_told(shipped):
    signal = changed(V3=np.where(SECONDS < 8.5, lead("V3"), 0), V6=np.where(SECONDS < 8.5, lead("V6"), 0))
    finding = shipped.detect(Recording(signal), windows=True)
    assert len(finding.timeline.start_s) == 43
    assert len(finding.sites[0].timeline.start_s) < 87
    (note,) = (note for note in finding.warnings if note.code == "windows_left_out")
    assert note.message.startswith(f"{87 - len(finding.sites[0].timeline.start_s)} of 87 windows for the sites")


def test_too_few_windows_are_no_answer(gated):
    signal = np.tile(CLEAN, 2).copy()
    signal[6:8, :3000] = 0
    signal[8:10, 6000:9500] += 400
    finding = gated.detect(Recording(signal))
    assert (finding.status, codes(finding.reasons)) == ("cannot_analyse", {"windows_left_out"})


def test_refusals_do_not_depend_on_what_was_not_asked(gated):
    assert gated.detect(Recording(CLEAN * 1000), all_sites=True, windows=True).sites == ()


def test_any_permutation_or_flip_of_limb_leads_is_named():
    names = ("I", "II", "III", "aVR", "aVL", "aVF")
    cabrera = np.stack([CLEAN[4], CLEAN[0], -CLEAN[3], CLEAN[1], CLEAN[5], CLEAN[2]])
    found = find_true_labels(compute_covariance(cabrera), 0.01)
    assert found == dict(zip(names, ("aVL", "I", "-aVR", "II", "aVF", "III"), strict=True))
    assert find_true_labels(compute_covariance(np.random.default_rng(0).normal(size=(6, 900))), 0.01) == {}


def test_leads_filtered_one_by_one_are_not_taken_for_wrong_ones():
    gains = np.array([1, 1.03, 0.98, 1.02, 0.97, 1.01, *[1] * 6])[:, None]
    assert codes(report_of(CLEAN * gains).reasons) == set()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_report_is_the_same_whatever_the_stretches(data):
    spoil = data.draw(st.sampled_from([CLEAN, paced(), wandering(), muscle(), CLEAN * 1000, CLEAN.clip(-0.3, 0.3)]))
    signal = np.tile(spoil, 2).astype(np.float32)
    if data.draw(st.booleans()):
        start = data.draw(st.integers(0, 9000))
        signal[6:8, start : start + data.draw(st.integers(1, 4000))] = data.draw(st.sampled_from([0, 30, np.nan]))
    signal = signal[:, : data.draw(st.integers(1, 10_000))]
    cuts = sorted(data.draw(st.lists(st.integers(0, signal.shape[1]), max_size=30)))
    whole, pieces = QualityMonitor(), QualityMonitor()
    unusable = whole.push(signal)
    in_pieces = [pieces.push(piece) for piece in np.split(signal, cuts, axis=1)]
    assert pieces.report() == whole.report()
    assert np.concatenate(in_pieces).tolist() == unusable.tolist()


@given(st.lists(st.booleans(), max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_episodes_are_counted_whatever_the_pieces(flags, cuts):
    tracker = EpisodeTracker(1, 1.0)
    for piece in np.split(np.array([flags], bool), sorted(cuts), axis=1):
        tracker.push(piece)
    runs = "".join("x" if flag else " " for flag in flags).split()
    assert tracker.find_raised(range(1)) == ([0] if runs else [])
    assert tracker.total_s(0) == sum(flags)
    if runs:
        held = tracker.episodes_of(0)
        assert (held.n_episodes, held.start_s, held.stop_s) == (
            len(runs),
            flags.index(True),
            flags.index(True) + len(runs[0]),
        )


@given(st.lists(st.booleans(), min_size=20, max_size=60), st.integers(0, 800), st.integers(100, 1000))
def test_a_window_is_unusable_if_all_whole_blocks_in_it_are(blocks, start, window):
    inside = [i for i in range(20) if start <= i * 100 and (i + 1) * 100 <= start + window]
    expected = bool(inside) and all(blocks[i] for i in inside)
    assert find_unusable_windows(np.array(blocks), np.array([start]), window).tolist() == [expected]


def test_hours_of_noise_make_no_more_notes_than_seconds():
    monitor = QualityMonitor()
    for _ in range(100):
        monitor.push(muscle().astype(np.float32))
    report = monitor.report()
    assert len(report.warnings) <= 13
    assert len(pickle.dumps(monitor)) < 100_000


def test_each_note_has_a_rule_and_each_rule_a_source():
    assert all(rule.source and rule.meaning for rule in RULES.values())


def test_the_real_records_are_not_refused(records):
    detector = Detector(threads=2)
    from ecg_edge.readers import find_records

    findings = list(detector.detect_many(find_records(records / "test")))
    assert {finding.status for finding in findings} == {"detected", "not_detected"}
    flagged = sum(bool(codes(finding.warnings) - {"unproven_site", "uncertain_site"}) for finding in findings)
    assert flagged < 0.2 * len(findings)
