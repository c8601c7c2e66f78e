"""Fit one network."""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export.augmentation import AugmentationSettings, augment, cut
from export.network import Network, NetworkSettings


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a network is fitted."""

    epochs: int = 40
    """Length of the one-cycle schedule."""
    candidates: tuple[int, ...] = (40,)
    """Epochs after which the averaged weights are kept. The folds choose one of them, if there are several."""
    crop: int = 2400
    """Samples of each record seen in one step."""
    stride: int = 400
    """Samples between the windows of a crop. Closer windows cost more and add little."""
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    """Decay of the moving average of the weights, per step."""
    auxiliary_weight: float = 1.0
    """Weight of the loss of the auxiliary targets."""
    level: Literal["window", "record"] = "record"
    """Whether the loss is of the probability of each window, or of their mean, which users see."""
    smoothing: float = 0.0
    """How far targets move from 0 and 1 towards one half, because labels are opinions."""
    seed: int = 0
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)


@dataclass(frozen=True, slots=True)
class Examples:
    """What a network is fitted to. Row i of each array belongs to the same record."""

    signals: NDArray[np.float32]
    """Millivolts, shape (records, 12, samples)."""
    targets: NDArray[np.float32]
    """In [0, 1], shape (records, labels + auxiliary)."""
    n_labels: int
    """Number of targets that the model file keeps; they come first."""
    weight: NDArray[np.float32]
    """Weight of each record's label loss, shape (records,)."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """Networks whose answers another one learns (distillation; Hinton, Vinyals and Dean 2015)."""

    teachers: Sequence[Network] = ()
    share: float = 0.0
    """Part of the loss that compares with the mean answer of the teachers. The rest compares with the targets."""


def fit(
    sizes: NetworkSettings,
    settings: TrainingSettings,
    examples: Examples,
    teaching: Teaching,
    report: Callable[[int, float], None],
) -> Iterator[tuple[int, Network]]:
    """Fit a network and yield its averaged weights after each candidate epoch.

    Args:
        sizes: Sizes of the network.
        settings: Schedule, loss and augmentation.
        examples: What to fit it to.
        teaching: Teachers, which see each crop before it is disturbed.
        report: Called after each epoch with its number and its mean loss.

    Yields:
        Epoch (from 1) and the network, on the CPU and in evaluation mode.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    network = Network(sizes, examples.n_labels, examples.targets.shape[1] - examples.n_labels).to(device)
    averaged = deepcopy(network)
    x, y, weight = (torch.from_numpy(a).to(device) for a in (examples.signals, examples.targets, examples.weight))
    y = y * (1 - settings.smoothing) + settings.smoothing / 2
    loss_of = _Loss(y, examples.n_labels, settings)
    teachers = [teacher.to(device).eval() for teacher in teaching.teachers]
    steps = math.ceil(len(x) / settings.batch)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * steps, pct_start=0.2
    )
    step = 0
    for epoch in range(1, max(settings.candidates) + 1):
        network.train()
        total = 0.0
        for drawn in torch.randperm(len(x), generator=random).tensor_split(steps):
            rows = drawn.to(device)
            crop = cut(x[rows], settings.crop, settings.augmentation, random)
            logits = network.member_logits(augment(crop, settings.augmentation, random), settings.stride)
            loss = loss_of(logits, y[rows], weight[rows])
            if teachers:
                taught = loss_of.compare(logits, _answer(teachers, crop, settings.stride), weight[rows])
                loss = (1 - teaching.share) * loss + teaching.share * taught
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            average_weights(averaged, network, min(settings.averaging, step / (step + 10)))
            total += float(loss.detach()) * len(rows)
        report(epoch, total / len(x))
        if epoch in settings.candidates:
            yield epoch, deepcopy(averaged).cpu().eval()


class _Loss:
    """Binary cross-entropy. Positives of a rare target weigh more: the root of negatives per positive, at most 10."""

    def __init__(self, targets: Tensor, n_labels: int, settings: TrainingSettings) -> None:
        positives = targets.sum(dim=0).clamp(min=1)
        self.positive_weight = ((len(targets) - positives) / positives).sqrt().clamp(max=10)
        self.n_labels, self.settings = n_labels, settings

    def __call__(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Return the loss of logits (members, batch, windows, targets). `weight` is for the labels' part, (batch,)."""
        probability = torch.sigmoid(logits)
        if self.settings.level == "record":
            probability = probability.mean(dim=2, keepdim=True)
        loss = functional.binary_cross_entropy(
            probability.clamp(1e-6, 1 - 1e-6), target[:, None].expand_as(probability), reduction="none"
        )
        return self._mean(loss * (1 + (self.positive_weight - 1) * target[:, None]), weight)

    def compare(self, logits: Tensor, answer: Tensor, weight: Tensor) -> Tensor:
        """Return the loss of logits beside the probabilities of the teachers, (batch, windows, targets)."""
        loss = functional.binary_cross_entropy_with_logits(logits, answer.expand_as(logits), reduction="none")
        return self._mean(loss, weight)

    def _mean(self, loss: Tensor, weight: Tensor) -> Tensor:
        of_record = loss.mean(dim=(0, 2))
        labels = (of_record[:, : self.n_labels].mean(dim=1) * weight).sum() / weight.sum()
        return labels + self.settings.auxiliary_weight * of_record[:, self.n_labels :].mean()


@torch.no_grad()
def _answer(teachers: Sequence[Network], ecg: Tensor, stride: int) -> Tensor:
    """Return the mean probabilities of the teachers, shape (batch, windows, targets)."""
    return torch.stack([torch.sigmoid(teacher.member_logits(ecg, stride)).mean(dim=0) for teacher in teachers]).mean(0)


@torch.no_grad()
def average_weights(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Move averaged weights towards those of a network; `decay` is the share that stays."""
    for mean, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(new, 1 - decay)
        else:
            mean.copy_(new)


@torch.no_grad()
def compute_window_logits(network: Network, signals: NDArray[np.float32], batch: int = 16) -> NDArray[np.float32]:
    """Return the logits of the labels.

    Returns:
        Shape (records, windows, labels).
    """
    parts = [network(torch.from_numpy(signals[i : i + batch])) for i in range(0, len(signals), batch)]
    return torch.cat(parts).numpy()
