"""Figures that a person can calculate."""

import tracemalloc

import numpy as np
import pytest
from labelled import write_record

from ecg_edge.evaluation.bootstrap import Bootstrap
from ecg_edge.evaluation.groups import group_rows
from ecg_edge.evaluation.label_table import LabelTable
from ecg_edge.evaluation.metrics import compute_mean


def test_the_figures_are_those_that_a_person_calculates(example, measure):
    folder, rows = example
    report = measure(folder, rows, "--label", "mi")
    (row,) = report["infarction"]
    assert (row["label"], row["n"], row["positives"]) == ("infarction", 24, 12)
    values = {name: figure["value"] for name, figure in row["figures"].items()}
    assert values == pytest.approx(
        {
            "auroc": (10 * 12 + 2 * 9) / (12 * 12),
            "average_precision": (10 * 1 + 2 * 12 / 15) / 12,
            "f1": 2 * 10 / (2 * 10 + 3 + 2),
            "sensitivity": 10 / 12,
            "specificity": 9 / 12,
            "positive_predictive_value": 10 / 13,
            "negative_predictive_value": 9 / 11,
        }
    )
    (calibration,) = report["calibration"]
    probability = 1 / (1 + np.exp(5 - 10 * np.array([0.8] * 10 + [0.3] * 2 + [0.2] * 9 + [0.7] * 3)))
    brier = np.mean((probability - np.array([1] * 12 + [0] * 12)) ** 2)
    assert calibration["figures"]["brier"]["value"] == pytest.approx(brier, abs=1e-5)
    for figure in (*row["figures"].values(), *calibration["figures"].values()):
        assert 0 <= figure["low"] <= figure["high"] <= 1
        assert figure["n"] == 24
    assert report["sites"] == report["end_to_end"] == []
    assert report["thresholds"] == {"infarction": 0.5}


def test_sites_are_measured_on_the_records_with_infarction(tmp_path, measure):
    """11 inferior infarctions, 3 of them not seen to be inferior, 10 septal ones, and a normal record."""
    rows = []
    for i in range(21):
        inferior = i < 11
        # The first network misses one of the inferior infarctions that the second finds.
        write_record(tmp_path / "r" / f"{i}.npy", I=0.1 if i == 5 else 0.9, aVF=0.9 if inferior and i > 2 else 0.2)
        rows.append({"name": i, "sites": "inferior" if inferior else "septal"})
    write_record(tmp_path / "r" / "well.npy", I=0.9, aVF=0.9)
    rows.append({"name": "well", "sites": "normal"})
    report = measure(tmp_path / "r", rows, "--label", "sites")
    sites = {row["label"]: row for row in report["sites"]}
    assert (sites["inferior"]["n"], sites["inferior"]["positives"]) == (21, 11)
    assert sites["inferior"]["figures"]["sensitivity"]["value"] == pytest.approx(8 / 11)
    assert sites["inferior"]["figures"]["specificity"]["value"] == 1
    assert sites["anterior"]["figures"] == {}
    end_to_end = {row["label"]: row for row in report["end_to_end"]}
    assert end_to_end["inferior"]["n"] == 22
    assert end_to_end["inferior"]["figures"]["sensitivity"]["value"] == pytest.approx(7 / 11)
    assert end_to_end["inferior"]["figures"]["specificity"]["value"] == pytest.approx(10 / 11)
    assert report["infarction"][0]["figures"] == {}  # one record without infarction


def test_an_interval_by_patient_is_wider_if_each_record_is_there_twice(example, measure):
    folder, rows = example
    twice = []
    for row in rows:
        for copy in "ab":
            name = f"{row['record_name']}{copy}"
            (folder / f"{name}.npy").write_bytes((folder / f"{row['record_name']}.npy").read_bytes())
            twice.append({"record_name": name, "mi": row["mi"], "person": row["record_name"]})
        (folder / f"{row['record_name']}.npy").unlink()
    by_record = measure(folder, twice, "--label", "mi")
    by_patient = measure(folder, twice, "--label", "mi", "--patient", "person")
    assert (by_record["bootstrap"]["by"], by_record["bootstrap"]["patients"]) == ("record", 48)
    assert (by_patient["bootstrap"]["by"], by_patient["bootstrap"]["patients"]) == ("person", 24)
    for name in ("auroc", "sensitivity", "specificity"):
        narrow, wide = (report["infarction"][0]["figures"][name] for report in (by_record, by_patient))
        assert narrow["value"] == wide["value"]
        assert wide["high"] - wide["low"] > 1.2 * (narrow["high"] - narrow["low"])


def test_records_without_a_patient_are_patients_of_their_own(example, measure):
    folder, rows = example
    for i, row in enumerate(rows):
        row["person"] = "same" if i < 3 else ""
    assert measure(folder, rows, "--label", "mi", "--patient", "person")["bootstrap"]["patients"] == 22


@pytest.mark.parametrize("truth", [0, 1])
def test_records_of_few_patients_give_no_interval_that_looks_sure(example, evaluate, measure, truth):
    """12 records of one patient are one observation: all resamples have the same sensitivity or specificity."""
    folder, rows = example
    for place, row in enumerate(rows):
        row["person"] = "same" if row["mi"] == truth else str(place)
    assert measure(folder, rows, "--label", "mi")["infarction"][0]["figures"] != {}
    report = measure(folder, rows, "--label", "mi", "--patient", "person")
    assert (report["infarction"][0]["n"], report["infarction"][0]["figures"]) == (24, {})
    text = evaluate(folder, rows, "--label", "mi", "--patient", "person").stdout
    assert "insufficient data" in text
    assert "The records of one patient count as one." in text


