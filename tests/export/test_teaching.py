"""What networks are taught: no label of a held-out record, and estimates for records that have none."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from export.dataset import CodedRecords, read_dataset
from export.errors import DatasetError
from export.measurements.measure import NAMES
from export.stages import INFARCTION, LOCALIZATION
from export.teaching import make_examples, measure_dataset, rank

UNMIXED = replace(INFARCTION, coded_weight=0.3, mixed=0)
STAGES = (UNMIXED, replace(LOCALIZATION, coded_weight=0.3, healthy_share=1.0))


@pytest.fixture
def coded_folder(dataset_folder, tmp_path):
    """A folder of the first twelve records without the experts' labels, with other names and some new patients."""
    folder = tmp_path / "more"
    folder.mkdir()
    with (dataset_folder / "train_meta.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:12]
    for i, row in enumerate(rows):
        np.save(folder / f"m{i}.npy", np.load(dataset_folder / f"{row['record_name']}.npy"))
        row["record_name"] = f"m{i}"
        row["patient_id"] = row["patient_id"] if i < 4 else f"new{i}"
    with (folder / "codes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def more(dataset_folder, coded_folder):
    return read_dataset(dataset_folder, [coded_folder])


def test_coded_records_are_read_with_the_columns_of_the_dataset(more, dataset):
    assert more.coded.signals.shape == (12, 12, 1200)
    np.testing.assert_array_equal(more.coded.auxiliary, dataset.auxiliary[:12])
    assert more.coded.patients[:5] == ("p0", "p0", "p1", "p1", "new4")
    assert len(dataset.coded.patients) == 0


def test_a_folder_needs_one_table_of_codes(dataset_folder, coded_folder):
    (coded_folder / "other.csv").write_text("record_name\nm0\n")
    assert len(read_dataset(dataset_folder, [coded_folder]).coded.patients) == 12
    (coded_folder / "codes.csv").unlink()
    with pytest.raises(DatasetError, match=r"more must have one \.csv with the columns .*patient_id.*; found 0"):
        read_dataset(dataset_folder, [coded_folder])


def test_coded_records_of_another_length_are_refused(dataset_folder, coded_folder):
    for path in coded_folder.glob("*.npy"):
        np.save(path, np.zeros((12, 900), np.float32))
    with pytest.raises(DatasetError, match=r"shape \(12, 900\), those of the dataset \(12, 1200\)"):
        read_dataset(dataset_folder, [coded_folder])


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_estimates_stand_for_missing_labels_and_weigh_less(more, stage):
    examples = make_examples(stage, more, measure_dataset(UNMIXED, more), np.ones(60, np.bool_), more.folds(5, 0))
    taught = int(stage.select_taught(more).sum())
    assert len(examples.signals) == len(examples.targets) == len(examples.weight) == taught + 12
    ill = more.infarction[:12, 0] > 0
    estimates = examples.targets[taught:, : len(stage.labels)].max(axis=1)
    assert estimates[ill].min() > estimates[~ill].max()
    assert examples.weight[taught:].max() <= 0.3
    codes = slice(-more.auxiliary.shape[1] - len(NAMES), -len(NAMES))
    np.testing.assert_array_equal(examples.targets[taught:, codes], more.coded.auxiliary)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_networks_learn_what_a_cardiologist_measures(more, stage):
    measured, everyone = measure_dataset(UNMIXED, more), np.ones(60, np.bool_)
    examples = make_examples(stage, more, measured, everyone, more.folds(5, 0))
    taught = stage.select_taught(more)
    st_of_v5 = np.concatenate([measured.labelled[taught], measured.coded])[:, NAMES.index("V5_st_60_mv")]
    target = examples.targets[:, -len(NAMES) :][:, NAMES.index("V5_st_60_mv")]
    assert len(np.unique(st_of_v5)) > 20
    np.testing.assert_array_equal(np.argsort(target, kind="stable"), np.argsort(st_of_v5, kind="stable"))
    assert 0 < target.min() < 0.1
    assert 0.9 < target.max() < 1


def test_ranks_share_the_place_of_equals_and_leave_what_is_unknown_in_the_middle():
    numbers = np.array([[3.0, 1.0, np.nan], [1.0, 1.0, np.nan], [2.0, np.nan, np.nan], [9.0, 5.0, np.nan]])
    expected = [[0.625, 1 / 3, 0.5], [0.125, 1 / 3, 0.5], [0.375, 0.5, 0.5], [0.875, 5 / 6, 0.5]]
    np.testing.assert_allclose(rank(numbers), expected, atol=1e-6)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_patients_who_are_held_out_are_left_out_of_the_coded_records_too(more, stage):
    rows = ~np.isin(more.patients, ["p1"])
    examples = make_examples(stage, more, measure_dataset(UNMIXED, more), rows, more.folds(5, 0))
    of_held_out = {signal.tobytes() for signal in more.signals[~rows]}
    assert not of_held_out & {signal.tobytes() for signal in examples.signals}
    assert len(examples.signals) == int((stage.select_taught(more) & rows).sum()) + 10


def test_without_a_weight_coded_records_are_not_used(more):
    examples = make_examples(
        replace(UNMIXED, coded_weight=0.0),
        more,
        measure_dataset(UNMIXED, more),
        np.ones(60, np.bool_),
        more.folds(5, 0),
    )
    np.testing.assert_array_equal(examples.signals, more.signals)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_label_is_no_part_of_its_own_estimate(more, stage):
    stage = replace(stage, estimate_share=1.0, coded_weight=0.0)
    measured, everyone, folds = measure_dataset(UNMIXED, more), np.ones(60, np.bool_), more.folds(5, 0)
    before = make_examples(stage, more, measured, everyone, folds).targets[:, : len(stage.labels)]
    # Another site of the same infarction: who is ill stays, and so do the records that are taught.
    at = int(np.flatnonzero(more.infarction[:, 0])[0])
    sites = more.sites.copy()
    sites[at] = np.roll(sites[at], 1)
    changed = replace(more, sites=sites)
    after = make_examples(stage, changed, measured, everyone, folds).targets[:, : len(stage.labels)]
    row = np.flatnonzero(stage.select_taught(more)).tolist().index(at)
    np.testing.assert_array_equal(after[row], before[row])
    if stage.name == "localization":
        assert not np.array_equal(after, before)


def test_estimates_move_labels_by_their_share(more):
    arguments = more, measure_dataset(UNMIXED, more), np.ones(60, np.bool_), more.folds(5, 0)
    none, half, whole = (
        make_examples(replace(STAGES[0], estimate_share=share), *arguments).targets[:60, 0] for share in (0.0, 0.5, 1.0)
    )
    np.testing.assert_array_equal(none, more.infarction[:, 0])
    np.testing.assert_allclose(half, (none + whole) / 2, atol=1e-6)
    assert ((whole > 0) & (whole < 1)).all()


def test_no_folder_of_codes_means_no_coded_records(dataset):
    assert isinstance(dataset.coded, CodedRecords)
    assert dataset.coded.signals.shape == (0, 12, 1200)
