"""Work side by side: nothing is lost, nothing changes place."""

import threading
import time

import pytest

from ecg_edge.scheduling import work_side_by_side


def slow_for_the_first(number):
    time.sleep(0.2 if number == 0 else 0)
    return number


def test_results_come_in_the_order_of_the_items():
    assert list(work_side_by_side(slow_for_the_first, range(20), 4)) == list(range(20))


def test_several_items_are_worked_on_at_a_time():
    barrier = threading.Barrier(3, timeout=10)
    assert len(list(work_side_by_side(lambda _: barrier.wait(), range(3), 3))) == 3


def test_what_was_finished_before_the_source_failed_is_handed_out():
    def source():
        yield from range(5)
        msg = "the source is gone"
        raise OSError(msg)

    found = []
    with pytest.raises(OSError, match="the source is gone"):
        found.extend(work_side_by_side(slow_for_the_first, source(), 4))
    assert found == list(range(5))


def test_a_result_is_handed_out_while_the_source_is_slow():
    taken = []

    def source():
        for i in range(100):
            time.sleep(0.05)
            taken.append(i)
            yield i

    assert next(work_side_by_side(lambda number: number, source(), 4)) == 0
    assert len(taken) <= 3


def test_others_are_worked_on_while_the_first_is_not_done():
    others_done = threading.Event()

    def work(number):
        if number == 0:
            assert others_done.wait(10)
        if number == 5:
            others_done.set()
        return number

    assert list(work_side_by_side(work, range(8), 2)) == list(range(8))


def test_an_error_in_the_work_comes_out_in_its_place():
    results = work_side_by_side(lambda number: 1 // (3 - number), range(10), 2)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_items_are_taken_only_a_few_ahead():
    taken = []
    results = work_side_by_side(lambda number: number, (taken.append(i) or i for i in range(1000)), 2)
    next(results)
    assert len(taken) < 10


def test_no_thread_is_left_when_the_rest_is_not_wanted():
    before = threading.active_count()
    results = work_side_by_side(lambda number: number, range(1000), 4)
    next(results)
    results.close()
    assert threading.active_count() == before
