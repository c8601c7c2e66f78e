"""The original system's networks and ours on the same record, in one run: the ratio is what counts.

Random weights, one thread. On a CPU processor time counts, so that a busy machine does not distort it. Needs the
export's requirements.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch

from benchmarks.original_ways import WAYS, Case, Way
from ecg_edge.bench.records import example
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Cost, interleaved, timed
from ecg_edge.model.inference import window_scores
from ecg_edge.recording import Recording
from export.original.rules import ARCHITECTURES, RULES, Rule
from export.original.scaler import SAMPLES

OURS = "ours"

# Of each way and round: a short call is repeated so long, else it would find its data out of the cache each time.
_BLOCK_S = 0.1

Ways = dict[tuple[str, str], Way]
"""By name and stage."""


def measure(setup: Setup) -> Iterator[Row]:
    """Yield, for each rule by which the original lays its windows, each stage in each way, and the ratios to ours."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for rule in RULES.values():
            yield from _rows(setup, rule)
    finally:
        torch.set_num_threads(threads)


def _rows(setup: Setup, rule: Rule) -> Iterator[Row]:
    ways = _ways(setup, rule)
    seconds = _seconds(setup, ways)
    for (name, stage), way in ways.items():
        samples = tuple(each * 1e3 for each in seconds[name, stage])
        yield Row(f"{rule.name} rule, {stage}: {name}", "ms", samples, {"windows": way.windows}, provider=way.provider)
    both = {name: np.sum([seconds[name, stage] for stage in ARCHITECTURES], axis=0) for name in (*WAYS, OURS)}
    for name in WAYS:
        ratios = tuple((both[name] / both[OURS]).tolist())
        details = {"rule": rule.name, "way": name}
        yield Row(f"{rule.name} rule, both stages: {name} / {OURS}", "x", ratios, details, higher_is_better=True)


def _seconds(setup: Setup, ways: Ways) -> dict[tuple[str, str], list[float]]:
    """Return what one call of each way takes, round by round."""
    warm_up = {key: (timed(way.call), timed(way.call))[1] for key, way in ways.items()}
    times = {key: max(1, int(_BLOCK_S / cost.wall)) for key, cost in warm_up.items()}
    blocks = {"/".join(key): partial(_again, way.call, times[key]) for key, way in ways.items()}
    costs = interleaved(blocks, setup.effort)
    return {key: [_counted(setup, cost) / times[key] for cost in costs["/".join(key)]] for key in ways}


def _again(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()


def _counted(setup: Setup, cost: Cost) -> float:
    return cost.processor if setup.provider == "cpu" else cost.wall


def _ways(setup: Setup, rule: Rule) -> Ways:
    recording = Recording(example("inferior_infarction"))
    ways: Ways = {}
    for stage in ARCHITECTURES:
        case = Case(rule, stage, recording.stretch(0, SAMPLES), setup.provider)
        ways |= {(name, stage): make(case) for name, make in WAYS.items()}
        ways[OURS, stage] = _ours(setup, stage, recording)
    return ways


def _ours(setup: Setup, stage: str, recording: Recording) -> Way:
    model = setup.detector.infarction if stage == "infarction" else setup.detector.localization
    windows = len(window_scores(model, [recording])[0])
    return Way(lambda: window_scores(model, [recording]), windows, model.provider)
