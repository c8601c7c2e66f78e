"""From nothing to the first answer, and against the imports alone."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from ecg_edge.bench.child import command_line, module, python
from ecg_edge.bench.records import example_path
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Effort, interleaved, walls

BARE = "import numpy, onnxruntime"
TARGET = 1.5
_RUN = "ecg-edge run FILE"


def measure(setup: Setup) -> Iterator[Row]:
    """Yield the steps of a cold start, then whole processes, one after the other in each round."""
    file = str(example_path("inferior_infarction"))
    steps: list[dict[str, float]] = []

    def first_answer() -> None:
        models = [str(setup.models)] if setup.models else []
        steps.append(module("ecg_edge.bench.first_answer", file, setup.provider, *models))

    calls: dict[str, Callable[[], object]] = {
        "interpreter": partial(python, "-c", "pass"),
        BARE: partial(python, "-c", BARE),
        _RUN: partial(python, *command_line(file, *setup.options)),
        "steps": first_answer,
    }
    interleaved(calls, Effort(1, 0))  # files come into the cache, bytecode is written
    steps.clear()
    # Seven figures at once, and the ratio wants many rounds.
    costs = interleaved(calls, Effort(3 * setup.effort.repeat, 3 * setup.effort.seconds))
    yield Row("interpreter", "ms", walls(costs["interpreter"], 1e3), provider="none")
    for step in steps[0]:
        yield Row(step, "ms", tuple(run[step] * 1e3 for run in steps))
    yield Row(BARE, "ms", walls(costs[BARE], 1e3), {"with": "interpreter"}, provider="none")
    yield Row(_RUN, "ms", walls(costs[_RUN], 1e3), {"with": "interpreter"})
    ratios = tuple(run.wall / bare.wall for run, bare in zip(costs[_RUN], costs[BARE], strict=True))
    yield Row(f"{_RUN} / {BARE}", "x", ratios, {"target": TARGET, "met": median(ratios) <= TARGET})
