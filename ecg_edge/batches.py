"""Which recordings are read and answered together."""

from collections.abc import Iterable, Iterator, Sequence

from ecg_edge.readers import RecordFile
from ecg_edge.recording import Recording

Item = Recording | RecordFile

# So many small ones keep Python's code and the weights in the processor's caches.
_SMALL_ONES = 4
_SMALL_BYTES = 2**19
_ON_A_GPU = 64
_BYTES_OF_A_SAMPLE = 48


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
