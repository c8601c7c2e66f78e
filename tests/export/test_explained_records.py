"""`python -m benchmarks.explain` on labelled folders."""

import re
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from benchmarks.explain import compute_covariance, main, read_records
from ecg_edge.recording.expected_leads import COVARIANCE
from export.dataset import read_dataset
from export.stages import N_FOLDS, SEED

FOLD0 = Path(__file__).parent / "fold0"


def test_of_a_fold_only_its_records_are_read(dataset_folder):
    dataset = read_dataset(dataset_folder)
    of_fold = dataset.folds(N_FOLDS, SEED) == 1
    expected = {name for name, is_of_fold in zip(dataset.names, of_fold, strict=True) if is_of_fold}
    assert {recording.name for recording in read_records(dataset_folder, 1)} == expected
    assert {recording.name for recording in read_records(dataset_folder, None)} == set(dataset.names)


def test_the_covariance_is_that_of_the_records_without_infarction(dataset_folder):
    result = CliRunner().invoke(main, [str(dataset_folder), "--covariance"])
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d*", result.output)]
    computed = compute_covariance(dataset_folder)
    np.testing.assert_allclose(np.reshape(numbers, (8, 8)), computed, atol=1e-4)
    # Noise of 0.05 mV in each lead; only the infarctions have more.
    np.testing.assert_allclose(computed, 0.0025 * np.eye(8), atol=2e-4)


def test_explanations_point_to_the_leads_of_the_found_site(records):
    """Of networks that have not seen the records."""
    result = CliRunner().invoke(main, [str(records / "train"), "--models", str(FOLD0), "--fold", "0"])
    share = re.search(r"as expected without infarction \| any \| ([\d.]+)%", result.output)
    assert float(share[1]) >= 80


def test_the_stored_covariance_is_that_of_the_real_records(records):
    np.testing.assert_allclose(compute_covariance(records / "train"), COVARIANCE, atol=6e-5)
