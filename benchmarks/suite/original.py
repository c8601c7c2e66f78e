"""The original system's networks and ours on the same record, in one run: the ratio is what counts.

Random weights, one thread. On a CPU processor time counts, so that a busy machine does not distort it. Needs the
export's requirements.
"""

from collections.abc import Callable, Iterator, Mapping

import torch

from benchmarks.original_ways import WAYS, Case, Way
from ecg_edge.bench.records import example
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Cost, Effort, interleaved
from ecg_edge.detector import window_scores
from ecg_edge.recording import Recording
from export.original.rules import ARCHITECTURES, RULES, Rule
from export.original.scaler import SAMPLES

OURS = "ours"

Calls = Mapping[tuple[str, str], Way]
"""By way and stage."""


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
    calls = _calls(setup, rule)
    named: dict[str, Callable[[], object]] = {_name(rule, *key): way.call for key, way in calls.items()}
    interleaved(named, Effort(1, 0))
    costs = interleaved(named, setup.effort)
    for key, way in calls.items():
        samples = tuple(_seconds(setup, cost) * 1e3 for cost in costs[_name(rule, *key)])
        yield Row(_name(rule, *key), "ms", samples, {"windows": way.windows}, provider=way.provider)
    both = {
        name: _both_stages(setup, [costs[_name(rule, name, stage)] for stage in ARCHITECTURES])
        for name in (*WAYS, OURS)
    }
    for name in WAYS:
        ratios = tuple(theirs / ours for theirs, ours in zip(both[name], both[OURS], strict=True))
        details = {"rule": rule.name, "way": name}
        yield Row(f"{rule.name} rule, both stages: {name} / {OURS}", "x", ratios, details, higher_is_better=True)


def _calls(setup: Setup, rule: Rule) -> Calls:
    recording = Recording(example("inferior_infarction"))
    calls: dict[tuple[str, str], Way] = {}
    for stage in ARCHITECTURES:
        case = Case(rule, stage, recording.stretch(0, SAMPLES), setup.provider)
        calls |= {(name, stage): make(case) for name, make in WAYS.items()}
        calls[OURS, stage] = _ours(setup, stage, recording)
    return calls


def _ours(setup: Setup, stage: str, recording: Recording) -> Way:
    model = setup.detector.infarction if stage == "infarction" else setup.detector.localization
    windows = len(window_scores(model, [recording])[0])
    return Way(lambda: window_scores(model, [recording]), windows, model.provider)


def _both_stages(setup: Setup, stages: list[list[Cost]]) -> list[float]:
    return [sum(_seconds(setup, cost) for cost in round_) for round_ in zip(*stages, strict=True)]


def _seconds(setup: Setup, cost: Cost) -> float:
    return cost.processor if setup.provider == "cpu" else cost.wall


def _name(rule: Rule, way: str, stage: str) -> str:
    return f"{rule.name} rule, {stage}: {way}"
