"""Work done side by side, handed out in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Yield the result for each item in the order of the items, several at a time.

    At most a few items a thread are taken before their results are. Where taking an item raises, the results of those
    before it come first.

    Args:
        work: What to do; called from several threads.
        items: Taken one after the other in the caller's thread.
        threads: How many items to work on at a time.
    """
    from concurrent.futures import ThreadPoolExecutor

    pending: deque[Future[Result]] = deque()
    remaining, failure = iter(items), None
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                try:
                    item = next(remaining)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - raised again below, whatever it is
                    failure = error
                    break
                pending.append(pool.submit(work, item))
                while pending and (pending[0].done() or len(pending) > 2 * threads):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure
