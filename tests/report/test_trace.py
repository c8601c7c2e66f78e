"""A drawn line loses no peak, and says where it has a gap or is cut."""

import numpy as np
import pytest
from drawn import read_svg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecg_edge import Recording
from ecg_edge.recording import LEADS
from ecg_edge.report.trace import TOLERANCE_MM, Run, cut, find_runs, simplify

HEIGHTS = arrays(np.float32, st.integers(1, 300), elements=st.floats(-40, 40, width=32))


@given(HEIGHTS)
@settings(max_examples=200, deadline=None)
def test_the_line_between_corners_is_within_the_tolerance_of_every_sample(heights):
    corners = simplify(heights, [Run(0, len(heights))])
    drawn = np.interp(np.arange(len(heights)), corners, heights[corners])
    assert np.abs(drawn - heights).max() <= TOLERANCE_MM + 1e-5
    assert {heights.max(), heights.min(), heights[0], heights[-1]} <= set(heights[corners].tolist())


@given(HEIGHTS, st.data())
@settings(max_examples=100, deadline=None)
def test_pieces_together_have_the_corners_of_each_alone(heights, data):
    middle = data.draw(st.integers(1, len(heights))) if len(heights) > 1 else 1
    pieces = [Run(0, middle), *([Run(middle, len(heights))] if middle < len(heights) else [])]
    alone = [
        simplify(heights[piece.start : piece.stop], [Run(0, piece.stop - piece.start)]) + piece.start
        for piece in pieces
    ]
    assert np.array_equal(simplify(heights, pieces), np.concatenate(alone))


