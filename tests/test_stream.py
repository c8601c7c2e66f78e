"""A live feed gets the offline answer."""

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import write_models

from ecg_edge import Detector, Recording, read_recording
from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, SamplingRateError, WrongShapeError, WrongTypeError
from ecg_edge.package_data import example_recordings
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.resampling import resample

ILL, WELL = (
    read_recording(example_recordings() / f"{name}.npy").stretch(0, 5000) for name in ("inferior_infarction", "normal")
)


def same(found, expected, within=1e-6):
    """Whether two findings agree: probabilities closely, the rest exactly."""
    assert (found.status, found.reasons, found.warnings) == (expected.status, expected.reasons, expected.warnings)
    assert (found.duration_s, found.found_sites) == (expected.duration_s, expected.found_sites)
    assert len(found.sites) == len(expected.sites)
    pairs = [(found.probability, expected.probability)]
    pairs += [(a.probability, b.probability) for a, b in zip(found.sites, expected.sites, strict=True)]
    assert all(a == b or abs(a - b) < within for a, b in pairs)


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
    assert [window.start_s for window in stream.push(ILL[:, 800:1050])] == [0.2, 0.4]
    timeline = gated.detect(Recording(ILL[:, :800]), windows=True).timeline
    assert window.probability == pytest.approx(timeline.probability[0])


def test_a_window_of_dead_leads_does_not_count(gated):
    signal = ILL.copy()
    signal[6:8, 1000:3000] = 0
    windows = gated.stream().push(signal)
    assert [round(window.start_s * 500) for window in windows if not window.counts] == list(range(1000, 2201, 100))


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


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([100, 128, 250, 257, 360, 1000, 250.5]),
    st.integers(1, 12_000),
    st.lists(st.integers(0, 12_000), max_size=12),
    st.booleans(),
)
def test_a_feed_of_another_rate_gets_the_offline_answer_at_any_time(gated, rate, samples, cuts, gap):
    pytest.importorskip("soxr")
    signal = resample(Recording(np.hstack([ILL, WELL])), rate)
    signal = np.tile(signal.stretch(0, signal.samples), (1, 1 + samples // signal.samples))[:, :samples]
    if gap:
        signal[3:, samples // 2 : samples // 2 + 50] = np.nan
    stream = gated.stream(sampling_rate=rate, name="recording")
    for i, piece in enumerate(np.split(signal, sorted(cuts), axis=1)):
        stream.push(piece)
        if i % 4 == 0:
            stream.finding()
    same(stream.finding(all_sites=True), gated.detect(Recording(signal, rate), all_sites=True), within=1e-4)
    latest = Recording(signal[:, -round(10 * rate) :], rate)
    same(stream.finding(last_s=10), gated.detect(latest))


def test_a_feed_in_microvolts_of_eight_leads_in_another_order_gets_the_offline_answer(shipped):
    leads = ("V6", "V5", "V4", "V3", "V2", "V1", "II", "I", "V7")
    rows = [LEADS.index(lead) for lead in leads[:-1]]
    signal = (1000 * np.vstack([ILL[rows], np.zeros(5000)])).astype(np.int16)
    stream = shipped.stream(leads=leads, units="uV", name="recording")
    stream.push(signal)
    assert stream.finding().status == "detected"
    same(stream.finding(), shipped.detect(Recording(signal, leads=leads, units="uV")))


def test_the_windows_of_a_feed_of_another_rate_come_a_little_later(gated):
    pytest.importorskip("soxr")
    signal = resample(Recording(np.hstack([ILL] * 3)), 250).stretch(0, 7500)
    stream = gated.stream(sampling_rate=250)
    windows = [window for i in range(0, 7500, 50) for window in stream.push(signal[:, i : i + 50])]
    expected = gated.detect(Recording(signal, 250), windows=True).timeline
    assert len(windows) > 100
    assert [window.start_s for window in windows] == list(expected.start_s[: len(windows)])


@pytest.mark.parametrize("kind", ["masked", "table"])
def test_a_masked_chunk_and_a_table_are_refused_as_a_recording_refuses_them(gated, kind):
    if kind == "masked":
        chunk = np.ma.masked_greater(ILL, 0.2)
    else:
        chunk = pytest.importorskip("pandas").DataFrame(ILL.T, columns=LEADS)
    stream = gated.stream()
    with pytest.raises(InvalidRecordingError) as by_stream:
        stream.push(chunk)
    with pytest.raises(InvalidRecordingError) as by_recording:
        Recording(chunk)
    assert str(by_stream.value) == str(by_recording.value)
    assert stream.samples == 0
    stream.push(ILL.tolist())
    assert stream.samples == 5000


@pytest.mark.parametrize(("rate", "found"), [("500", "the text '500'"), (None, "None"), (0, "0")])
def test_a_feed_must_have_a_sampling_rate(gated, rate, found):
    with pytest.raises(InvalidRecordingError, match=f"must be a positive number of Hz, found {found}"):
        gated.stream(sampling_rate=rate)


def test_one_text_is_no_list_of_leads(gated):
    with pytest.raises(InvalidRecordingError, match="leads is the text"):
        gated.stream(leads=",".join(LEADS))


def test_what_no_answer_could_be_had_of_is_refused_at_once(gated):
    pytest.importorskip("soxr")
    with pytest.raises(SamplingRateError):
        gated.stream(sampling_rate=50)
    with pytest.raises(InvalidRecordingError, match=r"333\.333 Hz cannot be resampled"):
        gated.stream(sampling_rate=333.333)
    with pytest.raises(InvalidRecordingError, match=r"V6 .* missing"):
        gated.stream(leads=("II", "I", "V1", "V2", "V3", "V4", "V5"))
    with pytest.raises(EcgEdgeError, match="not a voltage unit"):
        gated.stream(units="furlong")
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
    gc.collect()  # what only waits for the collector has not grown
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
