"""Which windows a recording has, and which stretches of it to hand to a model.

`tail` says what happens to the samples after the last regular window:

- "window": one more window ends at the last sample, so every sample counts;
- "dropped": a window counts only if a sample follows it (except the single window of a short recording).
"""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Chunk(NamedTuple):
    """A stretch of a recording for one model call."""

    start: int
    """First sample."""
    stop: int
    """One past the last sample."""


def n_regular_windows(samples: int, window: int, stride: int, tail: str = "window") -> int:
    """Return the number of windows that one model call answers for `samples` samples, at least 1."""
    after = samples - window
    return max(1, ceil(after / stride)) if tail == "dropped" else 1 + after // stride


def window_starts(samples: int, window: int, stride: int, tail: str = "window") -> NDArray[np.int64]:
    """Return the first sample of each window of a recording.

    5050 samples in windows of 800 every 100 give 0, 100 ... 4200 and, unless the tail is dropped, 4250.

    Args:
        samples: Length of the recording, at least `window`.
        window: Length of a window.
        stride: Distance between regular windows.
        tail: "window" or "dropped".

    Returns:
        Ascending starts, int64, shape (windows,).
    """
    regular = stride * np.arange(n_regular_windows(samples, window, stride, tail), dtype=np.int64)
    last = samples - window
    return regular if tail == "dropped" or regular[-1] == last else np.append(regular, last)


def chunks(samples: int, window: int, stride: int, n_most: int, tail: str = "window") -> Iterator[Chunk]:
    """Cut a recording into chunks; their windows, in order, are exactly the windows of `window_starts`.

    Args:
        samples: Length of the recording, at least `window`.
        window: Length of a window.
        stride: Distance between regular windows.
        n_most: Largest number of windows in a chunk, at least 1.
        tail: "window" or "dropped".

    Yields:
        Chunks in order. If the window that ends at the last sample is not a regular one, it is a chunk of its own.
    """
    after = 1 if tail == "dropped" else 0
    n_regular = n_regular_windows(samples, window, stride, tail)
    for first in range(0, n_regular, n_most):
        last = min(first + n_most, n_regular) - 1
        yield Chunk(first * stride, min(last * stride + window + after, samples))
    if tail == "window" and (samples - window) % stride:
        yield Chunk(samples - window, samples)
