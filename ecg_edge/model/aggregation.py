"""From window scores to the probabilities of windows and of recordings."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.spec import ModelSpec


def window_probabilities(scores: NDArray[np.floating], average: str) -> NDArray[np.floating]:
    """Return the probability of each window.

    Args:
        scores: Of each window: probabilities, or logits where `average` is "logit".
        average: "probability" or "logit".
    """
    # The hyperbolic tangent is the sigmoid without its overflow.
    return 0.5 + 0.5 * np.tanh(scores.astype(np.float64) / 2) if average == "logit" else scores


def mean_probability(scores: NDArray[np.floating], average: str) -> NDArray[np.floating]:
    """Return the probability of a recording from the scores of its windows, shape (windows, labels)."""
    return window_probabilities(scores.mean(axis=0, dtype=np.float64), average)


class WindowMean:
    """The mean over the windows that count, window by window, in memory that does not grow.

    Args:
        spec: Of the model whose scores they are.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.windows = 0
        """All that were added."""
        self.counted = 0
        """Those that count."""
        self._total = np.zeros(len(spec.labels))

    def add(self, scores: NDArray[np.float32], counts: NDArray[np.bool_]) -> None:
        """Add windows.

        Args:
            scores: Shape (windows, labels).
            counts: Which of them count, shape (windows,).
        """
        self.windows += len(scores)
        self.counted += int(np.count_nonzero(counts))
        self._total = self._total + scores[counts].sum(axis=0, dtype=np.float64)

    def copy(self) -> "WindowMean":
        """Return another that goes on from here on its own."""
        other = WindowMean(self.spec)
        other.windows, other.counted, other._total = self.windows, self.counted, self._total
        return other

    def probability(self) -> list[float] | None:
        """Return the probability of each label, none where the scores are beyond measure; one window must count."""
        if not np.isfinite(self._total).all():
            return None
        mean = (self._total / self.counted)[None]
        return [float(each) for each in mean_probability(mean, self.spec.average)]
