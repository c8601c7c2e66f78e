"""When the blocks of the resampling filter repeat, so that a new filter can give the bits of an older one."""

from functools import lru_cache

import numpy as np

from ecg_edge.recording.resampling import make_filter

# How much of a feed is watched for the pattern of blocks that come out of the filter, and how long a pattern must be.
_WATCHED_S, _MOST_WATCHED, _PATTERN = 120, 2**17, 6


@lru_cache
def find_repeat(from_rate: float, to_rate: float, spacing: int) -> int | None:
    """Return after how many samples the blocks of the filter come again as at its start; None if that is too long.

    A filter that starts there gives the same samples to the last bit, once it has seen a block.

    Args:
        from_rate: As of `Resampler`.
        to_rate: As of `Resampler`.
        spacing: Samples between two whose time is that of a resampled one; the result is a multiple of it.
    """
    stream, silence = make_filter(from_rate, to_rate, 1), np.zeros((1, 1), np.float32)
    n_watched = min(int(from_rate * _WATCHED_S), _MOST_WATCHED)
    arrivals = [n for n in range(1, n_watched) if len(stream.resample_chunk(silence))]
    gaps = np.diff(arrivals).tolist()
    for i in range(1, len(gaps) - _PATTERN + 1):
        shift = arrivals[i] - arrivals[0]
        if shift % spacing == 0 and gaps[i : i + _PATTERN] == gaps[:_PATTERN]:
            return shift
    return None
