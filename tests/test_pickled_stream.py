"""A monitor that restarts: a stream that was pickled goes on as if nothing had happened."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from ecg_edge import Recording, read_recording
from ecg_edge.errors import ModelError
from ecg_edge.package_data import example_recordings
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.resampling import resample
from ecg_edge.stream import Stream

ECG = np.hstack(
    [
        read_recording(example_recordings() / f"{name}.npy").stretch(0, 5000)
        for name in ("inferior_infarction", "normal")
    ]
)
MEGABYTE = 1e6


def make_stream(detector, rate=500.0):
    return detector.stream(sampling_rate=rate, name="bed 7")


def restart(stream):
    return pickle.loads(pickle.dumps(stream))  # noqa: S301 - our own


def make_feed(rate, duration_s):
    """Return noisy ECG with missing samples, cut into chunks."""
    made = resample(Recording(ECG), rate)
    signal = np.tile(made.stretch(0, made.samples), (1, duration_s // 20 + 1))[:, : int(duration_s * rate)]
    signal += np.random.default_rng(0).normal(0, 0.01, signal.shape).astype(np.float32)
    signal[3:5, int(50 * rate) : int(51.5 * rate)] = np.nan
    return np.array_split(signal, duration_s // 3, axis=1)


def push_and_answer(stream, chunk):
    return stream.push(chunk), stream.finding(all_sites=True), stream.finding(last_s=10)


@pytest.mark.parametrize("rate", [500, 250, 360, 1000])
def test_a_stream_that_was_pickled_gives_the_same_bits(gated, rate):
    if rate != 500:
        pytest.importorskip("soxr")
    chunks = make_feed(rate, 130)
    whole, restarted = make_stream(gated, rate), []
    for number, chunk in enumerate(chunks):
        if number % 4 == 0:
            restarted.append(restart(whole))
        expected = push_and_answer(whole, chunk)
        assert all(push_and_answer(stream, chunk) == expected for stream in restarted)
    assert len(restarted) > 10


@pytest.mark.parametrize("rate", [257, 250.5])
def test_at_a_rate_whose_filter_never_repeats_it_is_the_same_answer_to_eight_digits(gated, rate):
    pytest.importorskip("soxr")
    chunks = make_feed(rate, 130)
    whole, restarted = make_stream(gated, rate), []
    for number, chunk in enumerate(chunks):
        if number % 9 == 0:
            restarted.append(restart(whole))
        _, expected, _ = push_and_answer(whole, chunk)
        for stream in restarted:
            _, found, _ = push_and_answer(stream, chunk)
            assert (found.status, found.found_sites, found.warnings) == (
                expected.status,
                expected.found_sites,
                expected.warnings,
            )
            assert found.probability == pytest.approx(expected.probability, abs=1e-8)


def test_a_stream_has_the_same_models_leads_units_and_name_after_a_restart(shipped):
    leads = ("V6", "V5", "V4", "V3", "V2", "V1", "II", "I")
    stream = shipped.stream(leads=leads, units="uV", name="bed 7")
    stream.push(1000 * ECG[[LEADS.index(lead) for lead in leads], :5000])
    after = restart(stream)
    assert (after.leads, after.units, after.sampling_rate, after.samples) == (leads, "uV", 500, 5000)
    assert after.finding() == stream.finding()
    assert after.finding().record == "bed 7"
    after.reset()
    assert after.samples == 0
    assert restart(after).finding() == after.finding()


@pytest.mark.parametrize(("rate", "most"), [(500, 2 * MEGABYTE), (1000, 5 * MEGABYTE)])
def test_a_pickled_stream_is_small_however_long_the_feed(gated, rate, most):
    if rate != 500:
        pytest.importorskip("soxr")
    stream = make_stream(gated, rate)
    sizes = []
    for _ in range(2):
        for chunk in make_feed(rate, 130):
            stream.push(chunk)
        sizes.append(len(pickle.dumps(stream)))
    assert max(sizes) < most
    assert abs(sizes[1] - sizes[0]) < 50_000


def test_a_stream_does_not_go_on_with_other_models(gated, monkeypatch):
    stream = make_stream(gated)
    rule = stream._cascade.rule
    other = rule._replace(provenance=replace(rule.provenance, ecg_edge="0.0.1"))
    stream._cascade = stream._cascade._replace(rule=other)
    with pytest.raises(ModelError, match="bed 7: was pickled with other models or another ecg_edge"):
        restart(stream)


def test_a_stream_without_a_detector_says_so(gated):
    stream = Stream(gated._cascade, 500, LEADS, "mV", "bed 7")
    with pytest.raises(pickle.PicklingError, match=r"make it with Detector\.stream"):
        pickle.dumps(stream)
