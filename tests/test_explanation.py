"""What carried an answer: answers without a part, compared with the answer itself."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from ecg_edge import Detector, Recording, read_recording, rendering
from ecg_edge.explanation import LEAD_GROUPS
from ecg_edge.occlusion import PARTS, list_replacements
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import RecordFile, find_records
from ecg_edge.recording import LEADS
from ecg_edge.recording.expected_leads import INDEPENDENT


@pytest.fixture
def infarction():
    return read_recording(example_recordings() / "inferior_infarction.npy")


@pytest.fixture
def positive():
    """Make a recording without flat leads in which the tiny models find an infarction and some sites."""

    def make(samples=5000, seed=0):
        signal = np.random.default_rng(seed).normal(0, 0.3, (8, samples))
        signal[0] += 0.6
        signal[1] += 0.9
        return Recording(signal, leads=INDEPENDENT, name=f"positive{seed}")

    return make


def occlusions(finding):
    return {occlusion.part: occlusion for occlusion in (*finding.explanation.groups, *finding.explanation.leads)}


def test_the_columns_stay_apart_late_in_a_long_recording(shipped, infarction):
    finding = shipped.explain(infarction)
    late = {
        name: replace(course, start_s=(86_000.4,), stop_s=(86_399.8,), difference=(0.0,))
        for name, course in finding.explanation.time_course.items()
    }
    finding = replace(finding, explanation=replace(finding.explanation, time_course=late))
    *_, table = "".join(rendering.text([finding])).partition("(- they raise")
    heads, *lines = table.splitlines()[1:10]
    (times,) = (line for line in lines if "highest, time" in line)
    assert times.split("  ")[-2:] == ["86000.4 to 86399.8 s"] * 2
    assert len(heads) == len(times)


def test_an_inferior_infarction_is_carried_by_the_inferior_leads(shipped, infarction):
    finding = shipped.explain(infarction)
    changes = {group.part: group.changes for group in finding.explanation.groups}
    assert list(changes) == list(LEAD_GROUPS)
    assert all(list(of_group) == ["infarction", "inferior"] for of_group in changes.values())
    for answer in ("infarction", "inferior"):
        others = [changes[group][answer] for group in ("lateral", "septal", "anterior")]
        assert changes["inferior"][answer] < -0.3 < -0.1 < min(others)


def test_the_finding_is_otherwise_that_of_detect(shipped, infarction):
    assert replace(shipped.explain(infarction), explanation=None) == shipped.detect(infarction)


@pytest.mark.parametrize("samples", [800, 5000, 5050])
def test_a_change_is_what_the_answer_changes_by_without_the_part(tiny, positive, samples):
    """Also over several stretches, and with a window at the end."""
    recording = positive(samples)
    finding = tiny.explain(recording)
    signal = recording.stretch(0, samples)
    assert len(finding.found_sites) >= 2
    for part, matrix in zip(PARTS, list_replacements(signal), strict=True):
        without = tiny.detect(Recording(matrix @ signal), all_sites=True)
        sites = {site.site: site.probability for site in without.sites}
        changes = occlusions(finding)[part].changes
        assert changes["infarction"] == pytest.approx(without.probability - finding.probability, abs=1e-5)
        for site in finding.sites:
            if site.found:
                assert changes[site.site] == pytest.approx(sites[site.site] - site.probability, abs=1e-5)


def test_a_part_that_no_other_lead_tells_of_is_at_zero(tiny):
    """Only the horizontal limb signal is there: nothing lets it be expected."""
    first = np.random.default_rng(0).normal(0.8, 0.1, 5000)
    signal = np.zeros((8, 5000))
    signal[0], signal[1] = first, first / 2
    finding = tiny.explain(Recording(signal, leads=INDEPENDENT))
    change = 1 / (1 + np.exp(5)) - finding.probability
    assert occlusions(finding)["lateral"].changes["infarction"] == pytest.approx(change, abs=1e-4)


def test_a_lost_lead_carries_nothing(shipped, infarction):
    signal = np.array(infarction.stretch(0, 5000))
    signal[LEADS.index("V3")] = 0
    finding = shipped.explain(Recording(signal))
    assert set(occlusions(finding)["V3"].changes.values()) == {0.0}
    assert occlusions(finding)["V4"].changes["infarction"] != 0


def test_the_time_course_is_that_of_the_windows(tiny, positive):
    recording = positive(5050)
    course = tiny.explain(recording).explanation.time_course
    finding = tiny.detect(recording, windows=True)
    timelines = {"infarction": finding.timeline} | {site.site: site.timeline for site in finding.sites if site.found}
    probabilities = {"infarction": finding.probability} | {site.site: site.probability for site in finding.sites}
    assert course.keys() == timelines.keys()
    for answer, timeline in timelines.items():
        assert course[answer].start_s == timeline.start_s
        np.testing.assert_allclose(np.array(course[answer].difference) + probabilities[answer], timeline.probability)
    assert course["infarction"].stop_s[0] == 1.6
    assert {of_answer.stop_s[-1] for of_answer in course.values()} == {10.1}


def test_the_time_course_of_a_long_recording_is_no_longer_than_a_thousand_stretches(tiny, positive):
    recording = positive(220_000)
    course = tiny.explain(recording).explanation.time_course["infarction"]
    timeline = tiny.detect(recording, windows=True).timeline
    assert len(timeline.start_s) == 2193
    assert len(course.start_s) == 731
    assert list(course.start_s) == list(timeline.start_s)[::3]
    assert course.stop_s[-1] == 440
    mean = np.mean(timeline.probability)
    np.testing.assert_allclose(course.difference[0], np.mean(timeline.probability[:3]) - mean, atol=1e-6)


def test_windows_with_missing_samples_count_neither_with_nor_without_a_part(tiny, positive):
    signal = np.array(positive().signal)
    signal[2, 2000:2010] = np.nan
    recording = Recording(signal, leads=INDEPENDENT)
    finding = tiny.explain(recording)
    assert (
        finding.explanation.time_course["infarction"].start_s == tiny.detect(recording, windows=True).timeline.start_s
    )
    assert all(np.isfinite(list(part.changes.values())).all() for part in occlusions(finding).values())
    assert occlusions(finding)["V2"].changes["infarction"] == 0  # the tiny model looks at lead I


def test_a_model_that_averages_logits_is_explained_too(original_like, positive):
    finding = original_like.explain(positive())
    changes = occlusions(finding)["lateral"].changes
    signal = positive().stretch(0, 5000)
    matrix = list_replacements(signal)[list(PARTS).index("lateral")]
    without = original_like.detect(Recording(matrix @ signal))
    assert changes["infarction"] == pytest.approx(without.probability - finding.probability, abs=1e-5)


@pytest.fixture
def original_like(tmp_path):
    from tiny import write_models

    changed = {stage: {"average": "logit", "tail": "dropped"} for stage in ("infarction", "localization")}
    return Detector(write_models(tmp_path / "logit", **changed), quality_gate="warn")


def test_without_an_infarction_only_its_probability_is_explained(shipped):
    finding = shipped.explain(read_recording(example_recordings() / "normal.npy"))
    assert finding.status == "not_detected"
    assert finding.explanation.time_course.keys() == {"infarction"}
    assert all(part.changes.keys() == {"infarction"} for part in occlusions(finding).values())


def test_a_recording_without_an_answer_has_no_explanation_and_says_so(gated, ecg):
    for recording in (ecg(samples=100), ecg(I=1.0)):
        finding = gated.explain(recording)
        assert (finding.status, finding.explanation) == ("cannot_analyse", None)
        assert finding.warnings[-1].code == "not_explained"
        assert "not_explained" not in [note.code for note in gated.detect(recording).warnings]


def test_many_are_explained_as_each_alone(shipped, infarction, tmp_path):
    records = list(find_records(example_recordings()))
    items = [infarction, *records, RecordFile("gone", "gone.npy", lambda: np.load(tmp_path / "gone.npy"))]
    *found, failed = shipped.detect_many(items, explain=True)
    alone = [shipped.explain(item.read() if isinstance(item, RecordFile) else item) for item in items[:-1]]
    assert [finding.to_dict() for finding in found] == [finding.to_dict() for finding in alone]
    assert (failed.status, failed.explanation) == ("error", None)


def test_without_asking_there_is_no_explanation(shipped, infarction):
    assert shipped.detect(infarction).explanation is None
    assert "explanation" not in shipped.detect(infarction).to_dict()


def test_an_explained_finding_can_be_pickled_hashed_and_written(shipped, infarction):
    finding = shipped.explain(infarction)
    copy = pickle.loads(pickle.dumps(finding))  # noqa: S301 - our own bytes
    assert copy == finding
    assert len({finding, copy}) == 1
    written = finding.to_dict()["explanation"]
    assert written["hint"] == "a hint to where to look, not a reason"
    assert [group["part"] for group in written["groups"]] == list(LEAD_GROUPS)
    assert [lead["leads"] for lead in written["leads"]] == [(lead,) for lead in LEADS]
    assert written["time_course"]["inferior"].keys() == {"start_s", "stop_s", "difference"}


def test_other_rates_are_explained(shipped, infarction):
    slow = Recording(infarction.stretch(0, 5000)[:, ::2], sampling_rate=250)
    finding = shipped.explain(slow)
    assert occlusions(finding)["inferior"].changes["inferior"] < -0.3


def test_something_else_than_a_recording_is_a_type_error(shipped):
    with pytest.raises(TypeError):
        shipped.explain(np.zeros((12, 5000)))
