from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_edge.model.aggregation import mean_probability, window_probabilities
from ecg_edge.model.spec import AVERAGES, TAILS
from ecg_edge.model.windows import chunks, n_regular_windows, window_starts

sizes = st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(0, 600)).map(
    lambda drawn: (drawn[0] + drawn[2], drawn[0], min(drawn[1], drawn[0]))
)


@given(sizes)
def test_every_sample_is_in_some_window(size):
    samples, window, stride = size
    covered = set()
    for start in window_starts(samples, window, stride):
        covered.update(range(start, start + window))
    assert covered == set(range(samples))


@given(sizes)
def test_windows_ascend_by_the_stride_and_only_the_last_may_be_closer(size):
    samples, window, stride = size
    starts = window_starts(samples, window, stride).tolist()
    steps = [b - a for a, b in pairwise(starts)]
    assert starts[0] == 0
    assert all(step == stride for step in steps[:-1])
    assert all(0 < step <= stride for step in steps)


def test_the_tail_gets_a_window_of_its_own():
    assert window_starts(5050, 800, 100).tolist() == [*range(0, 4201, 100), 4250]


@given(sizes)
def test_a_dropped_tail_leaves_just_the_windows_with_a_sample_after_them(size):
    samples, window, stride = size
    starts = window_starts(samples, window, stride, "dropped").tolist()
    assert starts == (list(range(0, samples - window, stride)) or [0])


def test_dropped_tails_give_the_windows_of_the_original_notebook():
    assert window_starts(5000, 800, 700, "dropped").tolist() == [0, 700, 1400, 2100, 2800, 3500]
    assert window_starts(5000, 700, 686, "dropped").tolist() == [0, 686, 1372, 2058, 2744, 3430, 4116]


@given(sizes, st.integers(1, 20), st.sampled_from(TAILS))
def test_chunks_hold_exactly_the_windows_of_the_recording_in_order(size, most, tail):
    samples, window, stride = size
    starts = []
    for chunk in chunks(samples, window, stride, most, tail):
        inside = stride * np.arange(n_regular_windows(chunk.stop - chunk.start, window, stride, tail))
        assert 1 <= len(inside) <= most
        assert chunk.stop <= samples
        starts += (chunk.start + inside).tolist()
    assert starts == window_starts(samples, window, stride, tail).tolist()


@given(st.lists(st.floats(-15, 15, width=32), min_size=1), st.sampled_from(AVERAGES))
def test_a_mean_lies_between_the_windows_and_is_theirs_when_they_agree(values, average):
    logits = np.array(values, np.float32)[:, None]
    scores = logits if average == "logit" else (1 / (1 + np.exp(-logits))).astype(np.float32)
    windows, mean = window_probabilities(scores, average), mean_probability(scores, average)
    assert windows.min() - 1e-7 <= mean[0] <= windows.max() + 1e-7
    assert mean_probability(scores[:1].repeat(5, axis=0), average) == pytest.approx(windows[0], abs=1e-7)


def test_logits_beyond_the_sigmoid_average_as_logits():
    scores = np.array([[90], [-200], [104]], np.float32)
    assert mean_probability(scores, "logit") == pytest.approx(1 / (1 + np.exp(2)))
    assert window_probabilities(scores, "logit").ravel().tolist() == [1, 0, 1]
