"""Ways to answer one record with a network of the original system."""

import logging
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecg_edge.model.inference import window_scores
from ecg_edge.model.manifest import CheckedFile
from ecg_edge.model.runtime import onnxruntime
from ecg_edge.model.session import PROVIDERS, Model
from ecg_edge.model.spec import ModelSpec
from ecg_edge.model.windows import n_regular_windows
from ecg_edge.recording import Recording
from export.folder import serialize
from export.original.checkpoint import OriginalNetwork
from export.original.graph import to_onnx
from export.original.rules import ARCHITECTURES, Rule
from export.original.scaler import SAMPLES, Scaler


@dataclass(frozen=True, slots=True)
class Way:
    """One way, ready to be measured."""

    call: Callable[[], object]
    windows: int
    """Number of windows that one call answers."""
    provider: str
    """Library and device that really compute."""


@dataclass
class Case:
    """One stage of the original system, by one of its rules, with random weights."""

    rule: Rule
    stage: str
    ecg: NDArray[np.float32]
    """Millivolts, shape (12, SAMPLES)."""
    provider: str
    """A key of `PROVIDERS`."""

    @cached_property
    def network(self) -> OriginalNetwork:
        """The network with random weights."""
        torch.manual_seed(0)
        return OriginalNetwork(ARCHITECTURES[self.stage]).eval().requires_grad_(requires_grad=False)

    @cached_property
    def spec(self) -> ModelSpec:
        """Specification with the windows of the rule."""
        return self.rule.spec(self.stage, "0", "nothing")

    @cached_property
    def scaler(self) -> Scaler:
        """Scaler of the same size as the original's."""
        return Scaler(np.zeros(SAMPLES, np.float32), np.full(SAMPLES, 0.3, np.float32))

    @property
    def starts(self) -> range:
        """First samples of the windows."""
        spec = self.spec
        count = n_regular_windows(SAMPLES, spec.window, spec.stride, spec.tail)
        return range(0, count * spec.stride, spec.stride)

    def windows(self) -> list[NDArray[np.float32]]:
        """Scale the record and cut it, as the original does, each (1, 12, window)."""
        scaled = self.scaler(self.ecg[None])
        return [scaled[..., start : start + self.spec.window] for start in self.starts]

    def run_in_torch(self, answer: Callable[[OriginalNetwork, list[Tensor]], Tensor]) -> Way:
        """Return a way in eager torch; `answer` maps the windows to logits."""
        device = "cuda" if self.provider == "cuda" and torch.cuda.is_available() else "cpu"
        network = deepcopy(self.network).to(device)

        def call() -> Tensor:
            with torch.no_grad():
                return answer(network, [torch.from_numpy(window).to(device) for window in self.windows()]).cpu()

        return Way(call, len(self.starts), f"torch {torch.__version__} {device}")


def run_window_by_window(case: Case) -> Way:
    """Answer one window after the other, as the original notebook does."""
    return case.run_in_torch(lambda network, windows: torch.cat([network(window) for window in windows]))


def run_batched(case: Case) -> Way:
    """Answer all windows of the record in one call."""
    return case.run_in_torch(lambda network, windows: network(torch.cat(windows)))


def run_plain_export(case: Case) -> Way:
    """Run the plain ONNX export, one window a call; several together are slower, because they exceed the caches."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        window = torch.zeros(1, 12, case.spec.window)
        program = torch.onnx.export(case.network, (window,), dynamo=True, verbose=False, input_names=["ecg"])
    assert program is not None  # noqa: S101 - None is for another exporter
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    content, wanted = program.model_proto.SerializeToString(), PROVIDERS[case.provider]
    session = onnxruntime.InferenceSession(content, options, providers=[wanted])
    return Way(
        lambda: [session.run(None, {"ecg": window}) for window in case.windows()],
        len(case.starts),
        session.get_providers()[0],
    )


def run_our_export(case: Case) -> Way:
    """Run the model that `python -m export convert` writes."""
    content = serialize(to_onnx(case.network, case.spec, case.scaler))
    model = Model(CheckedFile(Path("original.onnx"), content, ""), case.provider)
    recording = Recording(case.ecg)
    return Way(lambda: window_scores(model, [recording]), len(case.starts), model.provider)


WAYS: dict[str, Callable[[Case], Way]] = {
    "torch, window by window": run_window_by_window,
    "torch, batched": run_batched,
    "exported as they are": run_plain_export,
    "through our exporter": run_our_export,
}
