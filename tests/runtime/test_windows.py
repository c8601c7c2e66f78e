from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ecg_edge.windows import chunks, window_starts

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


@given(sizes, st.integers(1, 20))
def test_chunks_hold_exactly_the_windows_of_the_recording_in_order(size, most):
    samples, window, stride = size
    starts = []
    for chunk in chunks(samples, window, stride, most):
        inside = range(chunk.start, chunk.stop - window + 1, stride)
        assert 1 <= len(inside) <= most
        assert inside[-1] + window == chunk.stop
        starts += inside
    assert starts == window_starts(samples, window, stride).tolist()
