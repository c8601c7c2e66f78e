"""A live feed gets the offline answer."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_models

from ecg_edge import Detector, Recording, read_recording
from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, WrongShapeError, WrongTypeError
from ecg_edge.selfcheck import example_recordings

ILL, WELL = (
    read_recording(example_recordings() / f"{name}.npy").stretch(0, 5000) for name in ("inferior_infarction", "normal")
)


def same(found, expected):
    """Whether two findings agree: probabilities within 1e-6, the rest exactly."""
    assert (found.status, found.reasons, found.warnings) == (expected.status, expected.reasons, expected.warnings)
    assert (found.duration_s, found.found_sites) == (expected.duration_s, expected.found_sites)
    assert len(found.sites) == len(expected.sites)
    pairs = [(found.probability, expected.probability)]
    pairs += [(a.probability, b.probability) for a, b in zip(found.sites, expected.sites, strict=True)]
    assert all(a == b or abs(a - b) < 1e-6 for a, b in pairs)


@st.composite
def feeds(draw, longest=14_000):
    """Draw a signal, now and then with a stretch that is dead, far off or no number, and where to cut it."""
    signal = np.hstack(draw(st.permutations([ILL, WELL, ILL])))[:, : draw(st.integers(0, longest))].copy()
    start = draw(st.integers(0, max(0, signal.shape[1] - 1)))
    leads = draw(st.sampled_from([slice(0), slice(8, 9), slice(6, 8), slice(None)]))
    signal[leads, start : start + draw(st.integers(1, 5000))] = draw(st.sampled_from([0, 50, np.nan]))
    return signal, sorted(draw(st.lists(st.integers(0, signal.shape[1]), max_size=20)))


def check(detector, feed, **options):
    signal, cuts = feed
    stream = detector.stream(name="recording")
    for i, piece in enumerate(np.split(signal, cuts, axis=1)):
        stream.push(piece)
        if i % 5 == 0:
            stream.finding()
    assert stream.samples == signal.shape[1]
    if not stream.samples:
        assert stream.finding().reasons[0].code == "too_short"
        return
    same(stream.finding(**options), detector.detect(Recording(signal), **options))
    for last_s in (1.5, 2.34, 10):
        latest = Recording(signal[:, -round(last_s * 500) :])
        same(stream.finding(last_s=last_s, **options), detector.detect(latest, **options))


@settings(max_examples=25, deadline=None)
@given(feeds())
def test_the_answer_so_far_is_the_offline_answer(gated, feed):
    check(gated, feed, all_sites=True)


@settings(max_examples=15, deadline=None)
@given(feeds())
def test_so_it_is_without_the_gate(tiny, feed):
    check(tiny, feed, all_sites=True)


@settings(max_examples=10, deadline=None)
@given(feeds())
def test_so_it_is_with_the_models_that_ship(shipped, feed):
    check(shipped, feed)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Models that average logits, never see the tail, and take records of 5000 samples in a way of their own."""
    changes = {"average": "logit", "tail": "dropped", "whole_length": 5000}
    folder = tmp_path_factory.mktemp("notebook")
    return Detector(
        write_models(folder, infarction={**changes, "stride": 700}, localization={**changes, "stride": 686})
    )


@settings(max_examples=15, deadline=None)
@given(feeds())
def test_so_it_is_where_the_tail_is_dropped(notebook, feed):
    check(notebook, feed, all_sites=True)
    check(notebook, (ILL, feed[1][:1]), all_sites=True)


def test_a_push_returns_the_windows_that_it_finishes(gated):
    stream = gated.stream()
    assert stream.push(ILL[:, :799]) == []
    (window,) = stream.push(ILL[:, 799:800])
    assert (window.start_s, window.counts) == (0, True)
    assert [each.start_s for each in stream.push(ILL[:, 800:1050])] == [0.2, 0.4]
    timeline = gated.detect(Recording(ILL[:, :800]), windows=True).timeline
    assert window.probability == pytest.approx(timeline.probability[0])


def test_a_window_of_dead_leads_does_not_count(gated):
    signal = ILL.copy()
    signal[6:8, 1000:3000] = 0
    windows = gated.stream().push(signal)
    assert [round(each.start_s * 500) for each in windows if not each.counts] == list(range(1000, 2201, 100))


def test_reset_forgets_the_patient(gated):
    stream = gated.stream(name="recording")
    stream.push(np.full((12, 5000), np.nan))
    stream.reset()
    stream.push(ILL)
    same(stream.finding(), gated.detect(Recording(ILL)))


def test_an_empty_chunk_changes_nothing(gated):
    stream = gated.stream()
    stream.push(ILL)
    before = stream.finding()
    assert stream.push(np.zeros((12, 0))) == []
    assert stream.finding() == before


@pytest.mark.parametrize(
    ("chunk", "error"),
    [(np.zeros((5, 12)), WrongShapeError), (np.zeros(12), WrongShapeError), (np.zeros((12, 1), "U1"), WrongTypeError)],
)
def test_a_bad_chunk_is_refused_and_leaves_the_stream_as_it_was(gated, chunk, error):
    stream = gated.stream()
    stream.push(ILL)
    before = stream.finding()
    with pytest.raises(error):
        stream.push(chunk)
    assert stream.finding() == before


def test_what_the_models_do_not_take_is_refused_at_once(gated):
    with pytest.raises(InvalidRecordingError, match="has 250 Hz"):
        gated.stream(sampling_rate=250)
    with pytest.raises(InvalidRecordingError, match="found II, I"):
        gated.stream(leads=("II", "I"))
    with pytest.raises(EcgEdgeError, match="in uV"):
        gated.stream(units="uV")
    with pytest.raises(ValueError, match="last_s is 61"):
        gated.stream().finding(last_s=61)


def test_many_streams_share_a_detector_in_many_threads(shipped):
    def one(i):
        stream = shipped.stream(name="recording")
        signal = np.hstack([ILL, WELL])[:, i * 100 : i * 100 + 6000]
        for start in range(0, 6000, 300 + 10 * i):
            stream.push(signal[:, start : start + 300 + 10 * i])
        return stream.finding()

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(one, range(16)))
    for i, finding in enumerate(together):
        same(finding, shipped.detect(Recording(np.hstack([ILL, WELL])[:, i * 100 : i * 100 + 6000])))


def memory_after(stream, minutes):
    for _ in range(minutes * 6):
        stream.push(ILL)
    stream.finding()
    stream.finding(last_s=10)
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("minutes", [20, pytest.param(24 * 60, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_time(gated, minutes):
    tracemalloc.start()
    try:
        stream = gated.stream()
        before = memory_after(stream, 3)
        after = memory_after(stream, minutes)
    finally:
        tracemalloc.stop()
    assert abs(after - before) < 50_000
    assert stream.samples == (3 + minutes) * 30_000
