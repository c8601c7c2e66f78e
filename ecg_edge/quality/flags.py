"""The flags that are followed through a recording: one row a rule and lead, in one table a length of time step."""

from collections.abc import Iterator, Mapping
from copy import copy, deepcopy
from functools import cache
from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecg_edge.quality.episodes import Episodes, EpisodeTracker
from ecg_edge.quality.measures import MAINS_HZ
from ecg_edge.quality.rules import RULES
from ecg_edge.recording.leads import LEADS

LIMITS = {code: rule.limit for code, rule in RULES.items()}
"""Limit of each rule by its code."""


class Row(NamedTuple):
    """What one flag is about."""

    code: str
    """Code of the rule."""
    lead: str | None = None
    """Lead, None if the rule looks at all leads together."""
    hz: int | None = None
    """Mains frequency, None for rules that are not about mains hum."""


# The order of the rows is the order of the notes in a report.
BLOCK_ROWS = (
    *(Row("over_range", lead) for lead in LEADS),
    Row("leads_over_range"),
    Row("dead_leads"),
    Row("unusable"),
)
"""Flags of each block of 0.2 s."""
GAP_ROWS = tuple(Row("not_finite", lead) for lead in LEADS)
"""Flags of each block of 0.2 s in which a sample is missing."""
FLAT_ROWS = tuple(Row("flat_lead", lead) for lead in LEADS)
"""Flags of each block of 0.2 s that ends a second of such blocks."""
FAINT_ROWS = (*(Row("faint_chest_lead", lead) for lead in LEADS[6:]), Row("low_amplitude"))
"""Flags of each second that ends five such seconds."""
BEAT_ROWS = (Row("no_qrs"),)
"""Flags of every five seconds."""
SECOND_ROWS = (
    *(Row(code) for code in ("too_large", "too_small", "faint_chest_leads", "clipped_leads", "limb_leads")),
    Row("pacing_spikes"),
    *(Row("mains_hum", lead, hz) for hz in MAINS_HZ for lead in LEADS),
    *(Row(code, lead) for code in ("clipped_lead", "baseline_wander", "muscle_noise") for lead in LEADS),
)
"""Flags of each whole second."""


class RaisedFlag(NamedTuple):
    """A flag that was raised in at least one time step."""

    row: Row
    episodes: Episodes
    share: float
    """Share of the steps in which it was raised, more than 0 and at most 1."""


class FlagTable:
    """Rows of flags, followed through recordings of equal length.

    Args:
        n_recordings: Number of recordings.
        rows: What the flags are about. Rows of one code are neighbours.
        step_s: Length of a time step in seconds.
        on_end: Number of steps on end for which a flag must hold. It is raised from the first of them.
    """

    def __init__(self, n_recordings: int, rows: tuple[Row, ...], step_s: float, on_end: int = 1) -> None:
        self._n_recordings, self._rows = n_recordings, rows
        self._rows_of = _find_rows(rows)
        self._on_end = on_end
        self._latest = np.zeros((n_recordings * len(rows), on_end - 1), bool)
        self._tracker = EpisodeTracker(n_recordings * len(rows), step_s, on_end - 1)

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        """Return an independent copy. The rows never change, so the copies share them."""
        other = copy(self)
        other._tracker = deepcopy(self._tracker, memo)  # noqa: SLF001
        return other

    @property
    def n_steps(self) -> int:
        """Number of time steps so far."""
        return self._tracker.n_steps

    def push(self, raised: Mapping[str, NDArray[np.bool_]], n_steps: int) -> None:
        """Add the next time steps.

        Args:
            raised: Flags by code, shape (recordings, rows of the code, steps). Flags of other codes are not raised.
            n_steps: Number of steps.
        """
        if not raised and not self._latest.any():
            self._tracker.skip(n_steps)
            return
        flags = np.zeros((self._n_recordings, len(self._rows), n_steps), bool)
        for code, where in raised.items():
            flags[:, self._rows_of[code]] = where
        rows = flags.reshape(-1, n_steps)
        self._tracker.push(rows if self._on_end == 1 else self._find_lasting(rows))

    def _find_lasting(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return in which steps each flag has held for `on_end` steps."""
        flags = np.concatenate([self._latest, flags], axis=1)
        self._latest = flags[:, 1 - self._on_end :].copy()
        lasting: NDArray[np.bool_] = np.logical_and.reduce(sliding_window_view(flags, self._on_end, axis=1), axis=-1)
        return lasting

    def find_raised(self, recording: int) -> Iterator[RaisedFlag]:
        """Yield the flags of a recording that were raised, in the order of the rows."""
        first = recording * len(self._rows)
        for flag in self._tracker.find_raised(range(first, first + len(self._rows))):
            yield RaisedFlag(self._rows[flag - first], self._tracker.episodes_of(flag), self._tracker.share_of(flag))

    def total_s(self, recording: int, code: str) -> float:
        """Return for how many seconds the flag of a code was raised. The code must have one row."""
        return self._tracker.total_s(recording * len(self._rows) + self._rows_of[code].start)


@cache
def _find_rows(rows: tuple[Row, ...]) -> dict[str, slice]:
    """Return the rows of each code."""
    codes = [row.code for row in rows]
    firsts = {code: codes.index(code) for code in dict.fromkeys(codes)}
    return {code: slice(first, first + codes.count(code)) for code, first in firsts.items()}
