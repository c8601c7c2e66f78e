"""Follows flags over time in constant memory: the first episode of a flag, how many there are, how long they last."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Episodes(NamedTuple):
    """The episodes of one flag. An episode is a stretch of time in which the flag is raised throughout."""

    start_s: float
    """Start of the first episode."""
    stop_s: float
    """End of the first episode."""
    n_episodes: int
    """Number of episodes."""
    total_s: float
    """Length of all episodes together."""


class EpisodeTracker:
    """Follows several flags through a recording, one time step after the other.

    Args:
        n_flags: Number of flags.
        step_s: Length of a time step in seconds.
        lead_in: Steps to add at the beginning of each episode: those that had to pass before the flag could be raised.
    """

    def __init__(self, n_flags: int, step_s: float, lead_in: int = 0) -> None:
        self.n_steps = 0
        self._step_s, self._lead_in = step_s, lead_in
        self._ever = False
        self._raised = np.zeros(n_flags, bool)
        self._count = np.zeros(n_flags, np.int64)
        self._total = np.zeros(n_flags, np.int64)
        # The steps in which the first episode starts and stops; -1 if it has not yet.
        self._first = np.full((n_flags, 2), -1, np.int64)

    def push(self, flags: NDArray[np.bool_]) -> None:
        """Add the next time steps.

        Args:
            flags: Whether each flag is raised in each step, shape (flags, steps).
        """
        if not flags.shape[1]:
            return
        if not flags.any() and not self._raised.any():
            self.n_steps += flags.shape[1]
            return
        self._ever = True
        start, self.n_steps = self.n_steps, self.n_steps + flags.shape[1]
        rows = np.flatnonzero(flags.any(axis=1) | self._raised)
        before = np.concatenate([self._raised[rows, None], flags[rows]], axis=1)
        rises, falls = before[:, 1:] & ~before[:, :-1], before[:, :-1] & ~before[:, 1:]
        first = self._first[rows]
        _note_first(first[:, 0], rises, start)
        _note_first(first[:, 1], falls, start)
        self._first[rows] = first
        self._count[rows] += np.count_nonzero(rises, axis=1)
        self._total[rows] += np.count_nonzero(flags[rows], axis=1)
        self._raised = flags[:, -1].copy()

    def skip(self, n_steps: int) -> None:
        """Add time steps in which no flag is raised."""
        if self._ever and self._raised.any():
            self.push(np.zeros((len(self._raised), n_steps), bool))
        else:
            self.n_steps += n_steps

    def find_raised(self, flags: range) -> list[int]:
        """Return which of these flags were raised in at least one step."""
        if not self._ever:
            return []
        raised: list[int] = (np.flatnonzero(self._total[flags.start : flags.stop]) + flags.start).tolist()
        return raised

    def share_of(self, flag: int) -> float:
        """Return the share of the steps in which a flag was raised, 0 to 1."""
        return float(self._total[flag] / max(1, self.n_steps))

    def episodes_of(self, flag: int) -> Episodes:
        """Return the episodes of a flag that was raised."""
        start, stop = (int(step) for step in self._first[flag])
        stop = self.n_steps if stop < 0 else stop
        start_s, stop_s = (start - self._lead_in) * self._step_s, stop * self._step_s
        return Episodes(start_s, stop_s, int(self._count[flag]), self.total_s(flag))

    def total_s(self, flag: int) -> float:
        """Return the length of all episodes of a flag in seconds."""
        return float(self._total[flag] + self._count[flag] * self._lead_in) * self._step_s


def _note_first(first: NDArray[np.int64], changes: NDArray[np.bool_], start: int) -> None:
    """Note the step of the first change of each flag for which none is noted yet."""
    new = np.flatnonzero((first < 0) & changes.any(axis=1))
    first[new] = start + np.argmax(changes[new], axis=1)
