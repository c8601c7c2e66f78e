"""The size of each model, and the time of its operators on one record."""

from collections import Counter
from collections.abc import Iterator
from statistics import median

from benchmarks.operators import profile
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.model.manifest import read_files

_CALLS = 20  # for each sample that other benchmarks take
_SHOWN = 12


def measure(setup: Setup) -> Iterator[Row]:
    """Yield size, operators and nodes of each stage."""
    recording = setup.recordings[0]
    ecg = recording.stretch(0, recording.samples)[None]
    for stage, file in read_files(setup.detector.folder, "models").items():
        yield Row(f"{stage}: size", "KiB", (len(file.content) / 1024,), {"sha256": file.sha256}, provider="none")
        profiled = profile(file.content, setup.detector.provenance.provider, ecg, _CALLS * setup.effort.repeat)
        totals = tuple(sum(call.values()) for call in profiled.by_operator)
        top = {node: _compute_median(profiled.by_node, node) for node in _find_greatest(profiled.by_node)}
        yield Row(f"{stage}: all operators", "ms", totals, {"top_nodes_ms": top})
        for operator in _find_greatest(profiled.by_operator):
            times = tuple(call[operator] for call in profiled.by_operator)
            yield Row(f"{stage}: {operator}", "ms", times, {"share": median(times) / median(totals)})


def _find_greatest(counts: list[Counter[str]]) -> list[str]:
    return sorted(counts[0], key=lambda key: -_compute_median(counts, key))[:_SHOWN]


def _compute_median(counts: list[Counter[str]], key: str) -> float:
    return median(call[key] for call in counts)
