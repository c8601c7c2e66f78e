import numpy as np
import pytest

from export.dataset import read_dataset
from export.errors import DatasetError


def test_labels_patients_and_auxiliary_targets_are_read(dataset):
    assert dataset.signals.shape == (60, 12, 1200)
    assert dataset.infarction.sum() == 30
    assert len(set(dataset.patients)) == 50
    assert (dataset.minors, dataset.paced) == (1, 1)
    assert dataset.auxiliary.min() >= 0
    assert dataset.auxiliary.max() <= 1


def test_folds_keep_patients_together_and_spread_the_infarctions(dataset):
    folds = dataset.folds(5, 0)
    for patient in set(dataset.patients):
        assert len({fold for fold, name in zip(folds, dataset.patients, strict=True) if name == patient}) == 1
    ill = [dataset.infarction[folds == fold].sum() for fold in range(5)]
    assert max(ill) - min(ill) <= 3
    np.testing.assert_array_equal(folds, dataset.folds(5, 0))


def test_a_folder_without_labels_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"cannot read .*train_gts_final\.csv"):
        read_dataset(tmp_path)


def test_a_missing_record_is_named(dataset_folder):
    (dataset_folder / "r07.npy").unlink()
    with pytest.raises(DatasetError, match="r07"):
        read_dataset(dataset_folder)


def test_a_record_of_another_length_is_named(dataset_folder):
    np.save(dataset_folder / "r07.npy", np.zeros((12, 1100), np.float32))
    with pytest.raises(DatasetError, match=r"r07 has shape \(12, 1100\)"):
        read_dataset(dataset_folder)


def test_tables_that_differ_in_records_are_refused(dataset_folder):
    path = dataset_folder / "train_meta.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DatasetError, match=r"only one of them has r59"):
        read_dataset(dataset_folder)


def test_a_table_without_a_column_is_refused(dataset_folder):
    path = dataset_folder / "train_meta.csv"
    path.write_text(path.read_text().replace("patient_id", "patient"))
    with pytest.raises(DatasetError, match="missing columns: patient_id"):
        read_dataset(dataset_folder)
