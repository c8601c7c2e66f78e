"""Which recordings are answered together, and which side by side."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING, TypeVar

from ecg_edge.recording import RecordFile, Recording

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = Recording | RecordFile

Task = TypeVar("Task")
Result = TypeVar("Result")
# A few small recordings at a time keep Python's code and the weights in the processor's caches.
_N_SMALL = 4
_SMALL_BYTES = 2**19
_N_ON_A_GPU = 64
_BYTES_PER_SAMPLE = 48
_N_AHEAD = 3
"""Tasks taken ahead for each thread: while one thread is busy with a long task, the others have something to do."""


def batches(recordings: Iterable[Item], provider: str, threads: int) -> Iterator[list[Item]]:
    """Yield the recordings that are answered together.

    On a CPU, these are a few small ones of a sequence, few enough that each thread gets some. Any other iterable may
    have to wait for its next recording, so each of its recordings is a batch of its own. On a GPU, a batch is large in
    both cases.

    Args:
        recordings: If taking one raises, the recordings before it are yielded first.
        provider: "cpu" or "cuda".
        threads: Number of batches that are worked on at a time.
    """
    if provider == "cuda":
        yield from _fill_batches(recordings, _N_ON_A_GPU, _N_ON_A_GPU)
    elif isinstance(recordings, Sequence):
        yield from _fill_batches(recordings, min(_N_SMALL, ceil(len(recordings) / threads)), 1)
    else:
        yield from _fill_batches(recordings, 1, 1)


def _fill_batches(recordings: Iterable[Item], n_small: int, n_large: int) -> Iterator[list[Item]]:
    """Yield lists of at most `n_small` recordings, or at most `n_large` if a large one is among them."""
    batch: list[Item] = []
    try:
        for item in recordings:
            n_most = n_small if _is_small(item) else n_large
            if len(batch) >= n_most:
                yield batch
                batch = []
            batch.append(item)
            if len(batch) == n_most:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _is_small(item: Item) -> bool:
    if isinstance(item, Recording):
        return item.samples * _BYTES_PER_SAMPLE <= _SMALL_BYTES
    return isinstance(item, RecordFile) and item.size is not None and item.size <= _SMALL_BYTES


def work_side_by_side(work: Callable[[Task], Result], tasks: Iterable[Task], threads: int) -> Iterator[Result]:
    """Yield the result of each task in the order of the tasks, several at a time.

    The caller's thread works too. It starts with the first task, so a single task starts no thread. A result that is
    ready waits until the caller's own task is done. Only a few tasks per thread are taken ahead of their results. If
    taking a task raises, the results of the tasks before it come first.

    Args:
        work: Called from several threads.
        tasks: Taken one after the other in the caller's thread.
        threads: Number of tasks to work on at a time, at least 2.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    pending: deque[tuple[Task, Future[Result]]] = deque()
    unstarted: Future[Result] | None = Future()
    remaining, failure = iter(tasks), None
    with ThreadPoolExecutor(threads - 1) as pool:
        try:
            while True:
                try:
                    task = next(remaining)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - raised again below
                    failure = error
                    break
                pending.append((task, unstarted or pool.submit(work, task)))
                unstarted = None
                while pending and (pending[0][1].done() or len(pending) > _N_AHEAD * threads):
                    yield _take_first(work, pending)
            while pending:
                yield _take_first(work, pending)
        finally:
            pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure


def _take_first(work: Callable[[Task], Result], pending: deque[tuple[Task, "Future[Result]"]]) -> Result:
    """Remove and return the first result; until it is ready, run tasks that no thread has started."""
    while not pending[0][1].done() and _run_unstarted(work, pending):
        pass
    return pending.popleft()[1].result()


def _run_unstarted(work: Callable[[Task], Result], pending: deque[tuple[Task, "Future[Result]"]]) -> bool:
    """Run the first task that no thread has started; return whether there was one."""
    from concurrent.futures import Future

    for i, (task, future) in enumerate(pending):
        if future.cancel():
            done: Future[Result] = Future()
            try:
                done.set_result(work(task))
            except Exception as error:  # noqa: BLE001 - raised when the result is taken
                done.set_exception(error)
            pending[i] = task, done
            return True
    return False


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
