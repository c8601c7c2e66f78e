"""Each model's size, and which operators take its time on one record."""

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
        made = profile(file.content, setup.detector.provenance.provider, ecg, _CALLS * setup.effort.repeat)
        totals = tuple(sum(each.values()) for each in made.by_operator)
        top = {node: _median(made.by_node, node) for node in _greatest(made.by_node)}
        yield Row(f"{stage}: all operators", "ms", totals, {"top_nodes_ms": top})
        for operator in _greatest(made.by_operator):
            times = tuple(each[operator] for each in made.by_operator)
            yield Row(f"{stage}: {operator}", "ms", times, {"share": median(times) / median(totals)})


def _greatest(counts: list[Counter[str]]) -> list[str]:
    return sorted(counts[0], key=lambda key: -_median(counts, key))[:_SHOWN]


def _median(counts: list[Counter[str]], key: str) -> float:
    return median(each[key] for each in counts)
