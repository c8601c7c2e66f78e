"""Time from process start to the first answer, compared with the imports alone."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from ecg_edge.bench.child import build_command, run_module, run_python
from ecg_edge.bench.records import find_example
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Effort, interleave_calls, list_wall_times

BARE = "import numpy, onnxruntime"
TARGET = 1.5
_RUN = "ecg-edge run FILE"


def measure(setup: Setup) -> Iterator[Row]:
    """Yield the steps of a cold start, then whole processes, all in each round."""
    file = str(find_example("inferior_infarction"))
    steps: list[dict[str, float]] = []

    def measure_first_answer() -> None:
        models = [str(setup.models)] if setup.models else []
        steps.append(run_module("ecg_edge.bench.first_answer", file, setup.provider, *models))

    calls: dict[str, Callable[[], object]] = {
        "interpreter": partial(run_python, "-c", "pass"),
        BARE: partial(run_python, "-c", BARE),
        _RUN: partial(run_python, *build_command(file, *setup.options)),
        "steps": measure_first_answer,
    }
    interleave_calls(calls, Effort(1, 0))  # load the files into the cache and write the bytecode
    steps.clear()
    # These calls give seven figures, and the ratio needs many rounds.
    costs = interleave_calls(calls, Effort(3 * setup.effort.repeat, 3 * setup.effort.seconds))
    yield Row("interpreter", "ms", list_wall_times(costs["interpreter"], 1e3), provider="none")
    for step in steps[0]:
        yield Row(step, "ms", tuple(run[step] * 1e3 for run in steps))
    yield Row(BARE, "ms", list_wall_times(costs[BARE], 1e3), {"with": "interpreter"}, provider="none")
    yield Row(_RUN, "ms", list_wall_times(costs[_RUN], 1e3), {"with": "interpreter"})
    ratios = tuple(run.wall / bare.wall for run, bare in zip(costs[_RUN], costs[BARE], strict=True))
    yield Row(f"{_RUN} / {BARE}", "x", ratios, {"target": TARGET, "met": median(ratios) <= TARGET})
