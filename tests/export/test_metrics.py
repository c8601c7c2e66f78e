"""The metrics of the runtime against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from ecg_edge.evaluation.metrics import METRICS, PREDICTIVE, compute_auroc, compute_average_precision, compute_f1

ONCE = np.ones((1, 500))


def draw(decimals, seed=0):
    random = np.random.default_rng(seed)
    truth = random.random(500) < 0.2
    return truth, (0.3 * truth + 0.7 * random.random(500)).round(decimals)


@pytest.mark.parametrize("decimals", [0, 1, 6], ids=["two values", "many ties", "no ties"])
def test_ranking_metrics_are_those_of_scikit_learn(decimals):
    truth, probability = draw(decimals)
    auroc, precision = roc_auc_score(truth, probability), average_precision_score(truth, probability)
    assert compute_auroc(truth, probability, ONCE)[0] == pytest.approx(auroc, abs=1e-12)
    assert compute_average_precision(truth, probability, ONCE)[0] == pytest.approx(precision, abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 6], ids=["many ties", "no ties"])
def test_a_record_that_a_sample_has_several_times_counts_several_times(decimals):
    truth, probability = draw(decimals)
    found = probability > 0.5
    counts = np.random.default_rng(1).integers(0, 4, (3, 500)).astype(float)
    usual = {
        "auroc": lambda rows: roc_auc_score(truth[rows], probability[rows]),
        "average_precision": lambda rows: average_precision_score(truth[rows], probability[rows]),
        "f1": lambda rows: f1_score(truth[rows], found[rows]),
        "sensitivity": lambda rows: recall_score(truth[rows], found[rows]),
        "specificity": lambda rows: recall_score(~truth[rows], ~found[rows]),
        "positive_predictive_value": lambda rows: precision_score(truth[rows], found[rows]),
        "negative_predictive_value": lambda rows: precision_score(~truth[rows], ~found[rows]),
    }
    samples = [np.repeat(np.arange(500), sample.astype(int)) for sample in counts]
    for name, metric in (METRICS | PREDICTIVE).items():
        values = metric(truth, probability, found, counts)
        np.testing.assert_allclose(values, [usual[name](rows) for rows in samples], atol=1e-12, rtol=0, err_msg=name)


def test_f1_is_the_mean_of_the_columns():
    random = np.random.default_rng(1)
    truth, found = random.random((2, 500, 4)) < 0.3
    assert compute_f1(truth, found, ONCE)[0] == pytest.approx(f1_score(truth, found, average="macro"))
    assert compute_f1(truth[:, 0], found[:, 0], ONCE)[0] == pytest.approx(f1_score(truth[:, 0], found[:, 0]))
