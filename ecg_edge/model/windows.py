"""Which windows a recording has, which stretches of it to hand to a model, and how answers are averaged.

Knows nothing of onnxruntime. `tail` says what becomes of the samples after the last regular window:

- "window": one more window ends at the last sample, so every sample counts;
- "dropped": only windows with a sample after them count (or the one window of a recording that has no more).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Chunk(NamedTuple):
    """A stretch of a recording whose regular windows one model call answers."""

    start: int
    """First sample."""
    stop: int
    """One past the last sample."""


def n_regular_windows(samples: int, window: int, stride: int, tail: str = "window") -> int:
    """Return how many windows one model call on `samples` samples answers, at least 1."""
    after = samples - window
    return max(1, -(-after // stride)) if tail == "dropped" else 1 + after // stride


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


def chunks(samples: int, window: int, stride: int, most: int, tail: str = "window") -> Iterator[Chunk]:
    """Cut a recording into chunks whose windows, one after the other, are exactly those of `window_starts`.

    Args:
        samples: Length of the recording, at least `window`.
        window: Length of a window.
        stride: Distance between regular windows.
        most: Windows that one chunk may hold, at least 1.
        tail: "window" or "dropped".

    Yields:
        Chunks in order; the window that ends at the last sample is a chunk of its own where it is not a regular one.
    """
    after = 1 if tail == "dropped" else 0
    n_regular = n_regular_windows(samples, window, stride, tail)
    for first in range(0, n_regular, most):
        last = min(first + most, n_regular) - 1
        yield Chunk(first * stride, min(last * stride + window + after, samples))
    if tail == "window" and (samples - window) % stride:
        yield Chunk(samples - window, samples)
