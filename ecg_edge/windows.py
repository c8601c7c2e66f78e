"""Which windows cover a recording, and which stretches of it to hand to a model. Knows nothing of onnxruntime."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a recording whose regular windows one model call answers."""

    start: int
    """First sample."""
    stop: int
    """One past the last sample."""


def window_starts(samples: int, window: int, stride: int) -> NDArray[np.int64]:
    """Return the first sample of each window that covers a recording.

    The last window ends at the last sample, so no tail is lost: 5050 samples give a window at 4250 beside 0, 100 ...
    4200.

    Args:
        samples: Length of the recording, at least `window`.
        window: Length of a window.
        stride: Distance between regular windows.

    Returns:
        Ascending starts, int64, shape (windows,).
    """
    regular = np.arange(0, samples - window + 1, stride, dtype=np.int64)
    last = samples - window
    return regular if regular[-1] == last else np.append(regular, last)


def chunks(samples: int, window: int, stride: int, most: int) -> Iterator[Chunk]:
    """Cut a recording into chunks whose windows, one after the other, are exactly those of `window_starts`.

    Args:
        samples: Length of the recording, at least `window`.
        window: Length of a window.
        stride: Distance between regular windows.
        most: Windows that one chunk may hold, at least 1.

    Yields:
        Chunks in order; the window that ends at the last sample is a chunk of its own where it is not a regular one.
    """
    n_regular = (samples - window) // stride + 1
    for first in range(0, n_regular, most):
        last = min(first + most, n_regular) - 1
        yield Chunk(first * stride, last * stride + window)
    if (samples - window) % stride:
        yield Chunk(samples - window, samples)
