import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from ecg_edge.evaluation.calibration import (
    compute_brier,
    compute_ece,
    compute_log_loss,
    cut_into_bins,
    draw_ece_by_chance,
)


def once(truth):
    """Each record once."""
    return np.ones((1, len(truth)))


@pytest.fixture
def honest():
    """Truths that are drawn with the probabilities that are told."""
    random = np.random.default_rng(0)
    probability = random.random(2000)
    return random.random(2000) < probability, probability


def test_honest_probabilities_have_an_error_as_by_chance_and_boasting_ones_a_larger_one(honest):
    truth, probability = honest
    low, high = np.percentile(draw_ece_by_chance(probability), [2.5, 97.5])
    assert 0 < low < compute_ece(truth, probability, once(truth))[0] < high
    boasting = np.where(probability > 0.5, 0.5 + probability / 2, probability / 2)
    assert compute_ece(truth, boasting, once(truth))[0] > np.percentile(draw_ece_by_chance(boasting), 97.5)


def test_the_error_is_the_mean_distance_of_probability_and_share():
    truth = np.arange(100) % 10 < 5
    assert compute_ece(truth, np.full(100, 0.8), once(truth))[0] == pytest.approx(0.3)
    sorted_truth = np.arange(100) >= 50
    error = compute_ece(sorted_truth, np.where(sorted_truth, 0.9, 0.2), once(truth))[0]
    assert error == pytest.approx((0.1 + 0.2) / 2)


def test_the_error_of_a_sample_is_that_of_its_records_written_out(honest):
    truth, probability = (values[:203] for values in honest)
    counts = np.random.default_rng(1).integers(0, 4, (5, 203)).astype(float)
    for sample, error in zip(counts, compute_ece(truth, probability, counts), strict=True):
        rows = np.repeat(np.arange(203), sample.astype(int))
        rows = rows[np.argsort(probability[rows], kind="stable")]
        gaps = [(probability - truth)[part].sum() for part in np.array_split(rows, 10)]
        assert error == pytest.approx(sum(map(abs, gaps)) / len(rows), abs=1e-12)


def test_fewer_records_than_bins_are_bins_of_one():
    truth, probability = np.array([False, True, True]), np.array([0.2, 0.9, 0.6])
    assert compute_ece(truth, probability, once(truth))[0] == pytest.approx((0.2 + 0.1 + 0.4) / 3)
    assert [of_bin.n for of_bin in cut_into_bins(truth, probability)] == [1, 1, 1]
    assert draw_ece_by_chance(probability).max() <= 1


def test_scores_are_the_usual_ones(honest):
    assert compute_brier(*honest, once(honest[0]))[0] == pytest.approx(brier_score_loss(*honest))
    assert compute_log_loss(*honest, once(honest[0]))[0] == pytest.approx(log_loss(*honest))


def test_a_probability_that_was_rounded_to_zero_does_not_make_the_log_loss_infinite():
    assert compute_log_loss(np.array([True]), np.array([0.0]), np.ones((1, 1)))[0] == pytest.approx(-np.log(1e-6))


def test_bins_have_equal_numbers_and_intervals_with_a_width(honest):
    bins = cut_into_bins(*honest)
    assert [of_bin.n for of_bin in bins] == [200] * 10
    assert all(of_bin.low < of_bin.share < of_bin.high for of_bin in bins)
    (none, *_) = cut_into_bins(np.zeros(100, bool), np.linspace(0, 1, 100))
    assert none.share == 0
    assert none.low == pytest.approx(0)
    assert none.high == pytest.approx(0.278, abs=0.001)  # Wilson, 0 of 10
