"""Offsets of electrodes and amplifiers change no flag, and hide no defect."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_command import ecg_edge

from ecg_edge import Recording, read_recording
from ecg_edge.package_data import example_recordings
from ecg_edge.quality.monitor import QualityMonitor, StackMonitor
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.resampling import resample

NORMAL, CLEAN = (
    read_recording(example_recordings() / f"{name}.npy").stretch(0, 5000).astype(np.float64)
    for name in ("normal", "inferior_infarction")
)
SECONDS = np.arange(5000) / 500
MOST_MV = 300
RANDOM = np.random.default_rng(0)


def changed(lead, values, where=slice(None)):
    signal = CLEAN.copy()
    signal[LEADS.index(lead), where] = values
    return signal


def at_rail(lead, share, sign=1):
    """Return a signal in which a share of a lead's samples is cut off."""
    samples = sign * CLEAN[LEADS.index(lead)]
    return changed(lead, sign * np.minimum(samples, np.quantile(samples, 1 - share)))


def make_limbs(i, ii):
    return np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2])


def make_random_offsets(most_mv):
    return RANDOM.uniform(-most_mv, most_mv, (12, 1))


def make_electrode_offsets(most_mv):
    """Return offsets of the measured leads, and what follows from them in those that are derived from I and II."""
    i, ii, *chest = RANDOM.uniform(-most_mv, most_mv, 8)
    return np.array([*make_limbs(i, ii), *chest])[:, None]


OFFSETS = {
    **{f"all leads {mv:+}": np.full((12, 1), mv) for mv in (5, -5, MOST_MV, -MOST_MV)},
    **{
        f"{lead} {mv:+}": mv * np.eye(12)[LEADS.index(lead), :, None] for lead in ("I", "aVF", "V3") for mv in (5, -300)
    },
    **{f"leads by themselves {mv}": make_random_offsets(mv) for mv in (5, MOST_MV)},
    **{f"electrodes {mv}": make_electrode_offsets(mv) for mv in (5, MOST_MV)},
}
NOISE = RANDOM.normal(0, 0.05, (12, 5000))
DEFECTS = {
    "flat_lead": changed("V3", 0.2, abs(SECONDS - 5) < 1),
    "dead_leads": changed("V3", 0) * (np.arange(12) != 4)[:, None],
    "clipped_lead": changed("V3", CLEAN[8].clip(-0.3, 0.3)),
    "clipped_leads": CLEAN.clip(-0.4, 0.4),
    "equal_leads": changed("V1", CLEAN[7]),
    "baseline_wander": CLEAN + 2 * np.sin(0.6 * np.pi * SECONDS),
    "inverted_leads": -CLEAN,
    "swapped_arms": np.concatenate([-CLEAN[:1], CLEAN[[2, 1, 4, 3, 5]], CLEAN[6:]]),
    "limb_leads": CLEAN[[1, 0, *range(2, 12)]],
    "faint_chest_lead": changed("V3", NOISE[8] / 5),
    "faint_chest_leads": np.concatenate([CLEAN[:6], NOISE[6:] / 5]),
    "low_amplitude": CLEAN / 5,
    "no_qrs": NOISE,
    "mains_hum": CLEAN + 0.03 * np.sin(100 * np.pi * SECONDS),
    "muscle_noise": np.concatenate([make_limbs(*(CLEAN + 2 * NOISE)[:2]), (CLEAN + 2 * NOISE)[6:]]),
    "pacing_spikes": CLEAN + 2 * (np.arange(5000) % 500 == 100) * (np.arange(12) >= 6)[:, None],
    "over_range": changed("V3", 30, abs(SECONDS - 5) < 0.01),
    "too_large": CLEAN * 200,
    "too_small": CLEAN / 1000,
    "beyond_volts": changed("V2", 5000, 4321),
    "not_finite": changed("V2", np.nan, slice(1200)),
}
RAILED = {f"{lead} {share:.0%} {sign:+}": at_rail(lead, share, sign) for lead, share, sign in (
    ("I", 0.5, 1), ("II", 0.9, 1), ("aVR", 0.5, -1), ("V1", 0.9, -1), ("V4", 0.5, 1), ("V6", 0.3, 1),
)}  # fmt: skip


def report_of(signal, chunk=5000):
    monitor = QualityMonitor()
    for start in range(0, signal.shape[1], chunk):
        monitor.push(np.ascontiguousarray(signal[:, start : start + chunk], np.float32))
    return monitor.report()


def codes(report):
    return {note.code for note in (*report.reasons, *report.warnings)}


@pytest.mark.parametrize("offset", OFFSETS.values(), ids=OFFSETS)
@pytest.mark.parametrize("signal", [NORMAL, CLEAN])
def test_an_offset_is_not_flagged(signal, offset):
    report = report_of(signal + offset)
    assert (report.reasons, report.warnings, report.unusable_s) == ((), (), 0)


@pytest.mark.parametrize("offset", OFFSETS.values(), ids=OFFSETS)
@pytest.mark.parametrize("code", DEFECTS)
def test_a_defect_is_found_whatever_the_offset(code, offset):
    expected = report_of(DEFECTS[code])
    assert code in codes(expected)
    found = report_of(DEFECTS[code] + offset, chunk=777)
    assert codes(found) == codes(expected)
    assert found.unusable_s == expected.unusable_s
    assert [(note.code, note.lead, note.start_s, note.stop_s) for note in (*found.reasons, *found.warnings)] == [
        (note.code, note.lead, note.start_s, note.stop_s) for note in (*expected.reasons, *expected.warnings)
    ]


