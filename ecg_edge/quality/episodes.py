"""Flags over time, kept in constant memory: where each held first, in how many stretches, and how long in all."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Episodes(NamedTuple):
    """Where one flag held."""

    start_s: float
    """Start of the first stretch."""
    stop_s: float
    """End of the first stretch."""
    stretches: int
    """How many there are."""
    total_s: float
    """How long they are together."""


class EpisodeTracker:
    """Follows several flags through a recording, unit of time by unit of time.

    Args:
        flags: How many there are.
        step_s: Length of a unit in seconds.
        lead_in: Units by which a stretch is longer than its flags: those that had to pass before the first was raised.
    """

    def __init__(self, flags: int, step_s: float, lead_in: int = 0) -> None:
        self.n_steps = 0
        self._step_s, self._lead_in = step_s, lead_in
        self._ever = False
        self._raised = np.zeros(flags, bool)
        self._count = np.zeros(flags, np.int64)
        self._total = np.zeros(flags, np.int64)
        self._first = np.zeros((flags, 2), np.int64)

    def push(self, flags: NDArray[np.bool_]) -> None:
        """Go on by the units of `flags`, shape (flags, units)."""
        if not flags.shape[1]:
            return
        if not flags.any() and not self._raised.any():
            self.n_steps += flags.shape[1]
            return
        self._ever = True
        start, self.n_steps = self.n_steps, self.n_steps + flags.shape[1]
        for flag in np.flatnonzero(flags.any(axis=1)):
            before = np.concatenate([self._raised[flag : flag + 1], flags[flag]])
            changes = np.diff(before.astype(np.int8))
            rises, falls = np.flatnonzero(changes > 0) + start, np.flatnonzero(changes < 0) + start
            self._note_first(int(flag), rises, falls)
            self._count[flag] += len(rises)
            self._total[flag] += np.count_nonzero(flags[flag])
        self._first[self._raised & ~flags[:, 0] & (self._first[:, 1] < 0), 1] = start
        self._raised = flags[:, -1].copy()

    def skip(self, units: int) -> None:
        """Go on by so many units without any flag."""
        if self._ever and self._raised.any():
            self.push(np.zeros((len(self._raised), units), bool))
        else:
            self.n_steps += units

    def _note_first(self, flag: int, rises: NDArray[np.intp], falls: NDArray[np.intp]) -> None:
        if self._count[flag] == 0:
            self._first[flag] = rises[0], -1
        if self._first[flag, 1] < 0 and len(falls):
            self._first[flag, 1] = falls[0]

    def share(self, flag: int) -> float:
        """Return the share of the time for which a flag was raised, 0 to 1."""
        return float(self._total[flag] / max(1, self.n_steps))

    def raised(self) -> list[int]:
        """Return the flags that were raised at all."""
        raised: list[int] = np.flatnonzero(self._total).tolist() if self._ever else []
        return raised

    def held(self, flag: int) -> Episodes:
        """Return where a flag that was raised held."""
        start, stop = (int(each) for each in self._first[flag])
        stop = self.n_steps if stop < 0 else stop
        start_s, stop_s = (start - self._lead_in) * self._step_s, stop * self._step_s
        return Episodes(start_s, stop_s, int(self._count[flag]), self.total_s(flag))

    def total_s(self, flag: int) -> float:
        """Return for how many seconds a flag held."""
        return float(self._total[flag] + self._count[flag] * self._lead_in) * self._step_s
