"""From window means and the quality report to a finding."""

import numpy as np
import pytest
from tiny import spec

from ecg_edge.decision import DecisionRule, Subject, needs_localization
from ecg_edge.errors import UncomputableError
from ecg_edge.findings import Note, Provenance
from ecg_edge.model.aggregation import WindowMean
from ecg_edge.quality.report import QualityReport

SUBJECT = Subject("bed 7", "bed7.npy", 10.0, 500.0)
CLEAN = QualityReport((), (), 0.0)
REFUSED = QualityReport((Note("dead_leads", "V1, V2 are flat"),), (), 0.0)


def rule(gate="refuse"):
    return DecisionRule(spec("infarction"), spec("localization"), Provenance("0", "CPUExecutionProvider", ()), gate)


def mean_of(stage, *windows, countable=None):
    mean = WindowMean(spec(stage))
    scores = np.array(windows, np.float32).reshape(len(windows), -1)
    mean.add(scores, np.ones(len(windows), bool) if countable is None else np.array(countable))
    return mean


@pytest.mark.parametrize(("probability", "status"), [(0.49, "not_detected"), (0.5, "detected"), (0.9, "detected")])
def test_the_status_follows_the_threshold(probability, status):
    finding = rule().decide(SUBJECT, CLEAN, mean_of("infarction", probability))
    assert (finding.status, finding.record, finding.duration_s) == (status, "bed 7", 10.0)
    assert finding.probability == pytest.approx(probability)


def test_a_reason_refuses_or_becomes_a_warning():
    mean = mean_of("infarction", 0.9)
    refused = rule().decide(SUBJECT, REFUSED, mean)
    assert (refused.status, refused.probability, refused.reasons) == ("cannot_analyse", None, REFUSED.reasons)
    warned = rule("warn").decide(SUBJECT, REFUSED, mean)
    assert (warned.status, warned.reasons, warned.warnings) == ("detected", (), REFUSED.reasons)


def test_windows_that_do_not_count_are_reported_and_more_than_half_of_them_refuse():
    one_of_three = rule().decide(SUBJECT, CLEAN, mean_of("infarction", 0.9, 0.9, 0.1, countable=[True, True, False]))
    assert one_of_three.status == "detected"
    assert [note.code for note in one_of_three.warnings] == ["windows_left_out"]
    two_of_three = rule().decide(SUBJECT, CLEAN, mean_of("infarction", 0.9, 0.9, 0.1, countable=[True, False, False]))
    assert two_of_three.status == "cannot_analyse"
    assert [note.code for note in two_of_three.reasons] == ["windows_left_out"]


def test_an_answer_that_is_not_finite_is_an_error():
    with pytest.raises(UncomputableError):
        rule().decide(SUBJECT, CLEAN, mean_of("infarction", np.inf))


def test_a_recording_shorter_than_a_window_is_refused():
    assert rule().refuse_short(SUBJECT, 800) is None
    refusal = rule().refuse_short(SUBJECT, 799)
    assert (refusal.status, [note.code for note in refusal.reasons]) == ("cannot_analyse", ["too_short"])


def test_sites_are_added_in_the_order_of_the_labels():
    detected = rule().decide(SUBJECT, CLEAN, mean_of("infarction", 0.9))
    located = rule().add_sites(detected, mean_of("localization", [0.1, 0.6, 0.7, 0.1, 0.1, 0.1]))
    assert located.found_sites == ("anterior", "lateral")
    assert [note.code for note in located.warnings] == ["unproven_site"]
    assert detected.sites == ()


@pytest.mark.parametrize(
    ("probability", "all_sites", "wanted"), [(0.9, False, True), (0.1, False, False), (0.1, True, True)]
)
def test_the_second_stage_runs_on_positives_or_on_request(probability, all_sites, wanted):
    finding = rule().decide(SUBJECT, CLEAN, mean_of("infarction", probability))
    assert needs_localization(finding, all_sites=all_sites) is wanted


def test_a_refused_recording_is_never_localized():
    refused = rule().decide(SUBJECT, REFUSED, mean_of("infarction", 0.9))
    assert not needs_localization(refused, all_sites=True)
