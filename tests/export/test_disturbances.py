"""Each disturbance does what its name says to a signal."""

import numpy as np
import pytest

from ecg_edge.package_data import example_recordings
from ecg_edge.recording import LEADS
from export import disturbances
from export.disturbances import DISTURBANCES

SECONDS = np.arange(5000) / 500


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def silence():
    return np.zeros((12, 5000), np.float32)


@pytest.fixture
def ecg():
    return np.load(example_recordings() / "normal.npy")


def sine(hz):
    return np.tile(np.sin(2 * np.pi * hz * SECONDS), (12, 1)).astype(np.float32)


def spectrum(signal):
    """Amplitude of each tenth of a hertz."""
    return np.abs(np.fft.rfft(signal)) / 2500


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_changes_twelve_leads_the_same_way_each_time_and_leaves_the_original(name, ecg):
    original = ecg.copy()
    disturbed = DISTURBANCES[name](ecg, np.random.default_rng(1))
    assert disturbed.dtype == np.float32
    assert len(disturbed) == 12
    assert not np.array_equal(disturbed, original)
    np.testing.assert_array_equal(ecg, original)
    np.testing.assert_array_equal(DISTURBANCES[name](ecg, np.random.default_rng(1)), disturbed)


def test_offsets_are_constant_and_other_for_each_lead(silence, random):
    offsets = disturbances.add_offsets(silence, random, largest_mv=5)
    assert np.ptp(offsets, axis=1).max() == 0
    assert len(set(offsets[:, 0])) == 12
    assert 2 < np.abs(offsets).max() <= 5


def test_wander_is_slow_and_reaches_its_peak(silence, random):
    wander = disturbances.add_wander(silence, random, peak_mv=0.5)
    np.testing.assert_allclose(np.abs(wander).max(axis=1), 0.5, rtol=1e-6)
    steepest = 2 * np.pi * 0.5 * 0.5 * 3
    assert np.abs(np.diff(wander)).max() * 500 < steepest


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_has_the_mains_frequency_and_harmonics(silence, random, mains_hz):
    hum = spectrum(disturbances.add_hum(silence, random, mains_hz=mains_hz, amplitude_mv=0.1))
    np.testing.assert_allclose(hum[:, 10 * mains_hz], 0.1, rtol=1e-4)
    assert (hum[:, 20 * mains_hz] > 0.01).all()
    assert (hum[:, 30 * mains_hz] > 0.01).all()
    hum[:, [harmonic * 10 * mains_hz for harmonic in (1, 2, 3)]] = 0
    assert hum.max() < 1e-6


def test_muscle_noise_has_its_strength_and_band(silence, random):
    noise = disturbances.add_muscle_noise(silence, random, rms_mv=0.05)
    np.testing.assert_allclose(np.sqrt((noise**2).mean(axis=1)), 0.05, rtol=1e-4)
    power = (spectrum(noise) ** 2).mean(axis=0)
    assert power[200:1500].sum() > 0.8 * power.sum()
    assert abs(np.corrcoef(noise)[0, 1]) < 0.1


@pytest.mark.parametrize(("kind", "kept_hz", "lost_hz"), [("lowpass", 2, 150), ("highpass", 150, 2)])
def test_a_device_filter_loses_one_side_and_half_the_power_at_its_cutoff(random, kind, kept_hz, lost_hz):
    def gain(hz):
        filtered = disturbances.filter_as_device(sine(hz), random, cutoff_hz=20, kind=kind)
        return np.abs(filtered[:, 2500:]).max()

    assert gain(kept_hz) == pytest.approx(1, abs=0.02)
    assert gain(20) == pytest.approx(2**-0.5, abs=0.02)
    assert gain(lost_hz) < 0.05


def test_a_device_filter_knows_nothing_of_the_future_and_has_settled_before(ecg, random):
    offset = ecg + np.float32(3)
    filtered = disturbances.filter_as_device(offset, random, cutoff_hz=0.5, kind="highpass")
    np.testing.assert_allclose(filtered[:, 0], 0, atol=1e-5)
    changed = offset.copy()
    changed[:, 2000:] = 0
    again = disturbances.filter_as_device(changed, random, cutoff_hz=0.5, kind="highpass")
    np.testing.assert_array_equal(again[:, :2000], filtered[:, :2000])


def test_gain_and_steps_change_the_values_alone(ecg, random):
    np.testing.assert_allclose(disturbances.scale(ecg, random, gain=0.7), 0.7 * ecg, rtol=1e-6)
    steps = disturbances.quantise(ecg, random, step_mv=0.01)
    assert np.abs(steps - ecg).max() <= 0.0051
    np.testing.assert_allclose(steps * 100, np.round(steps * 100), atol=1e-4)


def test_a_slow_device_loses_only_what_it_cannot_record(random):
    inner = slice(500, 4500)
    for rate in (100, 250, 1000):
        back = disturbances.resample_through(sine(10), random, rate_hz=rate)
        np.testing.assert_allclose(back[:, inner], sine(10)[:, inner], atol=0.01)
    assert np.abs(disturbances.resample_through(sine(80), random, rate_hz=100)[:, inner]).max() < 0.01


def test_one_lead_is_lost_and_the_others_stay(ecg, random):
    without = disturbances.lose_lead(ecg, random, lead="V3")
    row = LEADS.index("V3")
    assert not without[row].any()
    np.testing.assert_array_equal(np.delete(without, row, axis=0), np.delete(ecg, row, axis=0))


def test_eight_leads_give_the_other_four(random):
    signal = np.random.default_rng(2).normal(0, 1, (12, 1000)).astype(np.float32)
    completed = disturbances.derive_limb_leads(signal, random)
    np.testing.assert_array_equal(completed[[0, 1, *range(6, 12)]], signal[[0, 1, *range(6, 12)]])
    np.testing.assert_allclose(completed[2], signal[1] - signal[0], atol=1e-6)
    np.testing.assert_allclose(completed[3], -(signal[0] + signal[1]) / 2, atol=1e-6)


def test_a_start_and_a_shifted_recording_are_stretches_of_it(ecg):
    np.testing.assert_array_equal(DISTURBANCES["first 5 s"](ecg, None), ecg[:, :2500])
    starts = set()
    for seed in range(300):
        shifted = disturbances.shift(ecg, np.random.default_rng(seed))
        (start,) = (first for first in range(100) if np.array_equal(shifted, ecg[:, first : first + 4901]))
        starts.add(start)
    assert min(starts) == 1
    assert max(starts) == 99
