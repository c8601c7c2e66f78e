"""Two versions on the same records."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from export.__main__ import main
from export.comparison import compare
from export.dataset import SITES
from export.errors import DatasetError
from export.out_of_fold import Answers


@pytest.fixture
def honest(dataset):
    """Answers that are mostly right."""
    truth = np.hstack([dataset.infarction, dataset.sites]) > 0
    noise = np.random.default_rng(0).normal(0, 1, truth.shape)
    probability = 1 / (1 + np.exp(-3 * (truth - 0.5) - noise))
    return Answers(dataset.names, dataset.folds(5, 0), probability, probability > 0.5)


@pytest.fixture
def worse(honest):
    """As `honest`, but every third record has the answers of another one."""
    rows = np.arange(len(honest.names))
    rows[::3] = np.roll(rows[::3], 1)
    return replace(honest, probability=honest.probability[rows], found=honest.found[rows])


def by_name(differences):
    return {(row.table, row.label, row.metric): row for row in differences}


def test_a_worse_version_is_seen_to_be_worse(dataset, honest, worse):
    rows = by_name(compare(dataset, honest, worse))
    of_infarction = {metric: row for (_, label, metric), row in rows.items() if label == "infarction"}
    for metric in ("auroc", "average_precision", "f1"):
        row = of_infarction[metric]
        assert row.difference.value == pytest.approx(row.after.value - row.before.value)
        assert row.difference.high < 0
    assert of_infarction["brier"].difference.low > 0
    assert {"ece", "log_loss"} <= of_infarction.keys()
    assert any(label == "five sites, macro" for _, label, _ in rows)
    assert not any(label in SITES for _, label, _ in rows)  # too few of each


def test_the_same_answers_differ_by_nothing(dataset, honest):
    for row in compare(dataset, honest, honest):
        assert (row.difference.value, row.difference.low, row.difference.high) == (0, 0, 0)
        assert row.before == row.after


def test_the_paired_interval_is_narrower_than_those_of_the_versions(dataset, honest):
    shaken = honest.probability + np.random.default_rng(1).normal(0, 0.02, honest.probability.shape)
    nearly = replace(honest, probability=shaken.clip(0, 1))
    auroc = next(row for row in compare(dataset, honest, nearly) if row.metric == "auroc")
    assert auroc.difference.high - auroc.difference.low < 0.5 * (auroc.before.high - auroc.before.low)


def test_answers_of_other_records_are_refused(dataset, honest):
    with pytest.raises(DatasetError, match="the same records"):
        list(compare(dataset, honest, replace(honest, names=honest.names[::-1])))


def test_the_command_prints_both_versions_and_the_difference(dataset_folder, honest, worse, tmp_path):
    honest.save(tmp_path / "a.csv")
    worse.save(tmp_path / "b.csv")
    arguments = ["--before", str(tmp_path / "a.csv"), "--after", str(tmp_path / "b.csv")]
    result = CliRunner().invoke(main, ["compare", str(dataset_folder), *arguments])
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("| infarction | 60 | auroc |")]
    before, after, difference = (float(cell.split()[0]) for cell in line.strip("|").split("|")[3:])
    assert difference == pytest.approx(after - before, abs=0.0011)
    assert difference < 0