def test_a_straight_line_needs_its_ends_alone():
    heights = np.linspace(0, 5, 1000, dtype=np.float32)
    assert simplify(heights, [Run(0, 1000)]).tolist() == [0, 999]


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_drawn_extremes_are_the_extremes_of_the_samples(noise, draw, layout):
    recording = noise()
    drawing = read_svg(draw(recording, layout=layout).to_svg())
    signal = recording.stretch(0, 5000)
    medians = np.median(signal, axis=1)
    n_columns = {"3x4": 4, "6x2": 2, "12x1": 1}[layout]
    for i, lead in enumerate(LEADS):
        line = drawing.lines("trace", lead)[0]
        left = (line[0, 0] - 31) / 25 * 500
        part = signal[i, round(left) : round(left) + 5000 // n_columns]
        assert np.ptp(line[:, 1]) == pytest.approx(np.ptp(part) * 10, abs=0.011)
        # The first sample tells where the baseline is.
        baseline = line[0, 1] + (part[0] - medians[i]) * 10
        assert baseline - line[:, 1].min() == pytest.approx((part.max() - medians[i]) * 10, abs=0.011)


def test_a_spike_of_one_sample_keeps_its_height(beats, draw):
    signal = np.zeros((8, 5000), np.float32)
    signal[:, 2222] = 1.7
    line = read_svg(draw(Recording(signal, leads=beats().leads)).to_svg()).lines("trace", "II")[-1]
    assert np.ptp(line[:, 1]) == pytest.approx(17, abs=0.005)
    assert line[line[:, 1].argmin(), 0] - 31 == pytest.approx(2222 / 500 * 25, abs=0.005)


def test_missing_samples_are_a_gap_with_a_word(beats, draw):
    recording = beats()
    signal = recording.signal.copy()
    signal[1, 1000:2000] = np.nan
    drawing = read_svg(draw(Recording(signal, leads=recording.leads)).to_svg())
    before, after = drawing.lines("trace", "II")[-2:]
    assert before[-1, 0] - 31 == pytest.approx(999 / 20, abs=0.005)
    assert after[0, 0] - 31 == pytest.approx(2000 / 20, abs=0.005)
    assert "missing" in drawing.words("state")
    assert drawing.lines("missing", "II")


@pytest.mark.parametrize(("value", "word"), [(0.0, "flat"), (1.25, "flat"), (np.nan, "missing"), (np.inf, "missing")])
def test_a_lead_without_a_signal_is_a_word_in_place_of_a_line(beats, draw, value, word):
    recording = beats()
    signal = recording.signal.copy()
    signal[3] = value  # V2
    drawing = read_svg(draw(Recording(signal, leads=recording.leads)).to_svg())
    assert not drawing.lines("trace", "V2")
    assert drawing.lines(word, "V2")
    assert word in drawing.words("state")
    assert "V2" in drawing.words("lead")


def test_an_offset_does_not_move_a_trace(beats, draw):
    recording = beats()
    moved = Recording(recording.signal + np.float32(250), leads=recording.leads, name="beats")
    here, there = (read_svg(draw(r).to_svg()) for r in (recording, moved))
    for lead in LEADS:
        for a, b in zip(here.lines("trace", lead), there.lines("trace", lead), strict=True):
            assert abs(np.ptp(a[:, 1]) - np.ptp(b[:, 1])) < 0.01


def test_a_wandering_baseline_is_drawn_as_recorded(beats, draw):
    recording = beats()
    signal = recording.signal.copy()
    signal[2] = np.linspace(-0.5, 0.5, 5000)  # V1
    line = read_svg(draw(Recording(signal, leads=recording.leads), layout="12x1").to_svg()).lines("trace", "V1")[0]
    assert line[0, 1] - line[-1, 1] == pytest.approx(10, abs=0.01)


def test_a_huge_amplitude_is_cut_at_arrowheads_and_a_note_says_so(beats, draw):
    recording = beats()
    signal = recording.signal.copy()
    signal[3] *= 40  # V2
    report = draw(Recording(signal, leads=recording.leads))
    drawing = read_svg(report.to_svg())
    (bottom,) = {line[:, 1].max() for line in drawing.lines("grid-5mm") if line[0, 0] == line[1, 0]}
    for lead in LEADS:
        for line in drawing.lines("trace", lead):
            assert 26 <= line[:, 1].min() <= line[:, 1].max() <= bottom
    assert drawing.lines("cut")
    assert "Cut at the arrowheads for want of room: V2. A lower gain shows all." in drawing.words("note")


@pytest.mark.parametrize("layout", ["3x4", "6x2"])
@pytest.mark.parametrize("factor", [-40, 8, 40, 400])
def test_nothing_that_belongs_to_a_trace_leaves_the_grid(beats, draw, layout, factor):
    recording = beats()
    signal = recording.signal * np.float32(factor)
    signal[:, 1200:1300] = np.nan
    drawing = read_svg(draw(Recording(signal, leads=recording.leads), layout=layout).to_svg())
    heights = np.concatenate([line[:, 1] for line in drawing.lines("grid-5mm")])
    top, bottom = heights.min(), heights.max()
    assert drawing.lines("border")
    for part in ("trace", "border", "cut", "missing", "mark"):
        for line in drawing.lines(part):
            assert top - 0.01 <= line[:, 1].min() <= line[:, 1].max() <= bottom + 0.01, part


def test_ordinary_amplitudes_are_never_cut(beats, draw):
    for layout in ("3x4", "6x2", "12x1"):
        assert not read_svg(draw(beats(), layout=layout).to_svg()).lines("cut")


def test_runs_are_the_stretches_of_true_values():
    assert find_runs(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [(0, 2), (3, 4), (6, 7)]
    assert find_runs(np.zeros(3, bool)) == []


def test_what_is_cut_leaves_its_ends_at_the_limit():
    kept, high, low = cut(np.array([0, 5, 6, 7, 5, 0, -9], np.float32), below=3, above=4)
    assert high == [(1, 5)]
    assert low == [(6, 7)]
    assert kept[[0, 1, 4, 5, 6]].tolist() == [0, 4, 4, 0, -3]
    assert np.isnan(kept[2:4]).all()
