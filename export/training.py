"""Fit one network, and the folds of one stage."""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export.augmentation import AugmentationSettings, augment
from export.network import Network, NetworkSettings


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a network is fitted."""

    epochs: int = 40
    """Length of the one-cycle schedule."""
    candidates: tuple[int, ...] = (24, 28, 32, 36, 40)
    """Epochs after which the averaged weights are evaluated; the folds choose one of them."""
    crop: int = 2400
    """Samples of each record seen in one step."""
    stride: int = 400
    """Samples between the windows of a crop; neighbours closer than that add cost and little else."""
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    """Decay of the moving average of the weights, per step."""
    auxiliary_weight: float = 0.5
    """Weight of the loss of the auxiliary targets."""
    mixup: float = 0.0
    """Parameter of the Beta distribution by which pairs of records are mixed; 0 mixes none."""
    smoothing: float = 0.0
    """Targets are drawn this far towards one half: the labels are opinions."""
    seed: int = 0
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)


def fit(
    network_settings: NetworkSettings,
    settings: TrainingSettings,
    signals: NDArray[np.float32],
    targets: NDArray[np.float32],
    n_labels: int,
    weight: NDArray[np.float32],
    share: NDArray[np.float32],
    report: Callable[[int, float], None],
) -> Iterator[tuple[int, Network]]:
    """Fit a network and yield its averaged weights after each candidate epoch.

    The loss is the binary cross-entropy of a record's mean window probability, because that is the number users see.

    Args:
        network_settings: Sizes.
        settings: Schedule, loss and augmentation.
        signals: Millivolts, shape (records, 12, samples).
        targets: In [0, 1], shape (records, labels + auxiliary).
        n_labels: How many of the targets the model file keeps.
        weight: Weight of each record's label loss, shape (records,).
        share: How much of the epochs each record takes part in, in (0, 1], shape (records,).
        report: Called after each epoch with its number and its mean loss.

    Yields:
        Epoch (from 1) and the network, on the CPU and in evaluation mode.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    network = Network(network_settings, n_labels, targets.shape[1] - n_labels).to(device)
    averaged = deepcopy(network)
    x, y, weights = (torch.from_numpy(a).to(device) for a in (signals, targets, weight))
    drawn = torch.from_numpy(share)
    positives = (y.cpu() * drawn[:, None]).sum(dim=0).clamp(min=1)
    positive_weight = ((drawn.sum() - positives) / positives).sqrt().clamp(max=10).to(device)
    n_drawn = round(float(drawn.sum()))
    steps = math.ceil(n_drawn / settings.batch)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * steps, pct_start=0.2
    )
    step = 0
    for epoch in range(1, max(settings.candidates) + 1):
        network.train()
        total = 0.0
        for rows in _draw(drawn, n_drawn, random).split(settings.batch):
            rows = rows.to(device)
            crop = augment(x[rows], settings.crop, settings.augmentation, random)
            target = y[rows]
            if settings.mixup:
                share = float(np.random.default_rng([settings.seed, step]).beta(settings.mixup, settings.mixup))
                crop, target = (
                    share * crop + (1 - share) * crop.roll(1, 0),
                    share * target + (1 - share) * target.roll(1, 0),
                )
            target = target * (1 - settings.smoothing) + settings.smoothing / 2
            loss = _loss(
                network(crop, settings.stride),
                target,
                weights[rows],
                positive_weight,
                n_labels,
                settings.auxiliary_weight,
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            _average(averaged, network, min(settings.averaging, step / (step + 10)))
            total += float(loss.detach()) * len(rows)
        report(epoch, total / n_drawn)
        if epoch in settings.candidates:
            yield epoch, deepcopy(averaged).cpu().eval()


def _draw(share: Tensor, n: int, random: torch.Generator) -> Tensor:
    """Return n rows in random order: those with share 1 always, the others by turns of chance."""
    key = torch.rand(len(share), generator=random) - (share >= 1).float()
    rows = key.argsort()[:n]
    return rows[torch.randperm(n, generator=random)]


import os
WINDOW_LOSS = bool(os.environ.get('WINDOW_LOSS'))
def _loss(
    logits: Tensor, target: Tensor, weight: Tensor, positive_weight: Tensor, n_labels: int, auxiliary_weight: float
) -> Tensor:
    if WINDOW_LOSS:
        each = functional.binary_cross_entropy_with_logits(logits, target[:, None].expand_as(logits), reduction="none").mean(dim=1)
    else:
        probability = torch.sigmoid(logits).mean(dim=1).clamp(1e-6, 1 - 1e-6)
        each = functional.binary_cross_entropy(probability, target, reduction="none")
    each = each * (1 + (positive_weight - 1) * target)
    labels = (each[:, :n_labels].mean(dim=1) * weight).sum() / weight.sum()
    if logits.shape[-1] == n_labels:
        return labels
    return labels + auxiliary_weight * each[:, n_labels:].mean()


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(new, 1 - decay)
        else:
            mean.copy_(new)


@torch.no_grad()
def window_logits(network: Network, signals: NDArray[np.float32], batch: int = 16) -> NDArray[np.float32]:
    """Logits of the kept labels.

    Returns:
        Shape (records, windows, labels).
    """
    parts = [network(torch.from_numpy(signals[i : i + batch])) for i in range(0, len(signals), batch)]
    return torch.cat(parts)[..., : network.n_labels].numpy()
