"""The torch module that an ONNX file is compared with."""

from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from export.choices import Choice
from export.network import Convolution, Network


class Exported(nn.Module):
    """A trained network with its calibration, and the mean over windows.

    Args:
        network: Trained, in evaluation mode.
        choice: Its calibration.
    """

    def __init__(self, network: Network, choice: Choice) -> None:
        super().__init__()
        self.network = fuse_batch_norms(network)
        self.slope = nn.Buffer(torch.from_numpy(choice.slope))
        self.intercept = nn.Buffer(torch.from_numpy(choice.intercept))

    def forward(self, ecg: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, 12, samples) to probability (batch, labels) and window probability (batch, windows, labels)."""
        window_probability = torch.sigmoid(self.network(ecg) * self.slope + self.intercept)
        return window_probability.mean(dim=1), window_probability


def fuse_batch_norms(network: Network) -> Network:
    """Return a copy with the batch norms merged into the convolutions."""
    copy = deepcopy(network).eval()
    for module in list(copy.modules()):
        if isinstance(module, Convolution):
            module.convolution = fuse_conv_bn_eval(module.convolution, cast("nn.BatchNorm2d", module.norm))
            module.norm = nn.Identity()
    return copy