@pytest.mark.parametrize("offset", [0, MOST_MV, -MOST_MV])
@pytest.mark.parametrize("name", RAILED)
def test_a_lead_at_its_rail_is_clipped(name, offset):
    report = report_of(RAILED[name] + offset)
    assert ("clipped_lead", name.split()[0]) in {(note.code, note.lead) for note in report.warnings}


@pytest.mark.parametrize("offset", [350, -350, 900])
def test_a_baseline_beyond_what_an_amplifier_carries_is_out_of_range(offset):
    one = report_of(changed("V3", CLEAN[8] + offset))
    assert [(note.code, note.lead, note.stop_s) for note in one.warnings] == [("over_range", "V3", 10)]
    (reason,) = report_of(CLEAN + offset).reasons
    assert reason.code == "leads_over_range"
    assert "farther from 0 than offsets of 300 mV explain: check the units and the gain" in reason.message


def test_leads_of_which_one_drifts_are_not_equal_and_the_drift_is_told():
    drifting = CLEAN[7] + 290 + 1.5 * SECONDS
    report = report_of(changed("V1", drifting) + np.where(np.arange(12) == 6, 0, MOST_MV)[:, None])
    assert {(note.code, note.lead) for note in (*report.reasons, *report.warnings)} == {("baseline_wander", "V1")}


def test_an_electrode_that_settles_at_an_offset_is_told_once():
    settled = np.where(SECONDS < 4, 0, make_electrode_offsets(MOST_MV))
    report = report_of(CLEAN + settled)
    assert report.reasons == ()
    assert {(note.code, note.stop_s) for note in report.warnings} == {("baseline_wander", 5)}


def list_notes(finding):
    return [(note.code, note.lead, note.message) for note in (*finding.reasons, *finding.warnings)]


@pytest.mark.parametrize("code", ["flat_lead", "clipped_leads", "limb_leads", "equal_leads", "too_large"])
def test_each_door_gives_the_notes_that_it_gives_without_an_offset(gated, tiny_folder, tmp_path, code):
    signal = (DEFECTS[code] + OFFSETS["electrodes 300"]).astype(np.float32)
    expected = list_notes(gated.detect(Recording(DEFECTS[code])))
    assert code in {code for code, _, _ in expected}
    assert list_notes(gated.detect(Recording(signal))) == expected
    stream = gated.stream()
    for start in range(0, 5000, 333):
        stream.push(signal[:, start : start + 333])
    assert list_notes(stream.finding()) == expected
    np.save(tmp_path / "r.npy", signal)
    answer = json.loads(ecg_edge(tmp_path / "r.npy", "--models", tiny_folder, "--format", "jsonl").stdout)
    notes = [*answer["reasons"], *answer["warnings"]]
    assert [(note["code"], note.get("lead"), note["message"]) for note in notes] == expected


def at_rate(rate, signal):
    """Return the report of a signal that was recorded at a rate, and resampled unless that is 500 Hz."""
    samples = np.arange(10 * rate) * 500 / rate
    recorded = np.stack([np.interp(samples, np.arange(5000), lead) for lead in signal])
    return report_of(resample(Recording(recorded, rate), 500).stretch(0, 5000))


@pytest.mark.parametrize("rate", [250, 1000])
def test_an_offset_is_not_flagged_after_resampling(rate):
    assert codes(at_rate(rate, CLEAN + OFFSETS["electrodes 300"])) == set()


def test_empty_limb_leads_are_derived_whatever_the_offset(gated):
    stored = (CLEAN + OFFSETS["electrodes 300"]) * ~np.isin(LEADS, LEADS[2:6])[:, None]
    assert [note.code for note in gated.detect(Recording(stored)).warnings] == ["derived_leads"]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_report_depends_neither_on_the_stretches_nor_on_the_other_recordings(data):
    kinds = [CLEAN, NORMAL, *DEFECTS.values(), *RAILED.values()]
    samples = data.draw(st.integers(1, 5000))
    signals = np.stack([
        data.draw(st.sampled_from(kinds)) + data.draw(st.sampled_from([0, 400, *OFFSETS.values()]))
        for _ in range(data.draw(st.integers(1, 4)))
    ]).astype(np.float32)[..., :samples]  # fmt: skip
    cuts = sorted(data.draw(st.lists(st.integers(0, samples), max_size=6)))
    together, alone = StackMonitor(len(signals)), [QualityMonitor() for _ in signals]
    unusable = np.concatenate([together.push(pieces) for pieces in np.split(signals, cuts, axis=2)], axis=1)
    assert unusable.tolist() == [monitor.push(signal).tolist() for monitor, signal in zip(alone, signals, strict=True)]
    assert [together.report(i) for i in range(len(signals))] == [monitor.report() for monitor in alone]


def test_real_records_get_the_reports_that_they_get_without_an_offset(records):
    signals = [read_recording(path).stretch(0, 5000) for path in sorted((records / "test").glob("*.npy"))]
    assert [report_of(signal + make_random_offsets(MOST_MV)) for signal in signals] == [*map(report_of, signals)]


@pytest.mark.parametrize(("rate", "least_found"), [(500, 1), (1000, 0.5)])
def test_real_leads_at_their_rail_are_clipped_or_flat(records, rate, least_found):
    n_found, paths = 0, sorted((records / "test").glob("*.npy"))[::4]
    for i, path in enumerate(paths):
        signal, lead, sign = read_recording(path).stretch(0, 5000), i % 12, (-1) ** i
        signal[lead] = MOST_MV + np.minimum(sign * signal[lead] - np.median(sign * signal[lead]), 0)
        found = {note.code for note in at_rate(rate, signal).warnings if note.lead == LEADS[lead]}
        n_found += bool(found & {"clipped_lead", "flat_lead"})
    assert n_found >= least_found * len(paths)
