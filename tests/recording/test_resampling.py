import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_edge import Recording, read_recording
from ecg_edge.errors import SamplingRateError
from ecg_edge.package_data import example_recordings
from ecg_edge.recording.resampling import Resampler, resample, resampled_length


@pytest.fixture(autouse=True)
def _needs_soxr(request):
    if "missing" not in request.node.name:
        pytest.importorskip("soxr")


RATES = [100, 128, 250, 257, 360, 400.5, 999.7, 1000, 2000, 10_000]


def tone(rate, hertz, seconds=10.0, offset=0.0):
    """A tone in all leads, and its times."""
    times = np.arange(round(rate * seconds)) / rate
    return np.tile(offset + np.sin(2 * np.pi * hertz * times), (12, 1)).astype(np.float32)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_shape_and_time(rate):
    found = resample(Recording(tone(rate, 10), rate), 500)
    assert (found.samples, found.sampling_rate, found.duration_s) == (5000, 500, 10)
    difference = found.stretch(0, 5000) - tone(500, 10)
    assert np.abs(difference[:, 250:-250]).max() < 1e-3


@pytest.mark.parametrize("rate", RATES)
def test_a_peak_keeps_its_time(rate):
    times = np.arange(round(rate * 10)) / rate
    peak = np.tile(np.exp(-(((times - 3.2) / 0.02) ** 2)), (12, 1))
    found = resample(Recording(peak, rate), 500).stretch(0, 5000)
    assert found.argmax(axis=1).tolist() == [1600] * 12
    assert found.max() == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("rate", [1000, 2000])
def test_frequencies_above_the_new_rate_are_filtered_not_aliased(rate):
    found = resample(Recording(tone(rate, 440), rate), 500).stretch(500, 4500)
    assert np.abs(found).max() < 1e-4


@pytest.mark.parametrize("rate", [250, 360, 1000])
def test_an_offset_of_an_electrode_makes_no_ripples_at_the_ends(rate):
    found = resample(Recording(np.full((12, rate * 10), 200.0), rate), 500).stretch(0, 5000)
    np.testing.assert_allclose(found, 200, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.integers(0, 5000), max_size=8), st.integers(1, 20_000))
def test_the_pieces_do_not_change_the_samples(rate, cuts, samples):
    signal = np.random.default_rng(0).normal(0, 1, (12, samples)).astype(np.float32)
    stream = Resampler(rate, 500)
    pieces = [stream.push(piece) for piece in np.split(signal, sorted(min(cut, samples) for cut in cuts), axis=1)]
    streamed = np.concatenate([*pieces, stream.flush()], axis=1)
    whole = resample(Recording(signal, rate), 500)
    assert streamed.shape == (12, resampled_length(samples, rate, 500)) == (12, whole.samples)
    np.testing.assert_array_equal(whole.stretch(0, whole.samples), streamed)


@pytest.fixture
def long():
    """Twelve minutes, more than is kept."""
    signal = np.random.default_rng(0).normal(0, 1, (12, 180_000)).astype(np.float32)
    recording = resample(Recording(signal, 250), 500)
    return recording, recording.stretch(0, recording.samples)


def test_any_stretch_in_any_order_is_the_same(long):
    recording, whole = long
    fresh = pickle.loads(pickle.dumps(recording))  # noqa: S301 - our own
    for start in (0, 5000, 4300, 300_000, 100, 359_000, 0):
        np.testing.assert_array_equal(fresh.stretch(start, start + 1000), whole[:, start : start + 1000])


def test_threads_that_read_one_recording_do_not_disturb_each_other(long):
    recording, whole = long

    def read(first):
        return all(
            np.array_equal(recording.stretch(at, at + 6400), whole[:, at : at + 6400])
            for at in range(first, 350_000, 20_000)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(0, 8000, 1000)))


@pytest.mark.parametrize("rate", [250, 360, 1000])
def test_an_answer_survives_a_detour_over_another_rate(shipped, rate):
    recording = read_recording(example_recordings() / "inferior_infarction.npy")
    there = resample(recording, rate)
    other = Recording(there.stretch(0, there.samples), rate, name="other")
    plain, found = shipped.detect(recording), shipped.detect(other, windows=True)
    assert (found.status, found.found_sites) == (plain.status, plain.found_sites)
    assert found.probability == pytest.approx(plain.probability, abs=0.02)
    assert (found.sampling_rate, found.duration_s) == (rate, 10)
    assert found.timeline.start_s[-1] == 8.4


def test_problems_are_reported_in_seconds_of_the_recording(gated):
    signal = np.zeros((12, 10_000))
    signal[3, 7500] = np.nan
    finding = gated.detect(Recording(signal, 1000))
    assert finding.status == "cannot_analyse"
    (note,) = (note for note in finding.warnings if note.code == "not_finite")
    assert (note.lead, note.start_s, note.stop_s) == ("aVR", 7.4, 7.6)
    short = gated.detect(Recording(np.zeros((12, 1500)), 1000))
    assert [note.code for note in short.reasons] == ["too_short"]
    assert short.duration_s == 1.5


def test_samples_that_are_not_finite_do_not_change_other_samples():
    time = np.arange(20_000) / 1000
    signal = np.tile(np.sin(time), (12, 1)).astype(np.float32)
    spoilt = signal.copy()
    spoilt[5, 9000:9010] = np.nan
    spoilt[5, 9500] = np.inf
    clean, found = (resample(Recording(samples, 1000), 500).stretch(0, 10_000) for samples in (signal, spoilt))
    bad = ~np.isfinite(found)
    assert bad[5, 4500:4505].all()
    assert bad[5, 4750]
    assert bad.sum() < 20
    assert np.array_equal(np.delete(found, 5, axis=0), np.delete(clean, 5, axis=0))


@pytest.mark.parametrize("rate", [99, 10_001])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(SamplingRateError):
        Resampler(rate, 500)


def test_a_missing_soxr_is_named_by_its_extra(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "soxr", None)
    (finding,) = tiny.detect_many([Recording(np.zeros((12, 5000)), 250)])
    assert finding.error.endswith('pip install "ecg_edge[resample]"')
