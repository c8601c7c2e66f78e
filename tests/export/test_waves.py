"""The waves that the plausibility network learns beside the kinds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecg_edge.package_data import example_recordings
from ecg_edge.recording import LEADS
from export.plausibility.records import SAMPLES, Records
from export.plausibility.spoiling import KINDS, NOT_ECG, exchange_limbs, plan_kind, plan_nothing
from export.plausibility.training import N_AUXILIARY, compare_waves
from export.plausibility.waves import WAVES, measure_waves, to_targets

NORMAL = np.load(example_recordings() / "normal.npy")[:, :SAMPLES]
P, QRS, T = range(len(WAVES))


def make_records(*signals):
    names = tuple(f"record_{i}" for i in range(len(signals)))
    microvolts = np.stack([(1000 * signal).round().astype(np.int16) for signal in signals])
    return Records(names, ("made",) * len(names), names, microvolts, np.full(len(names), SAMPLES))


def test_a_normal_heart_has_p_and_t_towards_the_foot():
    (waves,) = measure_waves(make_records(NORMAL))
    ii, avr = waves[LEADS.index("II")], waves[LEADS.index("aVR")]
    assert (ii > 0.03).all()
    assert (avr < -0.03).all()
    assert ii[T] > ii[P]


@pytest.mark.parametrize("electrodes", ["RL", "RF", "LF"])
def test_waves_of_exchanged_leads_are_the_exchanged_waves(electrodes):
    matrix = exchange_limbs(*electrodes)
    waves, exchanged = measure_waves(make_records(NORMAL, matrix @ NORMAL))
    np.testing.assert_allclose(exchanged, matrix @ waves, atol=0.01)
    assert np.abs(exchanged - waves)[:6].max() > 0.05


def test_an_offset_changes_no_wave():
    waves, moved = measure_waves(make_records(NORMAL, NORMAL + np.linspace(-5, 5, 12, dtype=np.float32)[:, None]))
    np.testing.assert_allclose(moved, waves, atol=0.005)


def test_a_record_without_beats_has_no_waves():
    assert np.isnan(measure_waves(make_records(np.zeros_like(NORMAL)))).all()


def test_no_wave_is_one_half():
    assert to_targets(torch.zeros(1, 12, len(WAVES))).eq(0.5).all()


def test_waves_are_asked_for_only_where_there_are_some():
    random = torch.Generator().manual_seed(0)
    waves = measure_waves(make_records(NORMAL, np.zeros_like(NORMAL), NORMAL))
    plan = plan_nothing(3, random)
    plan = replace(plan, target=plan.target.index_put((torch.tensor([2]), torch.tensor([NOT_ECG])), torch.tensor(1.0)))
    logits = torch.zeros(3, N_AUXILIARY, requires_grad=True)
    compare_waves(logits, waves, plan).backward()
    assert (logits.grad.abs().sum(dim=1) > 0).tolist() == [True, False, False]


def test_the_right_waves_are_those_of_the_leads_as_they_are_exchanged():
    random = torch.Generator().manual_seed(0)
    waves, plan = measure_waves(make_records(NORMAL)), plan_kind("la_ll", 1, random)
    shown = exchange_limbs("L", "F") @ waves[0]
    right, wrong = (torch.logit(to_targets(torch.from_numpy(x)[None]).flatten(1)) for x in (shown, waves[0]))
    assert compare_waves(right, waves, plan) < compare_waves(wrong, waves, plan)
    assert KINDS[int(plan.target.argmax())] == "la_ll"
