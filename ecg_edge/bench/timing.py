"""Clocks and repetition."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Cost(NamedTuple):
    """What one call took, in seconds."""

    wall: float
    processor: float
    """Of all threads of this process; it does not grow when other programs want the processor too."""


class Effort(NamedTuple):
    """How long to measure one figure."""

    repeat: int
    """Samples at most, at least 1."""
    seconds: float
    """After these no further sample is begun; the first one is always taken."""


def timed(call: Callable[[], object]) -> Cost:
    """Call once."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return Cost(time.perf_counter() - wall, time.process_time() - processor)


def repeated(call: Callable[[], object], effort: Effort) -> list[Cost]:
    """Call again and again."""
    return interleaved({"": call}, effort)[""]


def interleaved(calls: Mapping[str, Callable[[], object]], effort: Effort) -> dict[str, list[Cost]]:
    """Call all in turn, round after round, so that a change of the machine's speed meets each of them alike.

    Returns:
        As many costs of each call as there were rounds.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in calls}
    end = time.perf_counter() + effort.seconds
    for round_ in range(effort.repeat):
        if round_ and time.perf_counter() > end:
            break
        for name, call in calls.items():
            costs[name].append(timed(call))
    return costs


def walls(costs: list[Cost], scale: float = 1) -> tuple[float, ...]:
    """Return the wall times, multiplied by `scale`."""
    return tuple(cost.wall * scale for cost in costs)
