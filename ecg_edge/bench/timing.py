"""Clocks and repetition."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Cost(NamedTuple):
    """Time of one call, in seconds."""

    wall: float
    processor: float
    """Of all threads of this process; other programs do not increase it."""


class Effort(NamedTuple):
    """How long to measure one figure."""

    repeat: int
    """Maximum number of samples, at least 1."""
    seconds: float
    """No sample starts after this time; the first sample is always taken."""


def time_call(call: Callable[[], object]) -> Cost:
    """Call once and return the cost."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return Cost(time.perf_counter() - wall, time.process_time() - processor)


def repeat_call(call: Callable[[], object], effort: Effort) -> list[Cost]:
    """Call repeatedly and return the cost of each call."""
    return interleave_calls({"": call}, effort)[""]


def interleave_calls(calls: Mapping[str, Callable[[], object]], effort: Effort) -> dict[str, list[Cost]]:
    """Call all in turn, round after round, so that a change of the machine's speed affects all calls equally.

    Returns:
        The costs of each call, one for each round.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in calls}
    end = time.perf_counter() + effort.seconds
    for round_ in range(effort.repeat):
        if round_ and time.perf_counter() > end:
            break
        for name, call in calls.items():
            costs[name].append(time_call(call))
    return costs


def list_wall_times(costs: list[Cost], scale: float = 1) -> tuple[float, ...]:
    """Return the wall times, multiplied by `scale`."""
    return tuple(cost.wall * scale for cost in costs)
