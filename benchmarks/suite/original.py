"""The original system's networks and ours on the same record, in one run. The ratio is the result.

Random weights, one thread. On a CPU processor time counts, so that a busy machine does not distort it. Needs the
export's requirements.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch

from benchmarks.original_ways import WAYS, Case, Way
from ecg_edge.bench.records import read_example
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Cost, interleave_calls, time_call
from ecg_edge.model.inference import window_scores
from ecg_edge.recording import Recording
from export.original.rules import ARCHITECTURES, RULES, Rule
from export.original.scaler import SAMPLES

OURS = "ours"

# A short call is repeated for this time in each round; otherwise its data would not be in the cache.
_BLOCK_S = 0.1

Ways = dict[tuple[str, str], Way]
"""By name and stage."""


def measure(setup: Setup) -> Iterator[Row]:
    """Yield the time of each stage in each way and the ratios to ours, for each window rule of the original."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for rule in RULES.values():
            yield from _measure_rule(setup, rule)
    finally:
        torch.set_num_threads(threads)


def _measure_rule(setup: Setup, rule: Rule) -> Iterator[Row]:
    ways = _prepare_ways(setup, rule)
    seconds = _measure_seconds(setup, ways)
    for (name, stage), way in ways.items():
        samples = tuple(value * 1e3 for value in seconds[name, stage])
        yield Row(f"{rule.name} rule, {stage}: {name}", "ms", samples, {"windows": way.windows}, provider=way.provider)
    both = {name: np.sum([seconds[name, stage] for stage in ARCHITECTURES], axis=0) for name in (*WAYS, OURS)}
    for name in WAYS:
        ratios = tuple((both[name] / both[OURS]).tolist())
        details = {"rule": rule.name, "way": name}
        yield Row(f"{rule.name} rule, both stages: {name} / {OURS}", "x", ratios, details, higher_is_better=True)


def _measure_seconds(setup: Setup, ways: Ways) -> dict[tuple[str, str], list[float]]:
    """Return what one call of each way takes, round by round."""
    warm_up = {key: (time_call(way.call), time_call(way.call))[1] for key, way in ways.items()}
    times = {key: max(1, int(_BLOCK_S / cost.wall)) for key, cost in warm_up.items()}
    blocks = {"/".join(key): partial(_repeat, way.call, times[key]) for key, way in ways.items()}
    costs = interleave_calls(blocks, setup.effort)
    return {key: [_choose_clock(setup, cost) / times[key] for cost in costs["/".join(key)]] for key in ways}


def _repeat(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()


def _choose_clock(setup: Setup, cost: Cost) -> float:
    return cost.processor if setup.provider == "cpu" else cost.wall


def _prepare_ways(setup: Setup, rule: Rule) -> Ways:
    recording = Recording(read_example("inferior_infarction"))
    ways: Ways = {}
    for stage in ARCHITECTURES:
        case = Case(rule, stage, recording.stretch(0, SAMPLES), setup.provider)
        ways |= {(name, stage): make(case) for name, make in WAYS.items()}
        ways[OURS, stage] = _prepare_ours(setup, stage, recording)
    return ways


def _prepare_ours(setup: Setup, stage: str, recording: Recording) -> Way:
    model = setup.detector.infarction if stage == "infarction" else setup.detector.localization
    windows = len(window_scores(model, [recording])[0])
    return Way(lambda: window_scores(model, [recording]), windows, model.provider)
