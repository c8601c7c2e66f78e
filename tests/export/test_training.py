"""Real training on a made dataset, small enough for seconds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from export import crossfit
from export.__main__ import main
from export.augmentation import AugmentationSettings
from export.crossfit import OutOfFold, load_network, name_final_file, name_fold_file, train_stage
from export.errors import ExportError, RunsError
from export.experiment import change_stage
from export.network import NetworkSettings
from export.stages import INFARCTION, LOCALIZATION, MODEL_VERSION, STAGES
from export.teaching import make_examples, measure_dataset
from export.training import Teaching, TrainingSettings, compute_window_logits, fit

NETWORK = NetworkSettings(800, 100, ((8, 15, 5), (16, 7, 4)), heads=2, feed_forward=16, hidden=16)
TRAINING = TrainingSettings(epochs=8, candidates=(6, 8), crop=1100, stride=100, averaging=0.9)
SMALL = replace(INFARCTION, network=NETWORK, training=TRAINING, mixed=0)


def test_training_learns_resumes_and_repeats_itself(dataset, tmp_path, one_process):
    lines = []
    train_stage(SMALL, dataset, tmp_path / "a", lines.append)
    out_of_fold = OutOfFold.read(tmp_path / "a" / "infarction_out_of_fold.npz")
    assert out_of_fold.logits.shape == (2, 60, 5, 1)
    score = out_of_fold.logits[-1].mean(axis=(1, 2))
    ill = dataset.infarction[:, 0] > 0
    assert (score[ill][:, None] > score[~ill][None]).mean() > 0.9

    (tmp_path / "a" / name_fold_file(SMALL, 3)).unlink()
    lines.clear()
    train_stage(SMALL, dataset, tmp_path / "a", lines.append)
    trained = {line.split(":")[0] for line in lines if "epoch 1," in line}
    assert trained == {"infarction_fold3"}
    again = OutOfFold.read(tmp_path / "a" / "infarction_out_of_fold.npz")
    np.testing.assert_array_equal(again.logits, out_of_fold.logits)


def test_weights_of_other_settings_are_not_taken_for_these(dataset, tmp_path, one_process):
    short = replace(SMALL, training=replace(TRAINING, epochs=1, candidates=(1,)))
    train_stage(short, dataset, tmp_path, lambda _: None)
    other = replace(short, training=replace(short.training, learning_rate=1e-3))
    with pytest.raises(RunsError, match=r"infarction_fold0\.pt was trained with other settings or records"):
        train_stage(other, dataset, tmp_path, lambda _: None)


def test_the_folds_networks_never_saw_their_records(dataset, tmp_path, one_process, monkeypatch):
    seen = {}

    def spy(network, settings, examples, teaching, report):
        seen[len(seen)] = examples.signals.copy()
        yield from real(network, settings, examples, teaching, report)

    real = crossfit.fit
    monkeypatch.setattr(crossfit, "fit", spy)
    train_stage(
        replace(SMALL, training=replace(TRAINING, epochs=1, candidates=(1,))), dataset, tmp_path, lambda _: None
    )
    folds = dataset.folds(5, 0)
    for fold in range(5):
        np.testing.assert_array_equal(seen[fold], dataset.signals[folds != fold])
    np.testing.assert_array_equal(seen[5], dataset.signals)


def test_teachers_learn_from_the_records_of_their_pupil_and_answer_the_undisturbed_crop(
    dataset, tmp_path, one_process, monkeypatch
):
    seen = []

    def spy(network, settings, examples, teaching, report):
        seen.append((settings.seed, examples.signals, len(teaching.teachers)))
        yield from real(network, settings, examples, teaching, report)

    real = crossfit.fit
    monkeypatch.setattr(crossfit, "fit", spy)
    stage = replace(SMALL, training=replace(TRAINING, epochs=1, candidates=(1,)), teachers=2)
    train_stage(stage, dataset, tmp_path, lambda _: None)
    folds = dataset.folds(5, 0)
    rows = [folds != fold for fold in range(5)]
    expected = [(seed, r, 0) for r in rows for seed in (1000, 1001)] + [(0, r, 2) for r in rows]
    everyone = np.ones(60, np.bool_)
    expected += [(1000, everyone, 0), (1001, everyone, 0), (0, everyone, 2)]
    for (seed, signals, n_teachers), (of_seed, r, n) in zip(seen, expected, strict=True):
        assert (seed, n_teachers) == (of_seed, n)
        np.testing.assert_array_equal(signals, dataset.signals[r])


def test_a_network_that_learns_from_teachers_alone_answers_as_they_do(dataset):
    examples = make_examples(
        SMALL, dataset, measure_dataset(SMALL, dataset), np.ones(60, np.bool_), dataset.folds(5, 0)
    )
    # Disturbances are for the pupil: it must answer as the teacher answers what is undisturbed.
    settings = replace(TRAINING, epochs=12, candidates=(12,), augmentation=AugmentationSettings(share=0.5))
    [(_, teacher)] = fit(NETWORK, replace(settings, seed=5), examples, Teaching(), lambda *_: None)
    nothing = replace(examples, targets=np.full_like(examples.targets, 0.5))
    [(_, pupil)] = fit(NETWORK, settings, nothing, Teaching([teacher], 1.0), lambda *_: None)
    [(_, untaught)] = fit(NETWORK, settings, nothing, Teaching(), lambda *_: None)
    taught, alone, answer = (
        compute_window_logits(network, dataset.signals).mean(axis=(1, 2)) for network in (pupil, untaught, teacher)
    )
    assert np.corrcoef(taught, answer)[0, 1] > 0.95
    assert np.abs(taught - answer).mean() < 0.75 * np.abs(alone - answer).mean()


def test_weights_are_read_back_as_they_were(dataset, tmp_path, one_process):
    small = replace(SMALL, training=replace(TRAINING, epochs=1, candidates=(1,)))
    train_stage(small, dataset, tmp_path, lambda _: None)
    network = load_network(small, tmp_path / name_final_file(small), 0)
    assert compute_window_logits(network, dataset.signals[:2]).shape == (2, 5, 1)
    assert all(torch.isfinite(weight).all() for weight in network.state_dict().values())


def test_the_second_stage_is_scored_on_infarctions(dataset):
    np.testing.assert_array_equal(LOCALIZATION.select_scored(dataset), dataset.infarction[:, 0] > 0)
    assert INFARCTION.select_scored(dataset).all()


def test_converting_or_evaluating_without_a_training_is_one_line(dataset_folder, tmp_path):
    (tmp_path / "CHANGELOG.md").write_text(f"## {MODEL_VERSION}\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    data, runs, out = str(dataset_folder), str(tmp_path / "runs"), str(tmp_path)
    commands = {
        "train the stage first": ["convert", data, "--runs", runs, "--out", out],
        "is not a table of out-of-fold answers": ["evaluate", data, "--answers", str(tmp_path / "other.csv")],
    }
    for message, command in commands.items():
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        assert result.output.startswith("error: ")
        assert message in result.output
        assert result.output.count("\n") == 1


def test_weights_that_are_missing_or_of_another_network_are_named(dataset, tmp_path, one_process):
    small = replace(SMALL, training=replace(TRAINING, epochs=1, candidates=(1,)))
    with pytest.raises(RunsError, match=r"infarction_final\.pt does not exist"):
        load_network(small, tmp_path / name_final_file(small), 0)
    train_stage(small, dataset, tmp_path, lambda _: None)
    wider = replace(small, network=replace(NETWORK, hidden=32))
    with pytest.raises(RunsError, match="trained with other settings"):
        load_network(wider, tmp_path / name_final_file(small), 0)


def test_a_folder_that_is_no_dataset_is_one_line(tmp_path):
    result = CliRunner().invoke(main, ["evaluate", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith("error: cannot read")
    assert result.output.count("\n") == 1


def test_other_settings_are_tried_on_the_folds_and_nothing_else_is_written(dataset_folder, tmp_path, one_process):
    arguments = ["try", str(dataset_folder), "--stage", "infarction", "--runs", str(tmp_path / "runs")]
    changes = ["network.baseline=5", "training.epochs=2", "training.crop=1100", "training.seed=3"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STAGES, "infarction", replace(SMALL, training=replace(TRAINING, epochs=2, candidates=(1, 2))))
        result = CliRunner().invoke(main, [*arguments, *(part for change in changes for part in ("--set", change))])
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("infarction network.baseline=5")]
    figures = dict(part.rsplit(" ", 1) for part in line.partition(": ")[2].split(", "))
    assert figures.keys() == {"auroc", "average_precision", "log_loss", "f1"}
    assert 0 <= float(figures["auroc"]) <= 1
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {f"infarction_fold{i}.pt" for i in range(5)}


@pytest.mark.parametrize(
    "change", ["network.depth=3", "seed=1", "training.seed=many", "network.baseline=4", "network=3", "teachers.n=1"]
)
def test_a_setting_that_does_not_exist_or_fit_is_named(change):
    with pytest.raises(ExportError, match=change.partition("=")[0]):
        change_stage(INFARCTION, dict([change.split("=")]))
