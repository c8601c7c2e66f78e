"""The window-exact networks: an unpadded convolution trunk and a transformer block, joined, pooled, fully connected."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEADS = 12
OUTPUT_BIAS = "members.0.output.bias"
"""Of the weights, the one that has a number for each output."""


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Sizes of a network."""

    window: int
    """Samples of a window."""
    stride: int
    """Samples between windows, a multiple of the hop."""
    convolutions: tuple[tuple[int, int, int], ...]
    """(channels, kernel, stride) of each convolution; the product of the strides is the hop."""
    residual_kernel: int = 3
    residual_blocks: int = 1
    heads: int = 4
    neighbours: int = 8
    """Frames that each frame attends to: half of them before it, the frame itself, and the rest after it."""
    feed_forward: int = 96
    hidden: int = 64
    dropout: float = 0.3
    members: int = 1
    """Number of networks of these sizes side by side, with different random starts."""
    baseline: int = 0
    """Places of the first kernel, side by side, whose mean is the baseline of the middle one; odd; 0: no baseline."""

    def __post_init__(self) -> None:
        """Refuse a neighbourhood that is larger than a window, and a baseline that has no middle."""
        if self.baseline and (self.baseline < 3 or self.baseline % 2 == 0):
            msg = f"baseline must be 0 or an odd number from 3, found {self.baseline}"
            raise ValueError(msg)
        if not 0 < self.neighbours <= self.frames:
            msg = f"neighbours must be 1 to {self.frames}, the frames of a window; found {self.neighbours}"
            raise ValueError(msg)

    @property
    def hop(self) -> int:
        """Samples between frames."""
        hop = 1
        for _, _, stride in self.convolutions:
            hop *= stride
        return hop

    @property
    def frames(self) -> int:
        """Frames of one window."""
        length = self.window
        for i, (_, kernel, stride) in enumerate(self.convolutions):
            length = (length - kernel) // stride + 1
            if i == 0 and self.baseline:
                length -= (self.baseline - 1) * (kernel // stride)
        return length - 2 * self.residual_blocks * (self.residual_kernel - 1)


class Convolution(nn.Module):
    """Unpadded convolution and batch norm along time."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        # 2-D with height 1: onnxruntime has blocked CPU kernels for 2-D convolutions only.
        self.convolution = nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, 1, samples) to (batch, outputs, 1, fewer samples)."""
        normed: Tensor = self.norm(self.convolution(x))
        return normed


class BaselineFree(Convolution):
    """A convolution whose outputs do not see the baseline: each of them minus its mean over the places around it.

    The places lie side by side, so the mean is that of all samples around the kernel. The convolution is linear, so
    this is the convolution of the leads minus their moving average: a constant of any size gives zero. Frames
    without a whole neighbourhood have no output.
    """

    deviation: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, n_places: int) -> None:
        super().__init__(inputs, outputs, kernel, stride)
        self.spacing = kernel // stride
        deviation = torch.full((outputs, 1, 1, n_places), -1 / n_places)
        deviation[..., n_places // 2] += 1
        self.register_buffer("deviation", deviation, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, 1, samples) to (batch, outputs, 1, fewer samples)."""
        weight, bias = self.convolution.weight, self.convolution.bias
        seen = functional.conv2d(x, weight, stride=self.convolution.stride)
        # A bias before the deviation would be lost, as any other constant.
        free = functional.conv2d(seen, self.deviation, bias, dilation=(1, self.spacing), groups=len(weight))
        normed: Tensor = self.norm(free)
        return normed


class _Residual(nn.Module):
    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, kernel, 1)
        self.second = Convolution(channels, channels, kernel, 1)
        self.margin = kernel - 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(functional.relu(self.first(x)))
        return functional.relu(x[..., self.margin : -self.margin] + y)


class Attention(nn.Module):
    """Self-attention of each frame to its neighbourhood, parallel to a feed-forward layer, once over a recording.

    It is unpadded like the trunk: frames without a whole neighbourhood have no output, so a window needs only its own
    frames. A learned bias for each place in the neighbourhood gives the order.
    """

    def __init__(self, channels: int, settings: NetworkSettings) -> None:
        super().__init__()
        self.neighbours = settings.neighbours
        self.heads, self.width = settings.heads, channels // settings.heads
        self.norm = nn.LayerNorm(channels)
        # The bias of the norm already shifts the queries, and the softmax ignores a shift of the keys.
        self.projections = nn.Linear(channels, 3 * channels, bias=False)
        self.output = nn.Linear(channels, channels)
        self.feed_forward = nn.Sequential(
            nn.Linear(channels, settings.feed_forward), nn.ReLU(), nn.Linear(settings.feed_forward, channels)
        )
        self.place_bias = nn.Parameter(torch.zeros(settings.heads, self.neighbours))
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, frames, channels) to the frames with a whole neighbourhood, which are `neighbours - 1` fewer."""
        normed = self.norm(x)
        inner = slice(self.neighbours // 2, x.shape[1] - (self.neighbours - 1) // 2)
        query, key, value = (
            part.unflatten(2, (self.heads, self.width)).transpose(1, 2)
            for part in self.projections(normed).chunk(3, dim=-1)
        )  # b h f c
        scores = query[:, :, inner] / self.width**0.5 @ key.transpose(-1, -2) + self._bias(x.shape[1])
        mixed = (functional.softmax(scores, dim=-1) @ value).transpose(1, 2).flatten(2)
        own = (x + self.feed_forward(normed))[:, inner]
        joined: Tensor = own + self.dropout(self.output(mixed))
        return joined

    def _bias(self, frames: int) -> Tensor:
        """Return the bias of each score, shape (heads, frames - neighbours + 1, frames), minus infinity outside."""
        at = torch.arange(frames, device=self.place_bias.device)
        place = at - at[: frames - self.neighbours + 1, None]
        outside = (place < 0) | (place >= self.neighbours)
        bias = self.place_bias[:, place.clamp(0, self.neighbours - 1)]
        return bias.masked_fill(outside, float("-inf"))


class Member(nn.Module):
    """One network, from recordings to one logit per window and output."""

    def __init__(self, settings: NetworkSettings, n_outputs: int) -> None:
        super().__init__()
        self.settings = settings
        layers: list[nn.Module] = []
        inputs = LEADS
        for channels, kernel, stride in settings.convolutions:
            if settings.baseline and not layers:
                layers.append(BaselineFree(inputs, channels, kernel, stride, settings.baseline))
            else:
                layers.append(Convolution(inputs, channels, kernel, stride))
            layers.append(nn.ReLU())
            inputs = channels
        layers += [_Residual(inputs, settings.residual_kernel) for _ in range(settings.residual_blocks)]
        self.trunk = nn.Sequential(*layers)
        self.attention = Attention(inputs, settings)
        self.hidden = nn.Linear(4 * inputs, settings.hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(settings.hidden, n_outputs)

    def forward(self, ecg: Tensor, stride: int) -> Tensor:
        """Map (batch, 12, samples) to logits (batch, windows, outputs), windows `stride` samples apart."""
        frames = self.trunk(ecg.unsqueeze(2)).squeeze(2)  # batch, channels, frames
        attended = self.attention(frames.transpose(1, 2)).transpose(1, 2)
        size, step = self.settings.frames, stride // self.settings.hop
        pooled = [
            pool(branch, length, step)
            for branch, length in ((frames, size), (attended, size - self.settings.neighbours + 1))
            for pool in (functional.avg_pool1d, functional.max_pool1d)
        ]
        joined = self.dropout(torch.cat(pooled, dim=1).transpose(1, 2))
        logits: Tensor = self.output(self.dropout(functional.relu(self.hidden(joined))))
        return logits


class Network(nn.Module):
    """A network of one or more members, whose logits are averaged.

    Args:
        settings: Sizes.
        n_labels: Outputs that the model file keeps.
        n_auxiliary: Outputs after the labels, for training only.
    """

    def __init__(self, settings: NetworkSettings, n_labels: int, n_auxiliary: int) -> None:
        super().__init__()
        self.settings, self.n_labels = settings, n_labels
        self.members = nn.ModuleList(Member(settings, n_labels + n_auxiliary) for _ in range(settings.members))

    def member_logits(self, ecg: Tensor, stride: int) -> Tensor:
        """Map (batch, 12, samples) to (members, batch, windows, labels + auxiliary), windows `stride` samples apart."""
        return torch.stack([member(ecg, stride) for member in self.members])

    def forward(self, ecg: Tensor) -> Tensor:
        """Map (batch, 12, samples) in millivolts to logits of the labels (batch, windows, labels)."""
        logits = self.member_logits(ecg, self.settings.stride)[..., : self.n_labels].mean(dim=0)
        # The frames can give one window too many, which ends after the recording.
        return logits[:, : 1 + (ecg.shape[2] - self.settings.window) // self.settings.stride]
