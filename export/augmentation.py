"""Random changes of a training batch that leave its labels true."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

SAMPLING_RATE = 500


@dataclass(frozen=True, slots=True)
class AugmentationSettings:
    """Strengths of the changes."""

    gain: float = 0.15
    """Relative spread of the gain of a record."""
    lead_gain: float = 0.05
    """Relative spread of the gain of each lead."""
    noise_mv: float = 0.02
    """Upper limit of a record's white noise."""
    wander_mv: float = 0.1
    """Upper limit of a lead's slow sine."""
    lead_dropout: float = 0.05
    """Probability that a lead is zero."""
    stretch: float = 0.1
    """Relative spread of a batch's speed."""


def augment(ecg: Tensor, crop: int, settings: AugmentationSettings, random: Generator) -> Tensor:
    """Cut one random stretch of `crop` samples from each record and disturb it.

    Args:
        ecg: Millivolts, shape (batch, leads, samples), samples >= crop.
        crop: Samples of the result.
        settings: Strengths.
        random: Source of all randomness.

    Returns:
        Shape (batch, leads, crop).
    """
    n, leads, samples = ecg.shape

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(shape).uniform_(low, high, generator=random).to(ecg.device)

    speed = float(uniform(1 - settings.stretch, 1 + settings.stretch, 1))
    length = min(samples, round(crop * speed))
    starts = torch.randint(0, samples - length + 1, (n,), generator=random).tolist()
    x = torch.stack([ecg[i, :, start : start + length] for i, start in enumerate(starts)])
    x = functional.interpolate(x, size=crop, mode="linear", align_corners=False)
    gain = torch.exp(settings.gain * torch.randn((n, 1, 1), generator=random).to(ecg.device))
    lead_gain = torch.exp(settings.lead_gain * torch.randn((n, leads, 1), generator=random).to(ecg.device))
    noise = torch.randn(x.shape, generator=random).to(ecg.device) * uniform(0, settings.noise_mv, n, 1, 1)
    time = torch.arange(crop, device=ecg.device) / SAMPLING_RATE
    phase = uniform(0, 1, n, leads, 1) + uniform(0.05, 0.5, n, 1, 1) * time
    wander = uniform(0, settings.wander_mv, n, leads, 1) * torch.sin(2 * torch.pi * phase)
    keep = uniform(0, 1, n, leads, 1) >= settings.lead_dropout
    return (x * gain * lead_gain + noise + wander) * keep
