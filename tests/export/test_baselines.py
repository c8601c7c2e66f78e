"""Baselines on a made dataset, small enough for seconds: same folds, and nothing seen of what is answered."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from export.__main__ import main
from export.baselines.answers import make_answers
from export.baselines.classifiers import Boosting, Classifiers, Logistic
from export.baselines.original import crossfit, fold, plan
from export.baselines.original.crossfit import join_folds, train_original, write_curves
from export.baselines.original.plan import SETTINGS, Plan, Settings, change_settings
from export.baselines.original.windows import WindowScale, cut, draw_epoch, spread_starts
from export.comparison import TITLES, compare
from export.errors import ExportError, RunsError
from export.original.checkpoint import Architecture
from export.out_of_fold import LABELS, Answers
from export.stages import INFARCTION, LOCALIZATION, N_FOLDS, SEED

NETWORK = Architecture("tiny", window=16, heads=3, outputs=1)
SMALL = Settings(epochs=2, batch=32, learning_rate=1e-3, dropout=0.1, precision="float32", answered_windows=3)
TINY = Plan(INFARCTION, NETWORK, SMALL)


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    """Train in this process: a pool costs seconds to start."""
    monkeypatch.setattr(crossfit, "usable_cores", lambda: 1)


@pytest.fixture
def measurements(dataset):
    """Two numbers that say a lot of infarction and ten that say nothing; a few are missing."""
    random = np.random.default_rng(0)
    made = random.normal(0, 1, (len(dataset.names), 12))
    made[:, :2] += 2 * dataset.infarction
    made[random.random(made.shape) < 0.02] = np.nan
    return made


def compute_auroc(dataset, score):
    ill = dataset.infarction[:, 0] > 0
    return (score[ill][:, None] > score[~ill][None]).mean()


@pytest.mark.parametrize("score", [Logistic((0.01, 0.1)), Boosting(trees=(5, 40), leaves=3)])
def test_measurements_answer_records_that_the_classifier_has_not_seen(dataset, measurements, score):
    logits = Classifiers(score).answer(INFARCTION, dataset, measurements)
    assert logits.shape == (60, 1, 1)
    assert compute_auroc(dataset, logits[:, 0, 0]) > 0.75
    noise = np.random.default_rng(1).normal(0, 1, (60, 40))
    assert 0.2 < compute_auroc(dataset, Classifiers(score).answer(INFARCTION, dataset, noise)[:, 0, 0]) < 0.75


def test_a_fold_is_answered_by_what_the_other_folds_say(dataset, measurements):
    calls = []

    def score(known, truth, others):
        calls.append((known, truth, others))
        return np.stack([np.full(len(others), 5.0), np.full(len(others), 0.1)])

    logits = Classifiers(score).answer(INFARCTION, dataset, measurements)
    folds = dataset.folds(N_FOLDS, SEED)
    answered = [call for call in calls if len(call[0]) + len(call[2]) == 60]
    inner = [call for call in calls if len(call[0]) + len(call[2]) < 60]
    assert (len(answered), len(inner)) == (N_FOLDS, N_FOLDS * (N_FOLDS - 1))
    for number, (known, truth, others) in enumerate(answered):
        np.testing.assert_array_equal(known, measurements[folds != number])
        np.testing.assert_array_equal(truth, dataset.infarction[folds != number, 0])
        np.testing.assert_array_equal(others, measurements[folds == number])
    for i, (known, _, others) in enumerate(inner):
        choosing = measurements[folds != i // (N_FOLDS - 1)]
        assert len(known) + len(others) == len(choosing)
        assert all((row == choosing).all(axis=1).any() for row in np.nan_to_num(others) if row.all())
    # The second candidate has the lower log-loss on the known folds.
    assert logits == pytest.approx(0.1)


def test_sites_are_learned_from_infarctions_and_rare_ones_not_at_all(dataset, measurements):
    calls = []

    def score(known, truth, others):
        calls.append(known)
        return np.ones((1, len(others)))

    common = replace(dataset, sites=dataset.sites.copy())
    common.sites[dataset.infarction[:, 0] > 0, 0] = np.resize([1, 0], 30)
    common.sites[:, 1] = dataset.infarction[:, 0] - common.sites[:, 0]
    logits = Classifiers(score).answer(LOCALIZATION, common, measurements)
    assert max(len(known) for known in calls) < 30
    assert (logits[:, 0, :2] == 1).all()
    assert (logits[:, 0, 2] < -1).all()  # fewer than ten examples: their share alone


def test_labels_that_were_not_answered_are_empty_and_not_compared(dataset, measurements, tmp_path):
    logits = {"infarction": Classifiers(Logistic((0.01,))).answer(INFARCTION, dataset, measurements)}
    answers = make_answers(dataset, logits)
    answers.save(tmp_path / "made.csv")
    with (tmp_path / "made.csv").open(encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert row["inferior"] == ""
    assert 0 <= float(row["infarction"]) <= 1
    read = Answers.read(tmp_path / "made.csv")
    assert np.isnan(read.probability[:, 1:]).all()
    whole = replace(read, probability=np.nan_to_num(read.probability, nan=0.5))
    without_first = replace(whole, probability=whole.probability.copy())
    without_first.probability[:, 0] = np.nan
    tables = {row.table for row in compare(dataset, whole, whole)}
    assert {row.label for row in compare(dataset, read, whole)} == {"infarction"}
    assert {row.label for row in compare(dataset, whole, read)} == {"infarction"}
    of_sites = list(compare(dataset, without_first, whole))
    assert {row.label for row in of_sites} == {"five sites, macro"}
    # End to end, a site counts only if the first stage finds an infarction, so that table is left out.
    assert ({TITLES.sites, TITLES.end_to_end} <= tables, {row.table for row in of_sites}) == (True, {TITLES.sites})


def test_evaluate_refuses_a_table_that_lacks_labels(dataset, dataset_folder, tmp_path):
    logits = {"infarction": np.zeros((60, 1, 1), np.float32)}
    make_answers(dataset, logits).save(tmp_path / "made.csv")
    result = CliRunner().invoke(main, ["evaluate", str(dataset_folder), "--answers", str(tmp_path / "made.csv")])
    assert result.exit_code == 1
    assert result.output.startswith("error: the table does not answer septal, anterior, lateral")


def test_a_killed_training_goes_on_and_gives_the_same_answers(dataset, tmp_path):
    whole = train_original(TINY, dataset, tmp_path / "whole", lambda _: None)
    lines = []

    def die_in_the_second_fold(line):
        lines.append(line)
        if line.startswith("original_infarction_fold1: epoch 2,"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_original(TINY, dataset, tmp_path / "killed", die_in_the_second_fold)
    assert not (tmp_path / "killed" / "original_infarction_fold2.pt").exists()
    lines.clear()
    again = train_original(TINY, dataset, tmp_path / "killed", lines.append)
    assert lines[0].startswith("original_infarction_fold1: epoch 2, loss ")
    assert len(lines) == 1 + 2 * (N_FOLDS - 2)
    for part, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(part.logits, other.logits)
        assert part.curve == other.curve
    lines.clear()
    train_original(TINY, dataset, tmp_path / "whole", lines.append)
    assert lines == []


def test_the_original_learns_and_its_curve_is_written(dataset, tmp_path):
    longer = replace(TINY, settings=replace(TINY.settings, epochs=4, windows=4))
    trained = train_original(longer, dataset, tmp_path, lambda _: None)
    logits = join_folds(trained, dataset.folds(N_FOLDS, SEED))
    assert logits.shape == (60, 3, 1)
    assert compute_auroc(dataset, logits.mean(axis=(1, 2))) > 0.9
    write_curves(tmp_path / "curve.csv", {"infarction": trained})
    with (tmp_path / "curve.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    of_first = [row for row in rows if row["fold"] == "0"]
    assert [int(row["epoch"]) for row in of_first] == list(range(1, len(of_first) + 1))
    assert float(of_first[-1]["training_loss"]) < float(of_first[0]["training_loss"])
    (best,) = [row for row in of_first if row["answers"] == "1"]
    assert float(best["validation_loss"]) == min(float(row["validation_loss"]) for row in of_first)


def test_training_ends_when_validation_does_not_get_better(dataset, tmp_path):
    stuck = replace(TINY, settings=replace(TINY.settings, epochs=9, patience=2, learning_rate=0.0))
    for part in train_original(stuck, dataset, tmp_path, lambda _: None):
        assert len(part.curve) == 3
        assert part.best.epoch == 1


def test_without_dropout_the_same_windows_teach_something_else(dataset, tmp_path):
    short = replace(TINY, settings=replace(TINY.settings, epochs=1))
    without = replace(short, settings=replace(short.settings, dropout=0.0))
    losses = [
        train_original(changed, dataset, tmp_path / name, lambda _: None)[0].curve[0].training_loss
        for name, changed in (("a", short), ("b", without), ("c", without))
    ]
    assert losses[0] != losses[1] == losses[2]


def test_half_precision_learns_nearly_the_same(dataset, tmp_path):
    exact, rounded = (
        train_original(replace(TINY, settings=replace(TINY.settings, precision=name)), dataset, tmp_path / name, print)
        for name in ("float32", "bfloat16")
    )
    losses = [[part.curve[0].training_loss for part in parts] for parts in (exact, rounded)]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert rounded[0].logits.dtype == np.float32


def test_patients_of_a_fold_and_of_validation_are_not_learned_from(dataset, tmp_path, monkeypatch):
    seen = []

    def spy(rows, *arguments):
        seen.append(rows)
        return draw_epoch(rows, *arguments)

    monkeypatch.setattr(fold, "draw_epoch", spy)
    validated = []
    real = fold.roc_auc_score
    monkeypatch.setattr(fold, "roc_auc_score", lambda truth, score: validated.append(len(truth)) or real(truth, score))
    train_original(replace(TINY, settings=replace(TINY.settings, epochs=1)), dataset, tmp_path, lambda _: None)
    folds, patients = dataset.folds(N_FOLDS, SEED), np.array(dataset.patients)
    assert len(seen) == len(validated) == N_FOLDS
    for number, (rows, n_validated) in enumerate(zip(seen, validated, strict=True)):
        others = np.setdiff1d(np.arange(60), rows)
        assert set(patients[rows]).isdisjoint(patients[others])
        assert set(np.flatnonzero(folds == number)) <= set(others)
        assert n_validated == len(others) - (folds == number).sum() > 0


def test_a_file_of_other_settings_or_unknown_settings_are_refused(dataset, tmp_path):
    short = replace(TINY, settings=replace(TINY.settings, epochs=1))
    train_original(short, dataset, tmp_path, lambda _: None)
    with pytest.raises(RunsError, match=r"original_infarction_fold0\.pt was trained with other settings"):
        train_original(replace(short, settings=replace(short.settings, windows=3)), dataset, tmp_path, lambda _: None)
    changed = change_settings(SETTINGS["infarction"], {"windows": "4", "learning_rate": "0.001"})
    assert (changed.windows, changed.learning_rate) == (4, 0.001)
    with pytest.raises(ExportError, match="unknown setting 'window'; known are windows, epochs"):
        change_settings(changed, {"window": "4"})
    with pytest.raises(ExportError, match="windows=many"):
        change_settings(changed, {"windows": "many"})
    with pytest.raises(ExportError, match="precision=half: precision must be one of float32, bfloat16"):
        change_settings(changed, {"precision": "half"})


def test_windows_are_drawn_scaled_and_spread():
    signals = np.random.default_rng(0).normal(2, 3, (4, 12, 100)).astype(np.float32)
    scale = WindowScale.fit(signals)
    assert (scale.mean, scale.scale) == (pytest.approx(2, abs=0.1), pytest.approx(3, abs=0.15))
    drawn = draw_epoch(np.array([1, 3]), 50, 60, 0)
    assert sorted(drawn.rows) == [1] * 50 + [3] * 50
    assert (drawn.starts.min(), drawn.starts.max()) == (pytest.approx(0, abs=5), pytest.approx(60, abs=5))
    assert [len(rows) for rows, _ in drawn.batches(32)] == [25] * 4
    rows, starts = next(drawn.batches(32))
    windows = cut(signals, rows, starts, 40)
    np.testing.assert_array_equal(windows[7], signals[rows[7], :, starts[7] : starts[7] + 40])
    assert spread_starts(60, 4).tolist() == [0, 20, 40, 60]


def test_the_command_writes_a_table_for_compare(dataset_folder, tmp_path):
    for kind in ("logistic", "boosting"):
        out = tmp_path / f"{kind}.csv"
        result = CliRunner().invoke(main, ["baselines", str(dataset_folder), "--kind", kind, "--out", str(out)])
        assert result.exit_code == 0, result.output
        assert not np.isnan(Answers.read(out).probability).any()
    tables = ["--before", str(tmp_path / "logistic.csv"), "--after", str(tmp_path / "boosting.csv")]
    result = CliRunner().invoke(main, ["compare", str(dataset_folder), *tables])
    assert "| infarction | 60 | auroc |" in result.output


def test_the_command_trains_the_original(dataset_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(plan.ARCHITECTURES, "infarction", NETWORK)
    out = tmp_path / "original.csv"
    arguments = ["baselines", str(dataset_folder), "--kind", "original", "--stage", "infarction", "--set", "epochs=1"]
    result = CliRunner().invoke(main, [*arguments, "--runs", str(tmp_path / "runs"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    answered = ~np.isnan(Answers.read(out).probability).any(axis=0)
    assert [label for label, is_answered in zip(LABELS, answered, strict=True) if is_answered] == ["infarction"]
    assert (
        (tmp_path / "runs" / "original_learning_curve.csv").read_text(encoding="utf-8").startswith("stage,fold,epoch,")
    )


def test_settings_belong_to_the_original(dataset_folder, tmp_path):
    arguments = ["--kind", "boosting", "--set", "windows=4", "--out", str(tmp_path / "made.csv")]
    result = CliRunner().invoke(main, ["baselines", str(dataset_folder), *arguments])
    assert result.exit_code == 2
    assert "boosting has no settings to change" in result.output
