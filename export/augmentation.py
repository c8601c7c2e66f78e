"""Random changes of a training batch that leave its labels true: what devices, patients and rooms do to an ECG."""

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
    lead_dropout: float = 0.08
    """Probability that a lead is zero."""
    stretch: float = 0.1
    """Relative spread of a batch's speed."""
    share: float = 0.0
    """Share of the records of a batch that a device disturbs: each of the following with a probability of one half."""
    wander_mv: float = 0.5
    """Upper limit of the slow sines of each lead, 0.05 to 0.5 Hz."""
    hum_mv: float = 0.1
    """Upper limit of the mains hum, 50 or 60 Hz with harmonics."""
    muscle_mv: float = 0.05
    """Upper limit of the root mean square of noise above 20 Hz."""
    high_pass_hz: tuple[float, float] = (0.05, 0.7)
    """Limits of the cut-off frequency of a filter of first or second order."""
    low_pass_hz: tuple[float, float] = (25.0, 150.0)
    """Limits of the cut-off frequency of a filter of second order."""
    rates: tuple[int, ...] = (100, 250)
    """Sampling rates through which a batch is resampled, Hz."""
    step_mv: float = 0.01
    """Upper limit of the step of the converter."""


def cut(ecg: Tensor, crop: int, settings: AugmentationSettings, random: Generator) -> Tensor:
    """Cut one random stretch of each record, all a little faster or slower.

    Args:
        ecg: Millivolts, shape (batch, leads, samples), samples >= crop.
        crop: Samples of the result.
        settings: Strengths.
        random: Source of all randomness.

    Returns:
        Shape (batch, leads, crop).
    """
    samples = ecg.shape[2]
    speed = float(torch.empty(1).uniform_(1 - settings.stretch, 1 + settings.stretch, generator=random))
    length = min(samples, round(crop * speed))
    starts = torch.randint(0, samples - length + 1, (len(ecg),), generator=random).tolist()
    x = torch.stack([ecg[i, :, start : start + length] for i, start in enumerate(starts)])
    return functional.interpolate(x, size=crop, mode="linear", align_corners=False)


def augment(x: Tensor, settings: AugmentationSettings, random: Generator) -> Tensor:
    """Disturb a batch.

    Args:
        x: Millivolts, shape (batch, leads, samples).
        settings: Strengths.
        random: Source of all randomness.

    Returns:
        The same shape.
    """
    n, leads, samples = x.shape
    draw = _Draw(n, leads, random, x.device)
    x = x * torch.exp(settings.gain * draw.normal(1)) * torch.exp(settings.lead_gain * draw.normal(leads))
    if disturbed := round(settings.share * n):
        of_device = _disturb(x[:disturbed], settings, _Draw(disturbed, leads, random, x.device))
        x = torch.cat([of_device, x[disturbed:]])
    x = x + draw.normal(leads, samples) * draw.uniform(0, settings.noise_mv)
    return x * (draw.uniform(0, 1, leads) >= settings.lead_dropout)


class _Draw:
    """Random numbers for a batch, shape (batch, 1 or leads, 1 or samples)."""

    def __init__(self, n: int, leads: int, random: Generator, device: torch.device) -> None:
        self.n, self.leads, self.random, self.device = n, leads, random, device

    def uniform(self, low: float, high: float, leads: int = 1) -> Tensor:
        return torch.empty(self.n, leads, 1).uniform_(low, high, generator=self.random).to(self.device)

    def normal(self, leads: int, samples: int = 1) -> Tensor:
        return torch.randn(self.n, leads, samples, generator=self.random).to(self.device)

    def coin(self, leads: int = 1) -> Tensor:
        return (self.uniform(0, 1, leads) < 0.5).float()

    def log_uniform(self, limits: tuple[float, float]) -> Tensor:
        low, high = limits
        return low * (high / low) ** self.uniform(0, 1)


def _disturb(x: Tensor, settings: AugmentationSettings, draw: _Draw) -> Tensor:
    """Add wander, hum and muscle noise; filter, resample and quantise as a device does."""
    crop = x.shape[2]
    time = torch.arange(crop, device=x.device) / SAMPLING_RATE
    for low, high in ((0.05, 0.2), (0.2, 0.5)):
        height = draw.uniform(0, settings.wander_mv / 2, draw.leads) * draw.coin()
        phase = draw.uniform(0, 1, draw.leads) + draw.uniform(low, high) * time
        x = x + height * torch.sin(2 * torch.pi * phase)
    mains = 50 + 10 * draw.coin()
    height = draw.uniform(0, settings.hum_mv) * draw.coin()
    for harmonic, part in ((1, 1.0), (2, 0.3), (3, 0.2)):
        of_leads = draw.uniform(0, part, draw.leads)
        x = x + height * of_leads * torch.sin(2 * torch.pi * (draw.uniform(0, 1) + harmonic * mains * time))
    x = _filter(x, settings, draw)
    if bool(torch.randint(2, (1,), generator=draw.random)):
        rate = settings.rates[int(torch.randint(len(settings.rates), (1,), generator=draw.random))]
        fewer = functional.interpolate(x, size=crop * rate // SAMPLING_RATE, mode="linear", align_corners=False)
        x = functional.interpolate(fewer, size=crop, mode="linear", align_corners=False)
    step = draw.uniform(1e-4, settings.step_mv)
    return torch.where(draw.coin() > 0, (x / step).round() * step, x)


def _filter(x: Tensor, settings: AugmentationSettings, draw: _Draw) -> Tensor:
    """Add muscle noise and filter; causal filters, so that the phase is that of a device."""
    crop = x.shape[2]
    hertz = torch.fft.rfftfreq(crop, 1 / SAMPLING_RATE).to(x.device)
    above = (hertz >= 20).float()
    rms = draw.uniform(0, settings.muscle_mv) * draw.coin()
    white = torch.fft.rfft(draw.normal(draw.leads, crop)) * (above / above.mean().sqrt())
    spectrum = torch.fft.rfft(x) + rms * white
    ratio = 1j * hertz / draw.log_uniform(settings.high_pass_hz)
    high_pass = torch.where(draw.coin() > 0, ratio / (1 + ratio), ratio**2 / (1 + 2**0.5 * ratio + ratio**2))
    response = torch.where(draw.coin() > 0, high_pass, torch.ones_like(ratio))
    ratio = 1j * hertz / draw.log_uniform(settings.low_pass_hz)
    low_pass = 1 / (1 + 2**0.5 * ratio + ratio**2)
    response = response * torch.where(draw.coin() > 0, low_pass, torch.ones_like(ratio))
    filtered: Tensor = torch.fft.irfft(spectrum * response, n=crop)
    return filtered
