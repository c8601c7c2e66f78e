"""Disturbances of training batches: how much of a batch they reach, and what they do to it."""

from dataclasses import replace

import pytest
import torch

from export.augmentation import AugmentationSettings, augment, cut

STILL = AugmentationSettings(gain=0, lead_gain=0, noise_mv=0, lead_dropout=0, stretch=0)
QUIET = replace(
    STILL,
    share=1.0,
    wander_mv=0,
    hum_mv=0,
    muscle_mv=0,
    high_pass_hz=(1e-6, 1e-6),
    low_pass_hz=(1e6, 1e6),
    rates=(500,),
    step_mv=2e-4,
)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch():
    time = torch.arange(2400) / 500
    beats = torch.exp(-(((time % 0.8) - 0.4) ** 2) / 2e-4)
    beats -= beats.mean()  # a high-pass filter takes any constant away
    return (torch.linspace(-1, 1, 12)[None, :, None] * beats).repeat(8, 1, 1).contiguous()


def disturbed(batch, **changes):
    return augment(batch, replace(QUIET, **changes), random())


def test_without_any_strength_a_batch_stays_as_it_is(batch):
    torch.testing.assert_close(augment(batch, STILL, random()), batch)
    torch.testing.assert_close(disturbed(batch), batch, atol=2e-4, rtol=1e-3)


def test_only_the_share_of_a_batch_is_disturbed(batch):
    result = augment(batch, replace(STILL, share=0.5), random())
    changed = [not torch.equal(a, b) for a, b in zip(result, batch, strict=True)]
    assert changed == [True] * 4 + [False] * 4


def test_the_same_seed_gives_the_same_batch(batch):
    settings = AugmentationSettings(share=0.5)
    torch.testing.assert_close(augment(batch, settings, random(3)), augment(batch, settings, random(3)))


def test_a_crop_is_a_stretch_of_its_record_at_about_its_speed(batch):
    torch.testing.assert_close(cut(batch, 2400, STILL, random()), batch)
    places = torch.arange(2400.0).expand(8, 12, 2400).contiguous()
    crop = cut(places, 1000, replace(STILL, stretch=0.1), random(3))
    assert crop.shape == (8, 12, 1000)
    speed = crop.diff(dim=2)[..., 1:-1]
    assert 0.9 <= float(speed.min()) <= float(speed.max()) <= 1.1
    assert len(crop[:, 0, 0].unique()) > 4


def spectrum(x):
    return torch.fft.rfft(x).abs().square().mean(dim=(0, 1)), torch.fft.rfftfreq(x.shape[2], 1 / 500)


def test_hum_is_at_the_mains_frequency_and_its_harmonics(batch):
    power, hertz = spectrum(disturbed(batch, hum_mv=0.5) - batch)
    harmonics = [50, 60, 100, 120, 150, 180]
    near = (hertz[:, None] - torch.tensor(harmonics)).abs() < 0.5
    assert power[near.any(dim=1)].sum() > 0.9 * power.sum()
    assert (power[:, None] * near).amax(dim=0).min() > 100 * power.median()


def test_wander_is_slow_and_muscle_noise_is_fast(batch):
    power, hertz = spectrum(disturbed(batch, wander_mv=1.0) - batch)
    assert power[hertz < 1].sum() > 5 * power[hertz >= 1].sum()
    power, hertz = spectrum(disturbed(batch, muscle_mv=0.2) - batch)
    assert power[hertz >= 20].sum() > 100 * power[hertz < 20].sum()


def test_high_pass_filters_are_of_first_and_of_second_order(batch):
    slow = torch.sin(2 * torch.pi * 0.25 * torch.arange(2400) / 500).expand(8, 12, 2400).contiguous()
    height = disturbed(slow, high_pass_hz=(0.5, 0.5)).std(dim=2).mean(dim=1) / slow.std()
    # At half the limit: 1 / sqrt(5) and 1 / sqrt(17), or untouched.
    near = (height[:, None] - torch.tensor([0.447, 0.243, 1.0])).abs().argmin(dim=1)
    assert set(near.tolist()) == {0, 1, 2}


def test_filters_take_away_what_is_below_or_above_their_limits(batch):
    offset = batch + 3
    assert disturbed(offset, high_pass_hz=(0.5, 0.5)).mean(dim=(1, 2)).min() < 0.1
    sharp = disturbed(batch, low_pass_hz=(25.0, 25.0)).amax(dim=(1, 2))
    assert sharp.min() < 0.95 * batch.max() < sharp.max()


def test_a_converter_leaves_steps(batch):
    result = disturbed(batch, step_mv=0.5)
    assert min(len(record.unique()) for record in result) < 30
