"""How recordings are spoiled, the network that learns it, and the thresholds that are chosen for it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from ecg_edge.model.runtime import onnxruntime
from ecg_edge.quality.plausibility import FAULTS
from ecg_edge.recording import LEADS
from export.__main__ import main
from export.checks import check_model
from export.choices import Choice
from export.errors import DatasetError, RunsError
from export.folder import serialize
from export.graph import to_onnx
from export.network import Network
from export.plausibility import training
from export.plausibility.evaluation import CASES, Answers, choose_thresholds, decide_across
from export.plausibility.records import read_records
from export.plausibility.release import LIMITS, make_spec, put_section, take_section
from export.plausibility.spoiling import (
    KINDS,
    exchange_limbs,
    exchange_precordials,
    make_other_signals,
    plan_kind,
    plan_lesson,
    plan_nothing,
    read_at,
    spoil,
)
from export.plausibility.training import NETWORK, TrainingSettings, load_network, name_file, train
from export.reference import Exported


def record_electrodes(seed=0, samples=3000):
    """Return smooth potentials of R, L, F and V1 to V6, shape (9, samples)."""
    steps = np.random.default_rng(seed).normal(size=(9, samples)).cumsum(axis=1)
    return np.stack([np.convolve(lead, np.hanning(40) / 20, "same") for lead in steps]) / 20


def derive_leads(electrodes):
    """Return the twelve leads by their definitions."""
    right, left, foot, *chest = electrodes
    centre = (right + left + foot) / 3
    limbs = [left - right, foot - right, foot - left]
    limbs += [right - (left + foot) / 2, left - (right + foot) / 2, foot - (right + left) / 2]
    return np.stack([*limbs, *(lead - centre for lead in chest)])


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def spoil_one(signal, kind, random, amount=None, samples=1000):
    plan = plan_nothing(1, random) if kind is None else plan_kind(kind, 1, random, amount)
    ecg = torch.from_numpy(signal.astype(np.float32))[None]
    return spoil(ecg, torch.full((1,), 400.0), plan, samples, random, disturb=False)[0].numpy()


def test_the_labels_are_those_that_the_runtime_knows():
    assert set(KINDS) == set(FAULTS)


@pytest.mark.parametrize(("first", "second"), [("R", "L"), ("R", "F"), ("L", "F")])
def test_an_exchange_of_limb_electrodes_gives_the_leads_of_exchanged_potentials(first, second):
    electrodes = record_electrodes()
    exchanged = electrodes.copy()
    one, other = ("RLF".index(electrode) for electrode in (first, second))
    exchanged[[one, other]] = electrodes[[other, one]]
    found = exchange_limbs(first, second) @ derive_leads(electrodes)
    np.testing.assert_allclose(found, derive_leads(exchanged), atol=1e-6)
    twice = exchange_limbs(first, second) @ found
    np.testing.assert_allclose(twice, derive_leads(electrodes), atol=1e-6)


def test_chest_electrodes_in_another_order_change_the_chest_leads_alone():
    electrodes = record_electrodes()
    found = exchange_precordials((1, 0, 2, 3, 4, 5)) @ derive_leads(electrodes)
    np.testing.assert_allclose(found, derive_leads(electrodes[[0, 1, 2, 4, 3, 5, 6, 7, 8]]), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (None, lambda x: x),
        ("inverted", lambda x: -x),
        ("ra_la", lambda x: exchange_limbs("R", "L") @ x),
        ("ra_ll", lambda x: exchange_limbs("R", "F") @ x),
        ("la_ll", lambda x: exchange_limbs("L", "F") @ x),
        ("precordials_reversed", lambda x: np.concatenate([x[:6], x[:5:-1]])),
        ("time_reversed", lambda x: x[:, ::-1]),
    ],
)
def test_a_recording_is_spoiled_as_its_label_says(random, kind, expected):
    signal = derive_leads(record_electrodes())
    np.testing.assert_allclose(spoil_one(signal, kind, random), expected(signal[:, 400:1400]), atol=1e-5)


def test_two_chest_leads_change_places_and_no_more(random):
    signal = derive_leads(record_electrodes())
    found = spoil_one(signal, "precordials_exchanged", random)
    same = [np.allclose(one, other, atol=1e-5) for one, other in zip(found, signal[:, 400:1400], strict=True)]
    assert all(same[:6])
    assert sum(same) == 10


@pytest.mark.parametrize(("kind", "factor"), [("stretched", 0.5), ("squeezed", 2.0)])
def test_time_is_stretched_and_squeezed(random, kind, factor):
    signal = np.sin(2 * np.pi * np.arange(5000) / 250) * np.ones((12, 1))
    found = spoil_one(signal, kind, random, 2.0)
    expected = np.sin(2 * np.pi * (400 + factor * np.arange(1000)) / 250)
    np.testing.assert_allclose(found[0], expected, atol=1e-3)


@pytest.mark.parametrize(("kind", "gain"), [("too_small", 0.25), ("too_large", 4.0)])
def test_amplitudes_change_by_the_amount(random, kind, gain):
    signal = derive_leads(record_electrodes())
    np.testing.assert_allclose(spoil_one(signal, kind, random, 4.0), gain * signal[:, 400:1400], atol=1e-5)


def test_a_lesson_holds_each_kind_some_plain_records_and_some_that_are_spoiled_twice(random):
    plan = plan_lesson(2000, random)
    assert (plan.target.sum(dim=0) > 20).all()
    n_kinds = plan.target.sum(dim=1)
    assert 0.3 < (n_kinds == 0).float().mean() < 0.4
    assert n_kinds.max() == 2
    assert plan.target[plan.target[:, -1] > 0].sum(dim=1).max() == 1
    slow, fast, small, large = plan.target[:, :4].bool().T
    assert (plan.factor[slow] <= 1 / 1.5).all()
    assert (plan.factor[fast] >= 1.5).all()
    assert (plan.factor[~slow & ~fast] == 1).all()
    assert (plan.gain[small] <= 1 / 3).all()
    assert (plan.gain[large] >= 3).all()


def test_disturbed_recordings_stay_finite_and_of_one_length(random):
    ecg = torch.from_numpy(derive_leads(record_electrodes(samples=6000)).astype(np.float32)).repeat(64, 1, 1)
    found = spoil(ecg, torch.zeros(64), plan_lesson(64, random), 1000, random, disturb=True)
    assert found.shape == (64, 12, 1000)
    assert torch.isfinite(found).all()


def test_other_signals_are_finite_and_not_the_recording(random):
    ecg = torch.from_numpy(derive_leads(record_electrodes()).astype(np.float32)).repeat(200, 1, 1)
    found = make_other_signals(ecg, random)
    assert torch.isfinite(found).all()
    assert (found - ecg).abs().amax(dim=(1, 2)).min() > 0.01


def test_reading_at_the_same_rate_gives_the_samples(random):
    ecg = torch.randn((2, 12, 500), generator=random)
    found = read_at(ecg, torch.tensor([0.0, 100.0]), torch.ones(2), 300)
    torch.testing.assert_close(found, torch.stack([ecg[0, :, :300], ecg[1, :, 100:400]]))


def test_a_random_network_of_the_shipped_sizes_keeps_the_contract():
    torch.manual_seed(0)
    network = Network(NETWORK, len(KINDS), 0)
    for name, buffer in network.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    n = len(KINDS)
    choice = Choice(0, np.ones(n, np.float32), np.zeros(n, np.float32), np.full(n, 0.5))
    answers = make_answers()
    spec = make_spec(answers, choice.threshold)
    exported = Exported(network.eval(), choice).eval()
    signals = np.random.default_rng(0).normal(0, 0.5, (3, 12, 5000)).astype(np.float32)
    check_model(serialize(to_onnx(exported, spec, centred=True)), exported, spec, signals, LIMITS)


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_a_missing_first_sample_reaches_no_window_that_it_is_not_in(missing):
    torch.manual_seed(0)
    n = len(KINDS)
    choice = Choice(0, np.ones(n, np.float32), np.zeros(n, np.float32), np.full(n, 0.5))
    exported = Exported(Network(NETWORK, n, 0).eval(), choice).eval()
    content = serialize(to_onnx(exported, make_spec(make_answers(), choice.threshold), centred=True))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    ecg = np.random.default_rng(0).normal(0, 0.5, (1, 12, 2500)).astype(np.float32)
    whole = session.run(["window_probability"], {"ecg": ecg})[0]
    ecg[0, 3, 0] = missing
    found = session.run(["window_probability"], {"ecg": ecg})[0]
    np.testing.assert_allclose(found[:, 1:], whole[:, 1:], atol=1e-5)


def make_answers(n=1000, seed=0):
    """Return answers of a network that knows spoiled from plain records but for some noise."""
    random = np.random.default_rng(seed)
    plain = random.uniform(0, 0.4, (n, len(KINDS)))
    spoiled = random.uniform(0, 0.4, (len(CASES), n, len(KINDS)))
    for case, (kind, _) in enumerate(CASES):
        spoiled[case, :, KINDS.index(kind)] = random.uniform(0.7, 1, n)
    databases = np.where(np.arange(n) % 5, "ptb_xl", "other")
    return Answers(np.arange(n) // 5 % 5, databases, np.zeros(n, np.bool_), plain, plain, spoiled)


def test_thresholds_leave_few_alarms_and_find_what_stands_out():
    answers = make_answers()
    thresholds = choose_thresholds(answers, np.ones(1000, np.bool_))
    assert ((answers.plain >= thresholds).mean(axis=0) <= 0.002).all()
    assert (decide_across(answers, answers.spoiled[0])[:, 0]).mean() > 0.95


def test_thresholds_of_a_fold_do_not_depend_on_its_own_records():
    answers = make_answers()
    own = answers.folds == 2
    before = decide_across(answers, answers.plain)[own]
    answers.plain[own] = 1 - answers.plain[own] / 10
    found = decide_across(answers, np.where(own[:, None], make_answers().plain, answers.plain))[own]
    np.testing.assert_array_equal(found, before)


@pytest.fixture
def folder(tmp_path):
    """Six records of four people, two of them of another database at 250 Hz."""
    main_folder, others = tmp_path / "main", tmp_path / "others"
    for place in (main_folder, others):
        place.mkdir()
    signal = derive_leads(record_electrodes(samples=5000)).astype(np.float32)
    for i in range(4):
        np.save(main_folder / f"r{i}.npy", signal * (1 + i / 10))
    (main_folder / "meta.csv").write_text("record_name,patient_id\nr0,1\nr1,1\nr2,2\nr3,3\n")
    for i in range(2):
        np.save(others / f"o{i}.npy", signal[:, ::2])
    (others / "about.csv").write_text("record_name,database,sampling_rate\no0,georgia,250\no1,georgia,250\n")
    return main_folder, others


def test_records_are_read_with_their_people_and_at_500_hz(folder):
    pytest.importorskip("soxr")
    records = read_records(folder)
    assert records.names == ("r0", "r1", "r2", "r3", "o0", "o1")
    assert records.databases == ("ptb_xl",) * 4 + ("georgia",) * 2
    assert records.people == ("1", "1", "2", "3", "o0", "o1")
    assert records.signal(5).shape == (len(LEADS), 5000)
    np.testing.assert_allclose(records.signal(4)[:, 500:4500], records.signal(0)[:, 500:4500], atol=0.05)
    folds = records.folds(3, 0)
    assert folds[0] == folds[1]
    assert len({*folds[1:4]}) == 3


def test_a_folder_without_records_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"has no \.npy files"):
        read_records([tmp_path])


def test_training_writes_all_networks_goes_on_where_it_stopped_and_refuses_other_settings(
    folder, tmp_path, monkeypatch
):
    pytest.importorskip("soxr")
    monkeypatch.setattr(training, "N_FOLDS", 2)
    records, lines, short = read_records(folder), [], TrainingSettings(steps=2, batch=8)
    train(records, tmp_path / "runs", lines.append, short)
    files = {name_file(0), name_file(1), name_file(None)}
    assert {path.name for path in (tmp_path / "runs").iterdir()} == files
    stamp = (tmp_path / "runs" / name_file(0)).stat().st_mtime_ns
    (tmp_path / "runs" / name_file(None)).unlink()
    train(records, tmp_path / "runs", lines.append, short)
    assert (tmp_path / "runs" / name_file(0)).stat().st_mtime_ns == stamp
    assert isinstance(load_network(tmp_path / "runs" / name_file(None)), Network)
    with pytest.raises(RunsError, match="trained with other settings or records"):
        train(records, tmp_path / "runs", lines.append, replace(short, seed=1))


def test_the_table_without_a_training_is_one_line(folder, tmp_path):
    result = CliRunner().invoke(main, ["plausibility", str(folder[0]), "--runs", str(tmp_path)])
    assert result.exit_code == 1
    assert "train the plausibility network first" in result.output
    assert result.output.count("\n") == 1


def test_the_section_of_the_card_replaces_the_older_one():
    card = "# Model card\n\n## Data\n\ntext\n\n## Licence\n\nMIT\n"
    once = put_section(card, "## Plausibility of recordings\n\nold\n")
    assert once.index("old") < once.index("## Licence")
    again = put_section(once, "## Plausibility of recordings\n\nnew\n")
    assert ("new" in again, "old" in again, again.count("## ")) == (True, False, 3)
    assert take_section(again) == "## Plausibility of recordings\n\nnew\n"
    assert take_section(card) == ""
