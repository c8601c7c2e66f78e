"""Leads that are taken away show what the other leads let expect."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_edge import Recording
from ecg_edge.recording import LEADS
from ecg_edge.recording.expected_leads import COVARIANCE, INDEPENDENT, make_replacement

LIMBS, CHEST = LEADS[:6], LEADS[6:]
NOTHING = frozenset()
LOST = st.frozensets(st.sampled_from(LEADS), max_size=3)


def draw_ecg(n=200_000, seed=0):
    """Samples with the covariance of the records, shape (12, n)."""
    independent = np.random.default_rng(seed).multivariate_normal(np.zeros(8), COVARIANCE, n).T
    return Recording(independent, leads=INDEPENDENT).stretch(0, n)


def row(lead):
    return LEADS.index(lead)


@given(st.sampled_from((None, *LIMBS)), st.frozensets(st.sampled_from(CHEST)), LOST)
def test_leads_that_are_lost_or_not_of_the_part_stay_as_they_are(limb, chest, lost):
    matrix = make_replacement(limb, chest, lost)
    stay = (set(CHEST) - chest) | lost | (set() if limb and limb not in lost else set(LIMBS))
    rows = [row(lead) for lead in stay]
    np.testing.assert_array_equal(matrix[rows], np.eye(12)[rows])


@given(st.sampled_from((None, *LIMBS)), st.frozensets(st.sampled_from(CHEST)))
def test_a_second_replacement_finds_nothing_left_to_replace(limb, chest):
    ecg = draw_ecg(50)
    once = make_replacement(limb, chest, NOTHING) @ ecg
    np.testing.assert_allclose(make_replacement(limb, chest, NOTHING) @ once, once, atol=1e-5)


@given(st.sampled_from(LIMBS), st.frozensets(st.sampled_from(CHEST)))
def test_the_limb_leads_still_agree_with_each_other(limb, chest):
    first, second, third, right, left, foot = (make_replacement(limb, chest, NOTHING) @ draw_ecg(50))[:6]
    expected = second - first, -(first + second) / 2, first - second / 2, second - first / 2
    np.testing.assert_allclose([third, right, left, foot], expected, atol=1e-5)


def test_a_limb_lead_is_replaced_along_its_direction_and_kept_across_it():
    ecg = draw_ecg(1000)
    for limb, across in {"I": "aVF", "II": "aVL", "III": "aVR", "aVF": "I"}.items():
        replaced = make_replacement(limb, NOTHING, NOTHING) @ ecg
        np.testing.assert_allclose(replaced[row(across)], ecg[row(across)], atol=1e-5)
        assert np.abs(replaced[row(limb)] - ecg[row(limb)]).mean() > 0.02


def test_no_other_sum_of_the_kept_leads_comes_closer():
    ecg = draw_ecg()
    replaced = make_replacement(None, frozenset({"V1", "V2"}), NOTHING) @ ecg
    kept = np.stack([ecg[row(lead)] for lead in ("I", "II", "V3", "V4", "V5", "V6")])
    for lead in ("V1", "V2"):
        weights, *_ = np.linalg.lstsq(kept.T, ecg[row(lead)], rcond=None)
        assert np.abs(replaced[row(lead)] - weights @ kept).mean() < 0.005 < np.abs(ecg[row(lead)]).mean() / 10


def test_a_lost_lead_is_not_used():
    matrix = make_replacement("aVF", frozenset({"V2"}), frozenset({"V3"}))
    used = matrix[:, row("V3")]
    assert np.flatnonzero(used).tolist() == [row("V3")]


def test_the_covariance_is_one():
    np.testing.assert_array_equal(COVARIANCE, COVARIANCE.T)
    assert np.linalg.eigvalsh(COVARIANCE).min() == pytest.approx(0.0085, abs=0.006)
