"""The original network in eager torch, one window after the other. The exported file must give its answers."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ecg_edge.model.spec import ModelSpec
from ecg_edge.model.windows import n_regular_windows
from export.original.checkpoint import OriginalNetwork
from export.original.scaler import Scaler


class Reference(nn.Module):
    """Answers recordings in the plainest and slowest way.

    Args:
        network: The network of a checkpoint.
        spec: Stride, tail and averaging of the windows.
        scaler: The original scaler.
    """

    def __init__(self, network: OriginalNetwork, spec: ModelSpec, scaler: Scaler) -> None:
        super().__init__()
        self.network, self.spec, self.scaler = network, spec, scaler

    def forward(self, ecg: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, 12, samples) to probability (batch, labels) and window probability (batch, windows, labels)."""
        spec = self.spec
        count = n_regular_windows(ecg.shape[2], spec.window, spec.stride, spec.tail)
        logits = self.logits(ecg, range(0, count * spec.stride, spec.stride))
        windows = torch.sigmoid(logits)
        if spec.average == "logit":
            return torch.sigmoid(logits.mean(dim=1)), windows
        return windows.mean(dim=1), windows

    def logits(self, ecg: Tensor, starts: Iterable[int]) -> Tensor:
        """Return the logits of the windows that begin at `starts`, shape (batch, windows, labels)."""
        scaled = torch.from_numpy(self.scaler(ecg.numpy()))
        with torch.no_grad():
            logits = [self.network(scaled[..., start : start + self.spec.window]) for start in starts]
        return torch.stack(logits, dim=1)
