"""Operating points in a spec, and the predictive values that follow from their figures."""

import json

import numpy as np
import pytest
from tiny import points, spec

from ecg_edge.model.operating_point import OperatingPoint, Share, compute_predictive_values, read_share
from ecg_edge.model.spec import ModelSpec

FIGURE = {"value": 0.9, "low": 0.85, "high": 0.95, "n": 100, "positives": 20}


def test_a_spec_without_points_has_balanced_alone_with_its_thresholds():
    values = json.loads(spec("localization", metrics={"inferior": {"sensitivity": FIGURE}}).to_json())
    del values["operating_points"]
    old = ModelSpec.from_json(json.dumps(values))
    assert list(old.points) == ["balanced"]
    point = old.points["balanced"]
    assert (point.thresholds, point.goal, point.unproven) == (old.thresholds, "by hand", ("lateral",))
    assert point.share("inferior", "sensitivity") == (0.9, 0.85, 0.95)
    assert point.share("inferior", "specificity") is None


def test_points_are_read_as_they_were_written_and_later_keys_are_ignored():
    written = spec("localization", operating_points=points("localization", sensitive=0.1, specific=0.9))
    assert ModelSpec.from_json(written.to_json()) == written
    values = json.loads(written.to_json())
    values["operating_points"]["sensitive"]["colour"] = "red"
    read = ModelSpec.from_json(json.dumps(values))
    assert read.points["sensitive"].thresholds == (0.1, 0.1, 0.5, 0.1, 0.1, 0.1)
    assert read.points["sensitive"].unproven == ("lateral",)


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"infarction": 3},
        {"infarction": {"sensitivity": [1]}},
        *({"infarction": {"sensitivity": FIGURE | {"low": low}}} for low in (None, "0.1", float("nan"), -0.1, 1.1, [])),
        {"infarction": {"sensitivity": {"value": 0.9}}},
    ],
)
def test_a_figure_that_is_not_stated_in_full_is_none(metrics):
    assert read_share(metrics, "infarction", "sensitivity") is None


def test_the_predictive_value_of_a_point_is_that_of_the_records_it_was_measured_on():
    """Of 20 records with the label 18 are found, of 80 without it 8."""
    figures = {"sensitivity": FIGURE, "specificity": FIGURE}
    point = OperatingPoint("by hand", (0.5,), metrics={"inferior": figures})
    assert point.compute_predictive_value("inferior").value == pytest.approx(18 / 26)
    assert point.compute_predictive_value("septal") is None


def test_the_predictive_value_of_what_was_never_found_may_be_anything():
    never = {"sensitivity": FIGURE | {"value": 0, "low": 0}, "specificity": FIGURE | {"value": 1, "low": 1, "high": 1}}
    assert OperatingPoint("", (0.5,), metrics={"septal": never}).compute_predictive_value("septal") == (0, 0, 1)


@pytest.mark.parametrize(
    "counts",
    [
        {"n": None},
        {"n": 20},
        {"n": 0},
        {"n": 1.5},
        {"positives": 0},
        {"positives": -1},
        {"positives": True},
        {"n": {}},
        {"n": 10**400},
    ],
)
def test_there_is_no_predictive_value_without_counts_of_records(counts):
    figures = {"sensitivity": FIGURE | counts, "specificity": FIGURE}
    assert OperatingPoint("", (0.5,), metrics={"inferior": figures}).compute_predictive_value("inferior") is None


def test_predictive_values_are_those_of_a_table_of_a_thousand_recordings():
    """Of 80 with infarction 72 are detected, of 920 without 46."""
    exact = Share(0.9, 0.9, 0.9), Share(0.95, 0.95, 0.95)
    positive, negative = compute_predictive_values(*exact, 0.08)
    assert positive == pytest.approx([72 / (72 + 46)] * 3)
    assert negative == pytest.approx([874 / (874 + 8)] * 3)


def test_the_interval_of_a_predictive_value_holds_all_values_within_the_intervals():
    sensitivity, specificity = Share(0.77, 0.72, 0.82), Share(0.95, 0.94, 0.96)
    positive, negative = compute_predictive_values(sensitivity, specificity, 0.1)
    random = np.random.default_rng(0)
    for sens, spec_ in zip(random.uniform(0.72, 0.82, 100), random.uniform(0.94, 0.96, 100), strict=True):
        inside = compute_predictive_values(Share(sens, sens, sens), Share(spec_, spec_, spec_), 0.1)
        assert positive.low <= inside[0].value <= positive.high
        assert negative.low <= inside[1].value <= negative.high
    rarer = compute_predictive_values(sensitivity, specificity, 0.01)
    assert rarer[0].high < positive.low
    assert rarer[1].low > negative.high


def test_a_predictive_value_without_a_recording_is_none():
    nothing_detected = compute_predictive_values(Share(0, 0, 0.1), Share(1, 1, 1), 0.08)
    assert nothing_detected[0] is None
    assert nothing_detected[1] is not None
    all_detected = compute_predictive_values(Share(1, 1, 1), Share(0, 0, 0.1), 0.08)
    assert all_detected[0] is not None
    assert all_detected[1] is None


@pytest.mark.parametrize("prevalence", [0, 1, -0.08, 8, float("nan"), float("inf")])
def test_a_prevalence_out_of_range_is_an_error(prevalence):
    share = Share(0.9, 0.8, 1.0)
    with pytest.raises(ValueError, match=r"the prevalence is .*, expected more than 0 and less than 1"):
        compute_predictive_values(share, share, prevalence)