def test_a_label_with_few_records_has_insufficient_data(example, evaluate, measure):
    folder, rows = example
    few = rows[3:]
    assert measure(folder, few, "--label", "mi")["infarction"][0]["figures"] == {}
    result = evaluate(folder, few, "--label", "mi")
    assert "insufficient data" in result.stdout
    assert result.exit_code == 0


def test_a_figure_that_the_answers_do_not_define_is_left_out(tmp_path, evaluate, measure):
    rows = []
    for i in range(20):
        write_record(tmp_path / "r" / f"{i}.npy", I=i / 100)
        rows.append({"name": i, "mi": i % 2})
    (row,) = measure(tmp_path / "r", rows, "--label", "mi")["infarction"]
    assert "positive_predictive_value" not in row["figures"]
    assert row["figures"]["negative_predictive_value"]["value"] == 0.5
    text = evaluate(tmp_path / "r", rows, "--label", "mi").stdout
    assert "not defined" in text
    assert "nan" not in text


def test_the_interval_of_a_mean_is_the_one_of_statistics():
    values = np.random.default_rng(0).normal(0, 1, 4000)
    figure = Bootstrap(np.arange(4000), 0).measure({"mean": lambda counts: compute_mean(values, counts)})["mean"]
    assert figure.value == pytest.approx(values.mean())
    assert figure.high - figure.low == pytest.approx(2 * 1.96 / np.sqrt(4000), rel=0.1)


def test_the_worst_mistakes_are_named_worst_first(tmp_path, measure):
    rows = []
    for i in range(40):
        ill = i < 20
        write_record(tmp_path / "r" / f"r{i:02}.npy", I=0.4 + 0.004 * i if ill else 0.6 - 0.002 * i)
        rows.append({"name": f"r{i:02}", "mi": int(ill)})
    report = measure(tmp_path / "r", rows, "--label", "mi", "--worst", "3")
    (mistakes,) = report["mistakes"]
    assert (mistakes["n_missed"], mistakes["n_false_alarms"]) == (20, 20)
    assert [one["record"] for one in mistakes["missed"]] == ["r00", "r01", "r02"]
    assert [one["record"] for one in mistakes["false_alarms"]] == ["r20", "r21", "r22"]
    assert mistakes["missed"][0]["probability"] == pytest.approx(1 / (1 + np.exp(1)), abs=1e-5)
    assert mistakes["missed"][0]["source"].endswith("r00.npy")
    none = measure(tmp_path / "r", rows, "--label", "mi", "--worst", "0")["mistakes"][0]
    assert (none["missed"], none["n_missed"]) == ([], 20)


def test_groups_have_their_own_figures(tmp_path, measure):
    rows = []
    for i in range(60):
        ill, old = i % 2, i < 30
        value = 0.9 if ill and not old else 0.1
        write_record(tmp_path / "r" / f"{i}.npy", I=value)
        age = "" if i == 58 else 300 if i == 59 else 85 if old else 50 + i % 2
        rows.append({"name": i, "mi": ill, "age": age, "sex": "mf"[old], "weight": 40 + i, "kind": i % 3})
    report = measure(
        tmp_path / "r", rows, "--label", "mi", *[f"--by={name}" for name in ("sex", "age", "weight", "kind")]
    )
    groups = {(group["column"], group["group"]): group["rows"][0] for group in report["groups"]}
    assert groups["sex", "f"]["figures"]["sensitivity"]["value"] == 0
    assert groups["sex", "m"]["figures"]["sensitivity"]["value"] == 1
    ages = {name: row["n"] for (column, name), row in groups.items() if column == "age"}
    assert ages == {"40 to 59": 28, "80 and over": 31, "missing": 1}
    weights = {name: row["n"] for (column, name), row in groups.items() if column == "weight"}
    assert list(weights) == ["up to 54.75", "over 54.75 to 69.5", "over 69.5 to 84.25", "over 84.25"]
    assert set(weights.values()) == {15}
    assert [name for column, name in groups if column == "kind"] == ["0", "1", "2"]


def test_ages_are_bands_of_whole_years():
    ages = ("19.9", "20", "39.5", "79", "80", "nan")
    table = LabelTable(None, ("Patient age",), tuple((age,) for age in ages), tuple(range(6)))
    groups = group_rows(table, "Patient age", range(6))
    assert {name: members.nonzero()[0].tolist() for name, members in groups.items()} == {
        "0 to 19": [0],
        "20 to 39": [1, 2],
        "60 to 79": [3],
        "80 and over": [4],
        "missing": [5],
    }


def group(column, cells):
    table = LabelTable(None, (column,), tuple((cell,) for cell in cells), tuple(range(len(cells))))
    groups = group_rows(table, column, range(len(cells)))
    return {name: members.nonzero()[0].tolist() for name, members in groups.items()}


def test_impossible_ages_and_numbers_are_groups_of_their_own():
    ages = group("age", ["61", "-1", "inf", "62", "", "-inf", "0"])
    assert ages == {"0 to 19": [6], "60 to 79": [0, 3], "not an age": [1, 2, 5], "missing": [4]}
    weights = group("weight", ["-inf", *map(str, range(40, 60)), "inf"])
    assert weights.pop("not finite") == [0, 21]
    assert [len(members) for members in weights.values()] == [5, 5, 5, 5]
    assert group("steps", ["-1", "2", "-1"]) == {"-1": [0, 2], "2": [1]}
    assert group("wall", ["inf", "", "inf"]) == {"inf": [0, 2], "missing": [1]}


def test_the_bootstrap_of_many_records_needs_little_memory():
    values = np.arange(50_000.0)
    tracemalloc.start()
    Bootstrap(np.arange(50_000), 0).measure({"mean": lambda counts: compute_mean(values, counts)})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
