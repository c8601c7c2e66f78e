"""Recordings that are mixed from two people: beats between theirs, the rhythm of one, and nobody who is held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg_edge.recording import LEADS
from export.measurements.beats import BEFORE, make_median_beat
from export.measurements.measure import NAMES
from export.mixing import find_own_beats, mix, mix_recordings
from export.stages import INFARCTION, LOCALIZATION
from export.teaching import make_examples, measure_dataset

EXAMPLES = Path(__file__).parents[2] / "examples"
NORMAL, INFERIOR = (np.load(EXAMPLES / f"{name}.npy").astype(np.float64) for name in ("normal", "inferior_infarction"))
QRS = slice(BEFORE - 30, BEFORE + 40)


@pytest.fixture
def people(dataset):
    """The labels of the made dataset, with heartbeats: whoever is ill has the infarction of the example."""
    random = np.random.default_rng(0)
    ill = dataset.infarction[:, 0] > 0
    gains = random.uniform(0.8, 1.2, len(ill))
    signals = np.where(ill[:, None, None], INFERIOR, NORMAL) * gains[:, None, None]
    return replace(dataset, signals=(signals + random.normal(0, 0.005, signals.shape)).astype(np.float32))


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_beat_lies_between_those_of_two_people(share):
    own, other = find_own_beats(NORMAL), find_own_beats(INFERIOR)
    mixed = make_median_beat(mix(NORMAL, own, other.median, share)).millivolts
    expected = share * own.median + (1 - share) * other.median
    assert np.abs(other.median - own.median)[:, QRS].max() > 0.5
    np.testing.assert_allclose(mixed[:, QRS], expected[:, QRS], atol=0.06)


def test_rhythm_and_relations_between_leads_stay():
    own, other = find_own_beats(NORMAL), find_own_beats(INFERIOR)
    mixed = mix(NORMAL, own, other.median, 0.3)
    np.testing.assert_allclose(find_own_beats(mixed).places, own.places, atol=10)
    i, ii, iii, avf = (mixed[LEADS.index(lead)] for lead in ("I", "II", "III", "aVF"))
    np.testing.assert_allclose(iii, ii - i, atol=0.01)
    np.testing.assert_allclose(avf, (ii + iii) / 2, atol=0.01)


def test_a_beat_of_another_shape_stays():
    own, other = find_own_beats(NORMAL), find_own_beats(INFERIOR)
    place = own.places[4]
    odd = NORMAL.copy()
    odd[:, place - 60 : place + 60] *= -1
    mixed = mix(odd, own, other.median, 0.3)
    np.testing.assert_array_equal(mixed[:, place - 30 : place + 30], odd[:, place - 30 : place + 30])
    assert np.abs(mixed - odd)[:, own.places[5]].max() > 0.05


def test_the_same_seed_makes_the_same_recordings(people):
    once, again, other = (mix_recordings(people, 12, seed) for seed in (0, 0, 1))
    assert len(once.people) == len(once.microvolts) == len(once.measured) == 12
    np.testing.assert_array_equal(once.microvolts, again.microvolts)
    np.testing.assert_array_equal(once.measured, again.measured)
    assert once.people == again.people != other.people


def test_recordings_without_beats_and_a_count_of_none_give_none(people):
    flat = replace(people, signals=np.zeros_like(people.signals))
    for mixed in (mix_recordings(flat, 12, 0), mix_recordings(people, 0, 0)):
        assert mixed.microvolts.shape == (0, 12, 5000)
        assert mixed.measured.shape == (0, len(NAMES))
        assert mixed.people == ()


@pytest.mark.parametrize("stage", [INFARCTION, LOCALIZATION], ids=lambda stage: stage.name)
def test_networks_learn_mixed_recordings_of_those_who_are_not_held_out(people, stage):
    stage = replace(stage, mixed=40, mixed_weight=0.25, healthy_share=1.0)
    measured, folds = measure_dataset(stage, people), people.folds(5, 0)
    rows = folds != 0
    held_out = {people.patients[i] for i in np.flatnonzero(~rows)}
    free = [not held_out & set(pair) for pair in measured.mixed.people]
    assert len(free) == 64
    assert 20 < sum(free) < 64
    plain, examples = (
        make_examples(changed, people, measured, rows, folds) for changed in (replace(stage, mixed=0), stage)
    )
    used = np.flatnonzero(free)[:40]
    assert len(examples.signals) == len(plain.signals) + len(used)
    made = slice(len(plain.signals), None)
    np.testing.assert_array_equal(examples.signals[made], measured.mixed.signals(used))
    assert examples.weight[made].max() <= 0.25
    assert examples.targets[made].min() >= 0
    assert examples.targets[made].max() <= 1


def test_a_mixed_recording_is_as_ill_as_it_looks(people):
    stage = replace(INFARCTION, mixed=60)
    everyone, folds = np.ones(60, np.bool_), people.folds(5, 0)
    measured = measure_dataset(stage, people)
    examples = make_examples(stage, people, measured, everyone, folds)
    # The first twenty records are of people who have one record with an infarction and one without.
    ill = dict(zip(people.patients[20:], people.infarction[20:, 0] > 0, strict=True))
    number = np.array([sum(ill.get(person, np.nan) for person in pair) for pair in measured.mixed.people[:60]])
    answer = examples.targets[60:, 0]
    assert answer[number == 2].min() > 0.5 > answer[number == 0].max()
