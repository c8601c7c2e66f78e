"""Which recordings are answered together, and which side by side."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ecg_edge.recording import RecordFile, Recording

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = Recording | RecordFile

# So many small ones keep Python's code and the weights in the processor's caches.
_SMALL_ONES = 4
_SMALL_BYTES = 2**19
_ON_A_GPU = 64
_BYTES_OF_A_SAMPLE = 48
Task = TypeVar("Task")
Result = TypeVar("Result")
_AHEAD = 3
"""Items taken for each thread: while one is in the middle of a long one, the others have something to do."""


def batches(recordings: Iterable[Item], provider: str, threads: int) -> Iterator[list[Item]]:
    """Yield what is to be answered together.

    On a CPU that is a few small ones of a sequence, no more than leave something for each thread. Any other iterable
    may have no next one for a while, so each of its recordings is a batch of its own. A GPU gets many in any case.

    Args:
        recordings: Where taking one raises, those before it come first.
        provider: "cpu" or "cuda".
        threads: Batches that are worked on at a time.
    """
    if provider == "cuda":
        yield from _filled(recordings, _ON_A_GPU, _ON_A_GPU)
    elif isinstance(recordings, Sequence):
        yield from _filled(recordings, min(_SMALL_ONES, -(-len(recordings) // threads)), 1)
    else:
        yield from _filled(recordings, 1, 1)


def _filled(recordings: Iterable[Item], small: int, large: int) -> Iterator[list[Item]]:
    """Yield lists of at most so many small ones, or so many large ones."""
    batch: list[Item] = []
    try:
        for item in recordings:
            most = small if _is_small(item) else large
            if len(batch) >= most:
                yield batch
                batch = []
            batch.append(item)
            if len(batch) == most:
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
        return item.samples * _BYTES_OF_A_SAMPLE <= _SMALL_BYTES
    return isinstance(item, RecordFile) and item.size is not None and item.size <= _SMALL_BYTES


def side_by_side(work: Callable[[Task], Result], items: Iterable[Task], threads: int) -> Iterator[Result]:
    """Yield the result for each item in the order of the items, several at a time.

    The caller's thread works too, so a result that is there waits until the caller's own piece of work is done. The
    first item is left to it: for a single one no thread is started. At most a few items a thread are taken before their
    results are. Where taking an item raises, the results of those before it come first.

    Args:
        work: What to do; called from several threads.
        items: Taken one after the other in the caller's thread.
        threads: How many items to work on at a time, at least 2.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    pending: deque[tuple[Task, Future[Result]]] = deque()
    not_begun: Future[Result] | None = Future()
    remaining, failure = iter(items), None
    with ThreadPoolExecutor(threads - 1) as pool:
        try:
            while True:
                try:
                    item = next(remaining)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - raised again below, whatever it is
                    failure = error
                    break
                pending.append((item, not_begun or pool.submit(work, item)))
                not_begun = None
                while pending and (pending[0][1].done() or len(pending) > _AHEAD * threads):
                    yield _first(work, pending)
            while pending:
                yield _first(work, pending)
        finally:
            pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure


def _first(work: Callable[[Task], Result], pending: deque[tuple[Task, "Future[Result]"]]) -> Result:
    """Take the first result out, and do of the others what no thread has begun while it is not there."""
    while not pending[0][1].done() and _do_one(work, pending):
        pass
    return pending.popleft()[1].result()


def _do_one(work: Callable[[Task], Result], pending: deque[tuple[Task, "Future[Result]"]]) -> bool:
    """Do the first piece of work that no other thread has begun, if there is one."""
    from concurrent.futures import Future

    for i, (item, future) in enumerate(pending):
        if future.cancel():
            done: Future[Result] = Future()
            try:
                done.set_result(work(item))
            except Exception as error:  # noqa: BLE001 - raised where the result is asked for
                done.set_exception(error)
            pending[i] = item, done
            return True
    return False


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
