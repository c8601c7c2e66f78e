"""Made beats whose waves are known, measured; quiet, in noise, with wander and with pacing spikes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ecg_edge.recording import LEADS
from export.measurements.beats import RATE_HZ, clean, find_beats, make_median_beat, remove_spikes
from export.measurements.measure import NAMES, measure

EXAMPLES = Path(__file__).parents[2] / "examples"
SAMPLES = 5000


@dataclass(frozen=True)
class Lead:
    """Triangles: amplitudes in mV, durations in ms."""

    q_mv: float = 0.0
    q_ms: float = 0.0
    r_mv: float = 1.0
    r_ms: float = 50.0
    s_mv: float = 0.3
    s_ms: float = 30.0
    st_mv: float = 0.0
    t_mv: float = 0.3


PLAIN = Lead()
INFARCTION = Lead(q_mv=0.4, q_ms=40, r_mv=0.8, t_mv=-0.3, st_mv=0.1)
QS = Lead(q_mv=1.0, q_ms=90, r_mv=0, r_ms=0, s_mv=0, s_ms=0, t_mv=-0.2)


def make_beat(lead, start_ms=40.0):
    """One second of a lead whose QRS starts at 300 ms; `start_ms` is of the R wave, so that leads agree on it."""
    knots = [(0, 0), (150, 0), (185, 0.08), (220, 0)]  # P
    at = 300.0 + (0 if lead.q_ms else start_ms)
    for height, length in ((-lead.q_mv, lead.q_ms), (lead.r_mv, lead.r_ms), (-lead.s_mv, lead.s_ms)):
        if length:
            knots += [(at, 0), (at + length / 2, height), (at + length, 0)]
            at += length
    knots += [(at + 4, lead.st_mv), (at + 110, lead.st_mv), (at + 190, lead.st_mv + lead.t_mv), (at + 270, 0)]
    when, height = np.array(knots).T
    return np.interp(np.arange(0, 1000, 2), when, height)


def make_ecg(noise_mv=0.0, wander_mv=0.0, every_ms=800, **leads):
    """Ten seconds, shape (12, 5000). I, II and V1 to V6 are plain unless named; the others follow from I and II."""
    signal = np.zeros((12, SAMPLES))
    for i, name in enumerate(LEADS):
        beat = make_beat(leads.get(name, PLAIN))[: every_ms // 2]
        signal[i] = np.resize(beat, SAMPLES)
    one, two = signal[:2]
    signal[2:6] = two - one, -(one + two) / 2, one - two / 2, two - one / 2
    time = np.arange(SAMPLES) / RATE_HZ
    signal += wander_mv * np.sin(2 * np.pi * 0.3 * time)
    return signal + np.random.default_rng(0).normal(0, noise_mv, signal.shape)


def measure_named(signal):
    return dict(zip(NAMES, measure(signal), strict=True))


@pytest.mark.parametrize(
    ("noise_mv", "wander_mv", "near_mv", "near_ms"), [(0, 0, 0.1, 8), (0, 0.5, 0.1, 8), (0.03, 0.3, 0.1, 12)]
)
def test_waves_are_measured_as_they_were_made(noise_mv, wander_mv, near_mv, near_ms):
    found = measure_named(make_ecg(noise_mv, wander_mv, II=INFARCTION, V3=INFARCTION))
    expected = {"q_mv": 0.4, "r_mv": 0.8, "s_mv": 0.3, "st_j_mv": 0.1, "st_60_mv": 0.1, "t_mv": -0.2}
    for lead in ("II", "V3"):
        for name, value in expected.items():
            assert found[f"{lead}_{name}"] == pytest.approx(value, abs=near_mv), name
        assert found[f"{lead}_q_ms"] == pytest.approx(40, abs=near_ms)
        assert found[f"{lead}_r_ms"] == pytest.approx(50, abs=near_ms)
        assert found[f"{lead}_q_to_r"] == pytest.approx(1 / 3, abs=0.06)
    assert (found["II_t_sign"], found["I_t_sign"]) == (-1, 1)
    assert (found["I_q_ms"], found["I_q_mv"], found["I_q_to_r"]) == (0, 0, 0)
    assert found["I_r_mv"] == pytest.approx(1, abs=near_mv + 0.02)
    assert found["qrs_ms"] == pytest.approx(120, abs=14)
    assert found["rate_bpm"] == pytest.approx(75, abs=0.5)
    assert found["n_q_inferior"] == 3
    assert found["n_q_v1_v6"] == 1


@pytest.mark.parametrize("q_ms", [20, 30, 40, 60])
@pytest.mark.parametrize("noise_mv", [0, 0.04])
def test_the_duration_of_a_q_wave_follows_the_wave(q_ms, noise_mv):
    q = Lead(q_mv=0.4, q_ms=q_ms)
    found = measure_named(make_ecg(noise_mv, II=q, V5=q))
    assert found["V5_q_ms"] == pytest.approx(q_ms, abs=10)
    assert found["V5_q_mv"] == pytest.approx(0.4, abs=0.11)


@pytest.mark.parametrize("noise_mv", [0, 0.04])
def test_a_qs_wave_is_no_r_and_no_s(noise_mv):
    found = measure_named(make_ecg(noise_mv, V1=QS, V2=QS, V3=QS))
    for lead in ("V1", "V2", "V3"):
        assert (found[f"{lead}_is_qs"], found[f"{lead}_r_mv"], found[f"{lead}_s_mv"]) == (1, 0, 0)
        assert found[f"{lead}_q_mv"] == pytest.approx(1, abs=0.08)
        assert found[f"{lead}_q_ms"] == pytest.approx(86, abs=12)
        assert found[f"{lead}_q_to_r"] == 1
    assert (found["n_qs_v1_v4"], found["V4_is_qs"]) == (3, 0)
    assert found["transition"] == 4
    assert found["points_anterior"] >= 3
    assert found["points_inferior"] == 0


def test_st_elevation_after_a_qs_wave_is_no_r_wave():
    raised = Lead(q_mv=1.0, q_ms=90, r_mv=0, r_ms=0, s_mv=0, s_ms=0, st_mv=0.25, t_mv=0.4)
    found = measure_named(make_ecg(V2=raised, V3=raised))
    assert found["V2_is_qs"] == 1
    assert found["V2_st_60_mv"] == pytest.approx(0.25, abs=0.05)


def test_the_progression_of_the_r_waves_follows_the_chest_leads():
    heights = dict(zip(LEADS[6:], (0.1, 0.3, 0.6, 1.0, 1.2, 1.1), strict=True))
    rising = measure_named(make_ecg(**{lead: Lead(r_mv=r, s_mv=0.5) for lead, r in heights.items()}))
    turned = measure_named(
        make_ecg(
            **{lead: Lead(r_mv=r, s_mv=0.5) for lead, r in zip(heights, (0.6, 0.4, 0.1, 0.1, 0.2, 0.9), strict=True)}
        )
    )
    assert rising["r_slope_v1_v4"] == pytest.approx(0.3, abs=0.05)
    assert rising["transition"] == 3
    assert rising["r_greatest_fall"] == pytest.approx(0, abs=0.02)
    assert turned["r_slope_v1_v4"] < 0
    assert turned["r_greatest_fall"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("degrees", [-60, -20, 0, 45, 100, 160])
def test_the_axis_is_that_of_the_limb_leads(degrees):
    height = {lead: np.cos(np.radians(degrees - angle)) for lead, angle in (("I", 0), ("II", 60))}
    found = measure_named(make_ecg(**{lead: Lead(r_mv=r, s_mv=0, s_ms=0) for lead, r in height.items()}))
    axis = np.degrees(np.arctan2(found["axis_sin"], found["axis_cos"]))
    assert axis == pytest.approx(degrees, abs=8)


def test_pacing_spikes_change_little():
    leads = {"II": INFARCTION, "V3": INFARCTION}
    plain = make_ecg(**leads)
    paced = plain.copy()
    for start in range(int(0.288 * RATE_HZ), SAMPLES, 400):
        paced[:, start : start + 2] += 2.0
    before, after = measure_named(plain), measure_named(paced)
    for lead in ("II", "V3", "I"):
        for name in ("q_mv", "r_mv", "st_60_mv", "t_mv"):
            assert after[f"{lead}_{name}"] == pytest.approx(before[f"{lead}_{name}"], abs=0.05), (lead, name)
    assert after["rate_bpm"] == pytest.approx(before["rate_bpm"], abs=0.5)
    assert after["qrs_ms"] == pytest.approx(before["qrs_ms"], abs=16)


def test_what_is_no_spike_is_left_as_it_is():
    plain = make_ecg(V2=Lead(r_mv=2.5, r_ms=40))
    np.testing.assert_allclose(remove_spikes(plain), plain)


@pytest.mark.parametrize("every_ms", [400, 600, 1000])
def test_all_beats_are_found_in_strong_noise(every_ms):
    signal = make_ecg(0.1, 0.5, every_ms, II=INFARCTION)
    assert len(find_beats(clean(signal))) == pytest.approx(10_000 / every_ms, abs=1)


def test_a_beat_of_another_shape_is_not_in_the_median():
    signal = make_ecg()
    usual = make_median_beat(signal)
    signal[:, 1600:2000] = make_beat(QS)[:400]
    found = make_median_beat(signal)
    assert found.n_beats == usual.n_beats - 1
    np.testing.assert_allclose(found.millivolts, usual.millivolts, atol=0.03)


def test_a_flat_lead_and_a_recording_without_beats_have_no_measurements():
    signal = make_ecg(II=INFARCTION)
    signal[LEADS.index("V4")] = 0
    found = measure_named(signal)
    assert all(np.isnan(found[name]) for name in NAMES if name.startswith("V4_"))
    assert not any(np.isnan(value) for name, value in found.items() if not name.startswith("V4_"))
    assert np.isnan(measure(np.zeros((12, SAMPLES)))).all()


def test_the_examples_show_their_q_waves_in_the_inferior_leads_alone():
    normal, ill = (measure_named(np.load(EXAMPLES / f"{name}.npy")) for name in ("normal", "inferior_infarction"))
    assert (normal["n_q_inferior"], ill["n_q_inferior"]) == (0, 3)
    assert ill["points_inferior"] >= 3 > normal["points"]
    assert ill["III_t_sign"] == -1
    assert ill["n_q_v1_v6"] == normal["n_q_v1_v6"] == 0
    assert ill["rate_bpm"] == pytest.approx(69, abs=3)
