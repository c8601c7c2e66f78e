"""Work done side by side, handed out in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 3
"""Items taken for each thread: while one is in the middle of a long one, the others have something to do."""


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
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

    pending: deque[tuple[Item, Future[Result]]] = deque()
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


def _first(work: Callable[[Item], Result], pending: deque[tuple[Item, "Future[Result]"]]) -> Result:
    """Take the first result out, and do of the others what no thread has begun while it is not there."""
    while not pending[0][1].done() and _do_one(work, pending):
        pass
    return pending.popleft()[1].result()


def _do_one(work: Callable[[Item], Result], pending: deque[tuple[Item, "Future[Result]"]]) -> bool:
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
