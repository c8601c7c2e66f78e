import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from export.metrics import compute_auroc, compute_average_precision, compute_f1


@pytest.mark.parametrize("decimals", [1, 6], ids=["many ties", "no ties"])
def test_ranking_metrics_are_those_of_scikit_learn(decimals):
    random = np.random.default_rng(0)
    truth = random.random(500) < 0.2
    probability = (0.3 * truth + 0.7 * random.random(500)).round(decimals)
    assert compute_auroc(truth, probability) == pytest.approx(roc_auc_score(truth, probability))
    assert compute_average_precision(truth, probability) == pytest.approx(average_precision_score(truth, probability))


def test_f1_is_the_mean_of_the_columns():
    random = np.random.default_rng(1)
    truth, found = random.random((2, 300, 4)) < 0.3
    assert compute_f1(truth, found) == pytest.approx(f1_score(truth, found, average="macro"))
    assert compute_f1(truth[:, 0], found[:, 0]) == pytest.approx(f1_score(truth[:, 0], found[:, 0]))
