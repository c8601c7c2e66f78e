"""Seconds that the original system's networks take for a record: in eager torch, exported as they are, and lean.

Random weights, one thread, processor time, so that a busy machine does not distort it: `python -m benchmarks.original`.
Needs the export's requirements.
"""

import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from ecg_edge.model import CheckedFile, Model
from ecg_edge.recording import Recording
from ecg_edge.scoring import window_scores
from ecg_edge.windows import n_regular_windows
from export.folder import serialized
from export.original.checkpoint import OriginalNetwork
from export.original.graph import to_onnx
from export.original.reference import Reference
from export.original.rules import ARCHITECTURES, RULES, Rule
from export.original.scaler import SAMPLES, Scaler


@click.command()
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True, help="Of which the median counts.")
def main(runs: int) -> None:
    """Print a table: seconds of one processor core for one record of 5000 samples, both stages."""
    torch.set_num_threads(1)
    click.echo(f"| rule | stage | windows | {' | '.join(_WAYS)} |\n|{'---|' * (3 + len(_WAYS))}")
    for rule in RULES.values():
        for stage in ARCHITECTURES:
            click.echo(_row(rule, stage, runs))


def _row(rule: Rule, stage: str, runs: int) -> str:
    torch.manual_seed(0)
    network = OriginalNetwork(ARCHITECTURES[stage]).eval().requires_grad_(requires_grad=False)
    spec = rule.spec(stage, "0", "nothing")
    reference = Reference(network, spec, Scaler(np.zeros(SAMPLES, np.float32), np.full(SAMPLES, 0.3, np.float32)))
    ecg = np.random.default_rng(0).normal(0, 0.3, (12, SAMPLES)).astype(np.float32)
    count = n_regular_windows(SAMPLES, spec.window, spec.stride, spec.tail)
    times = [_median(make(reference, ecg), runs) for make in _WAYS.values()]
    return f"| {rule.name} | {stage} | {count} | {' | '.join(f'{each:.3f}' for each in times)} |"


def _median(call: Callable[[], object], runs: int) -> float:
    call()
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def _eager(reference: Reference, ecg: NDArray[np.float32]) -> Callable[[], object]:
    together = torch.from_numpy(ecg[None])
    return lambda: reference(together)


def _as_they_are(reference: Reference, ecg: NDArray[np.float32]) -> Callable[[], object]:
    """One window a call: several together are slower, since their attention leaves the caches."""
    spec = reference.spec
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            reference.network, (torch.zeros(1, 12, spec.window),), dynamo=True, verbose=False, input_names=["ecg"]
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    assert program is not None  # noqa: S101 - None is for another exporter
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString(), options)
    scaled = reference.scaler(ecg[None])
    count = n_regular_windows(SAMPLES, spec.window, spec.stride, spec.tail)

    def windows() -> Iterator[object]:
        for start in range(0, count * spec.stride, spec.stride):
            yield session.run(None, {"ecg": scaled[..., start : start + spec.window]})

    return lambda: list(windows())


def _lean(reference: Reference, ecg: NDArray[np.float32]) -> Callable[[], object]:
    content = serialized(to_onnx(reference.network, reference.spec, reference.scaler))
    model = Model(CheckedFile(Path("lean.onnx"), content, ""))
    return lambda: window_scores(model, [Recording(ecg)])


_WAYS = {"torch eager": _eager, "exported as they are": _as_they_are, "lean": _lean}

if __name__ == "__main__":
    main()
