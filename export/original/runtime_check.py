"""The last check: the runtime answers the exported file as torch does, tails and chunks included."""

import hashlib
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecg_edge.model.aggregation import mean_probability
from ecg_edge.model.inference import window_scores
from ecg_edge.model.manifest import CheckedFile
from ecg_edge.model.session import Model
from ecg_edge.model.windows import window_starts
from ecg_edge.recording import Recording
from export.checks import LENGTHS, TOLERANCE
from export.errors import ValuesError
from export.original.reference import Reference


def check_runtime(content: bytes, reference: Reference, signal: NDArray[np.float32]) -> None:
    """Raise a ValuesError unless the runtime answers as torch does, for short and long recordings.

    Args:
        content: The ONNX file.
        reference: The torch module with the expected answers.
        signal: Millivolts, shape (12, samples).
    """
    model = Model(CheckedFile(Path("made.onnx"), content, hashlib.sha256(content).hexdigest()))
    spec = reference.spec
    for samples in (*LENGTHS, 5000 + spec.stride // 2):
        ecg = np.tile(signal, ceil(samples / signal.shape[1]))[:, :samples]
        starts = window_starts(samples, spec.window, spec.stride, spec.tail)
        logits = reference.logits(torch.from_numpy(ecg[None]), starts.tolist())[0].double()
        expected = logits.mean(0).sigmoid() if spec.average == "logit" else logits.sigmoid().mean(0)
        (scores,) = window_scores(model, [Recording(ecg)])
        difference = np.abs(mean_probability(scores, spec.average) - expected.numpy()).max()
        if not difference <= TOLERANCE:
            msg = f"the runtime differs from torch by {difference:.1e} on a recording of {samples} samples"
            raise ValuesError(msg)
