"""Groups of the model card: who belongs to them, and what is measured of few."""

import numpy as np
import pytest

from ecg_edge.evaluation.metrics import METRICS
from ecg_edge.evaluation.question import Question
from export.subgroups import RECENT, Subgroup, list_subgroups, measure_subgroups, render_subgroups


def about(**changes):
    return {"sex": "0", "age": "50", "scp_codes": "{'NORM': 100.0}", "infarction_stadium1": ""} | changes


def test_records_belong_to_the_groups_that_the_table_tells():
    rows = [
        about(),
        about(sex="1", age="300", pacemaker="ja, pacemaker"),
        about(age="", scp_codes="{'CLBBB': 100.0, 'VCLVH': 0.0}", static_noise=" , I-V1,"),
        about(age="39", scp_codes="", infarction_stadium1="Stadium I-II"),
        *[about(device="CS-12   E")] * 50,
    ]
    groups = {group.name: np.flatnonzero(group.rows[:4]).tolist() for group in list_subgroups(rows)}
    assert groups["male"] == [0, 2, 3]
    assert (groups["female"], groups["age 80 and over"], groups["note of a pacemaker"]) == ([1], [1], [1])
    assert (groups["age 40 to 59"], groups["age under 40"]) == ([0], [3])
    assert groups["left bundle branch block"] == groups["hypertrophy"] == groups["note of static noise"] == [2]
    assert groups["none of these notes"] == [0, 3]
    assert groups["normal ECG by PTB-XL"] == [0, 1]
    assert groups[RECENT] == [3]
    assert "device CS-12 E" in groups
    assert "atrial fibrillation" not in groups


@pytest.fixture
def question():
    truth = np.repeat([True, False], [20, 80])
    found = truth.copy()
    found[:5] = False  # missed
    found[90:] = True  # false alarms
    probability = np.where(found, 0.9, 0.1)
    return Question("infarction", METRICS, truth, probability, found, np.arange(100))


def test_each_figure_needs_enough_records_of_its_kind(question):
    rows = np.zeros(100, np.bool_)
    rows[85:] = True
    (row,) = measure_subgroups(question, [Subgroup("only well", rows)])
    assert (row.n, row.positives, row.figures.keys()) == (15, 0, {"specificity"})
    assert row.figures["specificity"].value == pytest.approx(5 / 15)
    line = list(render_subgroups([row]))[2]
    assert line.startswith("| only well | 15 | 0 | insufficient data | insufficient data | 0.333 (")


def test_a_stage_is_measured_against_all_without_an_infarction(question):
    rows = np.zeros(100, np.bool_)
    rows[:12] = True
    rows[99] = True  # a stage without an infarction, by the experts
    (row,) = measure_subgroups(question, [Subgroup(RECENT, rows)])
    assert (row.n, row.positives, row.figures.keys()) == (92, 12, {"auroc", "sensitivity"})
    assert row.figures["sensitivity"].value == pytest.approx(7 / 12)
    assert list(render_subgroups([row]))[2].endswith("|  |")
