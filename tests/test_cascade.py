"""Both stages together: findings stay in order and do not depend on what is answered together."""

import numpy as np
import pytest
from tiny import SITES

from ecg_edge import Recording
from ecg_edge.cascade import Cascade
from ecg_edge.errors import SamplingRateError


@pytest.fixture
def cascade(tiny):
    return Cascade(tiny.infarction, tiny.localization, tiny._cascade.rule)


def test_short_positive_and_negative_recordings_keep_their_places(cascade, ecg):
    recordings = [ecg(I=1.0, II=1.0), ecg(samples=100), ecg(), ecg(samples=1234, I=1.0), ecg(I=1.0)]
    findings = cascade.answer(recordings, all_sites=False, windows=False)
    statuses = ["detected", "cannot_analyse", "not_detected", "detected", "detected"]
    assert [finding.status for finding in findings] == statuses
    assert [len(finding.sites) for finding in findings] == [6, 0, 0, 6, 6]
    assert [finding.duration_s for finding in findings] == [10.0, 0.2, 10.0, 1234 / 500, 10.0]


def test_recordings_answered_together_get_the_answers_that_they_get_alone(cascade, noise, ecg):
    recordings = [noise(samples, seed) for seed, samples in enumerate((5000, 5000, 1500, 5050, 1500))] + [ecg(I=1.0)]
    together = cascade.answer(recordings, all_sites=True, windows=True)
    alone = [cascade.answer([recording], all_sites=True, windows=True)[0] for recording in recordings]
    assert [finding.to_dict() for finding in together] == [finding.to_dict() for finding in alone]


def test_timelines_are_there_only_if_windows_are_asked_for(cascade, ecg):
    (without,) = cascade.answer([ecg(I=1.0)], all_sites=True, windows=False)
    (with_them,) = cascade.answer([ecg(I=1.0)], all_sites=True, windows=True)
    assert without.timeline is None
    assert all(site.timeline is None for site in without.sites)
    assert len(with_them.timeline.start_s) == 43
    assert [(site.site, len(site.timeline.start_s)) for site in with_them.sites] == [(site, 87) for site in SITES]


def test_all_samples_are_measured_even_those_that_no_window_of_the_first_stage_needs(gated, noise):
    recording = noise()
    signal = np.array(recording.signal)
    signal[3, -1] = np.nan
    (finding,) = gated._cascade.answer([Recording(signal)], all_sites=False, windows=False)
    assert [(note.code, note.lead) for note in finding.warnings][:1] == [("not_finite", "aVR")]


def test_a_rate_that_cannot_be_resampled_is_an_error(cascade):
    slow = Recording(np.zeros((12, 500)), sampling_rate=50)
    with pytest.raises(SamplingRateError):
        cascade.answer([slow], all_sites=False, windows=False)


def test_nothing_to_answer_is_an_empty_list(cascade):
    assert cascade.answer([], all_sites=True, windows=True) == []
