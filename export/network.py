"""The window-exact networks: an unpadded convolution trunk and a transformer block, joined, pooled, fully connected."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEADS = 12


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Sizes of a network."""

    window: int
    """Samples of a window."""
    stride: int
    """Samples between windows; the trunk's hop divides it."""
    convolutions: tuple[tuple[int, int, int], ...]
    """(channels, kernel, stride) of each convolution; the product of the strides is the hop."""
    residual_kernel: int = 3
    residual_blocks: int = 1
    heads: int = 4
    feed_forward: int = 96
    hidden: int = 64
    dropout: float = 0.3
    members: int = 1
    """Networks of these sizes side by side, each from its own random start."""

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
        for _, kernel, stride in self.convolutions:
            length = (length - kernel) // stride + 1
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
    """Self-attention within each window, parallel to a feed-forward layer, over frames shared by all windows.

    Layer norm, projections and the feed-forward layer see one frame each, so they run once per recording; only scores,
    their softmax and the output projection belong to a window. Order is known by a learned bias for each distance.
    """

    def __init__(self, channels: int, settings: NetworkSettings) -> None:
        super().__init__()
        self.frames = settings.frames
        self.heads, self.width = settings.heads, channels // settings.heads
        self.norm = nn.LayerNorm(channels)
        self.projections = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)
        self.feed_forward = nn.Sequential(
            nn.Linear(channels, settings.feed_forward), nn.ReLU(), nn.Linear(settings.feed_forward, channels)
        )
        self.distance_bias = nn.Parameter(torch.zeros(settings.heads, 2 * self.frames - 1))
        self.dropout = nn.Dropout(0.1)

    def position_bias(self) -> Tensor:
        """Bias of each score, shape (heads, frames, frames)."""
        at = torch.arange(self.frames, device=self.distance_bias.device)
        return self.distance_bias[:, at[:, None] - at[None, :] + self.frames - 1]

    def forward(self, x: Tensor, step: int) -> Tensor:
        """Map frames (batch, frames, channels) to (batch, windows, window frames, channels), `step` frames apart."""
        normed = self.norm(x)
        own = x + self.feed_forward(normed)
        query, key, value = self.projections(normed).chunk(3, dim=-1)
        query, key, value = (
            part.unfold(1, self.frames, step).unflatten(2, (self.heads, self.width))  # b w h c t
            for part in (query / self.width**0.5, key, value)
        )
        scores = query.transpose(-1, -2) @ key + self.position_bias()
        mixed = functional.softmax(scores, dim=-1) @ value.transpose(-1, -2)  # b w h t c
        mixed = self.output(mixed.transpose(2, 3).flatten(3))
        joined: Tensor = own.unfold(1, self.frames, step).transpose(2, 3) + self.dropout(mixed)
        return joined


class Member(nn.Module):
    """One network: recordings to one logit per window and output."""

    def __init__(self, settings: NetworkSettings, n_outputs: int) -> None:
        super().__init__()
        self.settings = settings
        layers: list[nn.Module] = []
        inputs = LEADS
        for channels, kernel, stride in settings.convolutions:
            layers += [Convolution(inputs, channels, kernel, stride), nn.ReLU()]
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
        size, step = self.settings.frames, stride // self.settings.hop
        windows = self.attention(frames.transpose(1, 2), step)
        pooled = [
            functional.avg_pool1d(frames, size, step).transpose(1, 2),
            functional.max_pool1d(frames, size, step).transpose(1, 2),
            windows.mean(dim=2),
            windows.amax(dim=2),
        ]
        joined = self.dropout(torch.cat(pooled, dim=-1))
        logits: Tensor = self.output(self.dropout(functional.relu(self.hidden(joined))))
        return logits


class Network(nn.Module):
    """A few members whose logits are averaged.

    Args:
        settings: Sizes.
        n_labels: Outputs that the model file keeps.
        n_auxiliary: Further outputs, for training only, that follow them.
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
        return self.member_logits(ecg, self.settings.stride)[..., : self.n_labels].mean(dim=0)
