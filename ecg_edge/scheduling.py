"""Which recordings are answered together, and which side by side."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from threading import Semaphore
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from ecg_edge.recording import RecordFile, Recording

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = Recording | RecordFile

Task = TypeVar("Task")
Result = TypeVar("Result")
# Several small recordings at a time share the calls of numpy that measure them.
_N_SMALL = 16
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

    Only a few tasks per thread are taken ahead of their results. If taking a task raises, the results of the tasks
    before it come first.

    Args:
        work: Called from several threads.
        tasks: Taken one after the other in the caller's thread.
        threads: Number of tasks to work on at a time.
    """
    from concurrent.futures import ThreadPoolExecutor

    pending: deque[Future[Result]] = deque()
    remaining, failure = iter(tasks), None
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                try:
                    task = next(remaining)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - raised again below
                    failure = error
                    break
                pending.append(pool.submit(work, task))
                while pending and (pending[0].done() or len(pending) > _N_AHEAD * threads):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure


class Turn:
    """Lets a limited number of threads in at a time. A process made by fork starts with nobody in.

    Args:
        most: Number of threads that may be in at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.reset()
        _TURNS.add(self)

    def reset(self) -> None:
        """Forget who is in."""
        self._semaphore = Semaphore(self._most)

    def __enter__(self) -> None:
        self._semaphore.acquire()

    def __exit__(self, *_: object) -> None:
        self._semaphore.release()


_TURNS: "WeakSet[Turn]" = WeakSet()


def _reset_turns() -> None:
    for turn in _TURNS:
        turn.reset()


if hasattr(os, "register_at_fork"):
    # The threads that were in at the time of the fork do not exist in the child.
    os.register_at_fork(after_in_child=_reset_turns)
