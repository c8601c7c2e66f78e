"""Thresholds for a wanted sensitivity or specificity, and what the answers of the other folds reach with them."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from export.__main__ import main
from export.choices import choose_points, find_share_threshold
from export.operating_points import (
    decide_across,
    measure_points,
    measure_predictive_values,
    render_points,
    render_predictive_values,
)
from export.out_of_fold import FILE, LABELS, Answers


@pytest.fixture
def answers(dataset):
    """Uncertain answers for the made records; half of them are infarctions, five of each site."""
    random = np.random.default_rng(0)
    truth = np.hstack([dataset.infarction, dataset.sites])
    probability = (0.25 * truth + 0.75 * random.random(truth.shape)).clip(0.001, 0.999)
    return Answers(dataset.names, dataset.folds(5, 0), probability, probability >= 0.5)


def test_a_new_record_reaches_the_threshold_with_the_wanted_chance():
    """The threshold for 95% of 60 records is at the third lowest of them: a 61st is below it in 3 of 61 cases."""
    random = np.random.default_rng(0)
    reached = []
    for _ in range(2000):
        drawn = random.random(61)
        threshold = find_share_threshold(np.ones(60, bool), drawn[:60], 0.95)
        reached.append(drawn[60] >= threshold)
    assert 0.95 - 0.01 < np.mean(reached) < 0.97


def test_the_threshold_lies_between_two_records():
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    wanted = np.array([False, False, True, False, True, True])
    assert find_share_threshold(wanted, probability, 0.5) == pytest.approx(0.45)
    # Three records promise no more than 75%, so the lowest of them is the best there is.
    assert find_share_threshold(wanted, probability, 0.95) == pytest.approx(0.25)
    assert find_share_threshold(np.ones(1, bool), np.zeros(1), 0.95) > 0


def test_thresholds_of_a_wanted_specificity_leave_few_negatives_above():
    random = np.random.default_rng(1)
    truth = (random.random((2000, 2)) < 0.2).astype(np.float32)
    probability = random.random((2000, 2))
    sensitive, specific = choose_points(truth, probability)
    for label in range(2):
        positive = truth[:, label] > 0
        assert 0.95 <= (probability[positive, label] >= sensitive[label]).mean() < 0.96
        assert 0.98 <= (probability[~positive, label] < specific[label]).mean() < 0.985
        assert sensitive[label] < specific[label]


@pytest.mark.parametrize("n", [9, 10, 40, 41])
def test_a_label_with_too_few_records_of_a_kind_gets_the_fallback(n):
    truth = (np.arange(50) < n).astype(np.float32)[:, None]
    sensitive, specific = choose_points(truth, np.linspace(0.9, 0.6, 50)[:, None])
    enough = n in (10, 40)
    assert (sensitive[0] != 0.5, specific[0] != 0.5) == (enough, enough)


def test_no_record_has_a_say_in_its_own_decision(dataset, answers):
    before = decide_across(dataset, answers)
    own = answers.folds == 0
    sites = dataset.sites.copy()
    sites[own] = 0
    sites[own, -1] = 1 - dataset.infarction[own, 0]
    after = decide_across(replace(dataset, sites=sites), answers)
    for point in ("sensitive", "specific"):
        np.testing.assert_array_equal(before[point][own, 0], after[point][own, 0])
        assert not np.array_equal(before[point][:, 0], after[point][:, 0])


def test_sensitive_never_finds_less_than_balanced_and_specific_never_more(dataset, answers):
    found = decide_across(dataset, answers)
    assert (found["sensitive"] >= found["balanced"]).all()
    assert (found["specific"] <= found["balanced"]).all()
    assert found["sensitive"][:, 0].sum() > found["balanced"][:, 0].sum() > found["specific"][:, 0].sum()
    # Sites with too few positives stay at their fallback.
    np.testing.assert_array_equal(found["sensitive"][:, 1:], answers.found[:, 1:])


def test_what_is_stated_is_what_the_other_folds_thresholds_reach(dataset_folder, dataset, answers, tmp_path):
    lines = []
    points = measure_points(dataset, answers, lines.append)
    assert len(lines) == 3 * len(LABELS)
    assert [row.name for row in points["sensitive"]] == list(LABELS)
    ill = dataset.infarction[:, 0] > 0
    for point, found in decide_across(dataset, answers).items():
        figures = points[point][0].figures
        assert figures["sensitivity"].value == pytest.approx(found[ill, 0].mean())
        assert figures["specificity"].value == pytest.approx(1 - found[~ill, 0].mean())
        for figure in figures.values():
            assert figure.low <= figure.value <= figure.high
            assert (figure.n, figure.positives) == (60, 30)
    table = list(render_points(points))
    assert sum("insufficient data | insufficient data" in line for line in table) == 3 * 6
    answers.save(tmp_path / FILE)
    printed = CliRunner().invoke(main, ["evaluate", str(dataset_folder), "--answers", str(tmp_path / FILE)])
    assert "\n".join(table) in printed.stdout
    assert f"| sensitive | infarction | 60 | 30 | {points['sensitive'][0].figures['sensitivity']} |" in "\n".join(table)


def test_a_site_is_right_only_on_a_record_that_has_it_and_found_only_with_an_infarction(
    dataset_folder, dataset, answers, tmp_path
):
    sites = np.zeros_like(dataset.sites)
    ill = np.flatnonzero(dataset.infarction[:, 0])
    sites[ill[::2], 0] = sites[ill[1::2], 5] = 1
    made = replace(dataset, sites=sites)
    values = measure_predictive_values(made, answers)
    for point, found in decide_across(made, answers).items():
        rows = {row.name: row for row in values[point]}
        assert list(rows) == list(LABELS)
        for site in (0, 5):
            row, both = rows[LABELS[1 + site]], found[:, 0] & found[:, 1 + site]
            assert 0 < both.sum() < 60
            assert (row.n, row.positives) == (60, 15)
            positive, negative = row.figures["positive_predictive_value"], row.figures["negative_predictive_value"]
            assert positive.value == pytest.approx(sites[both, site].mean())
            assert negative.value == pytest.approx(1 - sites[~both, site].mean())
            assert positive.low <= positive.value <= positive.high
        assert rows[LABELS[2]].figures == {}
    answers.save(tmp_path / FILE)
    printed = CliRunner().invoke(main, ["evaluate", str(dataset_folder), "--answers", str(tmp_path / FILE)])
    assert "\n".join(render_predictive_values(measure_predictive_values(dataset, answers))) in printed.stdout
