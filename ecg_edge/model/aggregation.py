"""From window scores to the probabilities of windows and of recordings."""

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.spec import ModelSpec


def window_probabilities(scores: NDArray[np.floating], average: str) -> NDArray[np.floating]:
    """Return the probability of each window.

    Args:
        scores: Probability of each window, or its logit if `average` is "logit".
        average: "probability" or "logit".
    """
    # The sigmoid by the hyperbolic tangent does not overflow.
    return 0.5 + 0.5 * np.tanh(scores.astype(np.float64) / 2) if average == "logit" else scores


def mean_probability(scores: NDArray[np.floating], average: str) -> NDArray[np.floating]:
    """Return the probability of a recording from the scores of its windows, shape (windows, labels)."""
    return window_probabilities(scores.mean(axis=0, dtype=np.float64), average)


class WindowMean:
    """The mean over the windows that count. Its memory does not grow with the number of windows.

    Args:
        spec: Spec of the model that gave the scores.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.windows = 0
        """Number of windows added."""
        self.counted = 0
        """Number of windows that count."""
        self.incomplete = 0
        """Number of windows with missing samples. None of them counts."""
        self._total = np.zeros(len(spec.labels))

    def add(self, scores: NDArray[np.float32], countable: NDArray[np.bool_]) -> None:
        """Add windows.

        Args:
            scores: Shape (windows, labels); NaN if samples of a window are missing.
            countable: Whether each window counts, shape (windows,).
        """
        self.windows += len(scores)
        counted = int(np.count_nonzero(countable))
        self.counted += counted
        if counted < len(scores):
            self.incomplete += int(np.count_nonzero(np.isnan(scores[:, 0])))
        self._total = self._total + scores[countable].sum(axis=0, dtype=np.float64)

    def copy(self) -> "WindowMean":
        """Return an independent copy."""
        other = WindowMean(self.spec)
        other.windows, other.counted, other.incomplete = self.windows, self.counted, self.incomplete
        other._total = self._total
        return other

    def probability(self) -> list[float] | None:
        """Return the probability of each label, or None if a score is not finite. At least one window must count."""
        if not np.isfinite(self._total).all():
            return None
        mean = (self._total / self.counted)[None]
        return [float(probability) for probability in mean_probability(mean, self.spec.average)]
