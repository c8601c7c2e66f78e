import numpy as np
import pytest

from export.choices import choose, choose_across, compute_probabilities, find_best_f1_threshold


@pytest.fixture
def made():
    """Logits of three epochs, the second the best, far too sure, for one common and one rare label."""
    random = np.random.default_rng(0)
    truth = np.stack([random.random(400) < 0.3, np.arange(400) < 3], axis=1).astype(np.float32)
    noise = random.normal(0, 1, (3, 400, 1, 2)) + random.normal(0, 0.1, (3, 400, 5, 2))
    skill = np.array([0.2, 1.5, 0.5])[:, None, None, None]
    logits = 6 * (skill * (truth[None, :, None] - 0.5) + noise)
    return logits.astype(np.float32), truth


def test_the_best_epoch_is_chosen(made):
    assert choose(*made).epoch == 1


def test_probabilities_are_calibrated(made):
    logits, truth = made
    probability = compute_probabilities(logits, choose(logits, truth))[:, 0]
    assert probability.mean() == pytest.approx(truth[:, 0].mean(), abs=0.02)
    assert choose(logits, truth).slope[0] < 1


def test_a_label_with_too_few_positives_gets_the_fallback(made):
    choice = choose(*made)
    assert (choice.slope[1], choice.intercept[1], choice.threshold[1]) == (1, 0, 0.5)


def test_the_threshold_has_the_best_f1():
    truth = np.array([0, 0, 1, 0, 1, 1], np.float32)
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
    assert find_best_f1_threshold(truth, probability) == pytest.approx(0.25)


def test_no_record_has_a_say_in_its_own_answer(made):
    logits, truth = made
    folds = np.arange(400) % 5
    before, found = choose_across(logits, truth, folds, np.ones(400, bool))
    flipped = truth.copy()
    flipped[folds == 0] = 1 - flipped[folds == 0]
    after, found_after = choose_across(logits, flipped, folds, np.ones(400, bool))
    np.testing.assert_array_equal(before[folds == 0], after[folds == 0])
    np.testing.assert_array_equal(found[folds == 0], found_after[folds == 0])
    assert not np.array_equal(before[folds != 0], after[folds != 0])
