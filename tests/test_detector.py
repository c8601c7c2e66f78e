import pickle
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import SITES, spec, write_models

from ecg_edge import Detector, Recording
from ecg_edge.errors import SamplingRateError
from ecg_edge.model.inference import window_scores
from ecg_edge.model.session import PROVIDERS
from ecg_edge.model.windows import n_regular_windows
from ecg_edge.readers import RecordFile, find_records


def test_an_infarction_is_detected_and_its_sites_are_named(tiny, ecg):
    finding = tiny.detect(ecg(I=1.0, II=0.6))
    assert finding.status == "detected"
    assert finding.probability == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-5)
    assert [site.site for site in finding.sites] == list(SITES)
    assert finding.found_sites == ("septal", "anterior")
    assert finding.duration_s == 10


def test_without_infarction_the_second_stage_does_not_run(tiny, ecg):
    finding = tiny.detect(ecg(II=2.0))
    assert (finding.status, finding.sites) == ("not_detected", ())


def test_all_sites_runs_the_second_stage_without_changing_the_verdict(tiny, ecg):
    finding = tiny.detect(ecg(II=2.0), all_sites=True)
    assert finding.status == "not_detected"
    assert [site.site for site in finding.sites if site.found] == ["anterior"]
    assert finding.found_sites == ()


def test_an_infarction_may_have_no_site_over_its_threshold(tmp_path, ecg):
    strict = Detector(write_models(tmp_path / "strict", localization={"thresholds": (0.99,) * 6}), quality_gate="warn")
    finding = strict.detect(ecg(I=0.6))
    assert (finding.status, finding.found_sites) == ("detected", ())
    assert len(finding.sites) == 6


def test_a_probability_at_the_threshold_counts_as_found(tiny, ecg):
    assert tiny.detect(ecg(I=0.5)).status == "detected"


def test_a_found_site_that_is_unproven_carries_a_warning(tiny, ecg):
    finding = tiny.detect(ecg(I=1.0, III=1.0))
    assert finding.warnings[0].code == "unproven_site"
    assert "lateral" in finding.warnings[0].message


def test_the_tail_of_a_recording_counts(tiny):
    signal = np.zeros((12, 5050), np.float32)
    signal[0, -50:] = 100.0
    finding = tiny.detect(Recording(signal), windows=True)
    assert finding.timeline.start_s[-1] == 4250 / 500
    assert finding.timeline.probability[-1] > 0.5 > finding.timeline.probability[-2]
    assert finding.probability == pytest.approx(np.mean(finding.timeline.probability))


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Models that average logits and never see the tail."""
    changes = {"average": "logit", "tail": "dropped"}
    folder = tmp_path_factory.mktemp("notebook")
    return Detector(
        write_models(folder, infarction={**changes, "stride": 700}, localization={**changes, "stride": 686}),
        quality_gate="warn",
    )


@pytest.mark.parametrize("samples", [800, 801, 1500, 1501, 5000, 5050, 40_000])
def test_logits_are_averaged_where_the_spec_says_so_whatever_the_chunks(notebook, noise, samples):
    recording = noise(samples)
    signal = recording.signal
    starts = range(0, max(1, samples - 800), 700)
    logits = [10 * signal[0, start : start + 800].mean(dtype=np.float64) - 5 for start in starts]
    finding = notebook.detect(recording, windows=True, all_sites=True)
    assert finding.probability == pytest.approx(1 / (1 + np.exp(-np.mean(logits))), abs=1e-6)
    assert finding.timeline.start_s == tuple(start / 500 for start in starts)
    assert finding.timeline.probability == pytest.approx(1 / (1 + np.exp(-np.array(logits))), abs=1e-6)
    assert all(len(site.timeline.probability) == ceil((samples - 700) / 686) for site in finding.sites)


def test_a_dropped_tail_changes_nothing(notebook, noise):
    signal = noise(5000).signal
    changed = signal.copy()
    changed[:, 4300:] += 9
    before, after = (notebook.detect(Recording(leads)).probability for leads in (signal, changed))
    assert before == after


class CallsNoted:
    """Stands in for a model: answers nothing and notes the shapes that it was handed."""

    provider = PROVIDERS["cpu"]

    def __init__(self, **changes):
        self.spec, self.shapes = spec("infarction", **changes), []

    def window_scores(self, ecg):
        self.shapes.append(ecg.shape)
        n_windows = n_regular_windows(ecg.shape[2], self.spec.window, self.spec.stride, self.spec.tail)
        return np.zeros((len(ecg), n_windows, 1), np.float32)


def test_a_recording_of_the_special_length_is_handed_over_whole(noise):
    model = CallsNoted(windows_per_call=7, whole_length=5000)
    (scores,) = window_scores(model, [noise(5000)])
    assert model.shapes == [(1, 12, 5000)]
    assert len(scores) == 43


def test_recordings_of_the_special_length_share_a_call_only_if_their_windows_may(noise):
    model = CallsNoted(windows_per_call=13, stride=700, tail="dropped", whole_length=5000)
    window_scores(model, [noise(5000, seed=i) for i in range(5)])
    assert [shape[0] for shape in model.shapes] == [2, 2, 1]


@settings(deadline=None)
@given(st.integers(800, 20_000), st.integers(1, 42), st.integers(1, 60))
def test_no_part_of_another_recording_has_the_special_length_and_no_call_too_many_windows(samples, most, n):
    model = CallsNoted(windows_per_call=most, whole_length=5000)
    window_scores(model, [Recording(np.zeros((12, samples), np.float32))] * n)
    assert samples == 5000 or all(shape[2] != 5000 for shape in model.shapes)
    windows = [shape[0] * (1 + (shape[2] - 800) // 100) for shape in model.shapes]
    assert all(count <= most or samples == 5000 for count in windows)


def test_windows_come_for_both_stages_when_asked_for(tiny, ecg):
    finding = tiny.detect(ecg(I=1.0), windows=True)
    assert len(finding.timeline.start_s) == len(finding.timeline.probability) == 43
    assert all(len(site.timeline.probability) == 87 for site in finding.sites)
    assert tiny.detect(ecg(I=1.0)).timeline is None


def test_a_recording_of_exactly_one_window_is_answered_and_a_shorter_one_refused(tiny, ecg):
    assert tiny.detect(ecg(samples=800, I=1.0)).status == "detected"
    refused = tiny.detect(ecg(samples=799))
    assert (refused.status, refused.probability) == ("cannot_analyse", None)
    assert refused.reasons[0].message == "the recording has 799 samples (1.60 s); one window needs 800 samples (1.60 s)"


@pytest.mark.parametrize("rate", [50, 99.9, 20_000])
def test_a_hopeless_sampling_rate_is_refused(tiny, rate):
    with pytest.raises(SamplingRateError, match=f"has {rate:g} Hz, expected 100 to 10000 Hz"):
        tiny.detect(Recording(np.zeros((12, 50_000)), sampling_rate=rate))


def test_a_missing_last_sample_is_reported_within_the_recording(gated, noise):
    signal = noise(5050).signal.copy()
    signal[11, -1] = np.nan
    note = gated.detect(Recording(signal)).warnings[0]
    assert (note.code, note.lead, note.start_s, note.stop_s) == ("not_finite", "V6", 10.0, 10.1)


@pytest.mark.parametrize("millivolts", [1e12, 1e30, 1e38])
def test_an_answer_is_a_number_or_an_error(shipped, noise, millivolts):
    signal = noise().signal * np.float32(millivolts)
    (refused,) = shipped.detect_many([Recording(signal)])
    assert (refused.status, [note.code for note in refused.reasons]) == ("cannot_analyse", ["too_large"])
    (finding,) = Detector(quality_gate="warn").detect_many([Recording(signal)])
    assert finding.status == "error" or 0 <= finding.probability <= 1
    if millivolts == 1e38:
        assert "check the unit" in finding.error


def test_a_bare_array_is_refused_with_the_remedy(tiny):
    with pytest.raises(TypeError, match=r"found ndarray; wrap an array: Recording\(signal\)"):
        tiny.detect(np.zeros((12, 5000)))
    with pytest.raises(TypeError, match="found ndarray"):
        list(tiny.detect_many([np.zeros((12, 5000))]))


def test_many_are_answered_in_order_and_a_bad_one_is_an_error_among_them(tiny, ecg, tmp_path):
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY")
    items = [ecg(name="ill", I=1.0), *find_records(tmp_path), ecg(name="short", samples=10), ecg(name="well")]
    findings = list(tiny.detect_many(items))
    assert [finding.record for finding in findings] == ["ill", "broken", "short", "well"]
    assert [finding.status for finding in findings] == ["detected", "error", "cannot_analyse", "not_detected"]
    assert "header" in findings[1].error


def test_many_takes_a_generator_lazily(tiny, ecg):
    taken = []

    def recordings():
        for i in range(1000):
            taken.append(i)
            yield ecg()

    next(tiny.detect_many(recordings()))
    assert len(taken) < 10


@pytest.mark.parametrize("threads", [2, 8])
def test_threads_change_no_answer_and_no_order(tiny_folder, tiny, noise, threads):
    recordings = [noise(5000 + 10 * i, seed=i) for i in range(40)]
    several = Detector(tiny_folder, threads=threads, quality_gate="warn")
    assert list(several.detect_many(recordings, all_sites=True)) == list(tiny.detect_many(recordings, all_sites=True))


def test_one_detector_serves_many_threads_at_once(shipped, noise):
    recordings = [noise(seed=i) for i in range(16)]
    alone = [shipped.detect(recording).probability for recording in recordings]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda recording: shipped.detect(recording).probability, recordings))
    assert together == alone


def written(folder, recordings):
    for i, recording in enumerate(recordings):
        np.save(folder / f"{i:02}.npy", recording.signal)
    return folder


def test_small_files_that_are_answered_together_get_the_answers_they_get_alone(shipped, noise, tmp_path, monkeypatch):
    lengths = [5000, 5050, 800, 5000, 5000, 5050, 70_000, 5000, 700, 5000, 5000]
    recordings = [noise(samples, seed=i) for i, samples in enumerate(lengths)]
    alone = [shipped.detect(recording) for recording in recordings]
    sizes, real = [], shipped.infarction.window_scores
    monkeypatch.setattr(shipped.infarction, "window_scores", lambda ecg: (sizes.append(len(ecg)), real(ecg))[1])
    together = list(shipped.detect_many(list(find_records(written(tmp_path, recordings)))))
    assert max(sizes) == 3  # of one length among the last four
    assert [finding.status for finding in together] == [finding.status for finding in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.probability == (other.probability and pytest.approx(other.probability, abs=1e-5))
        assert one.duration_s == other.duration_s


def test_one_bad_file_does_not_spoil_those_that_are_answered_with_it(tiny, ecg, tmp_path):
    bad = np.zeros((12, 5000))
    bad[0, 0] = np.nan
    folder = written(tmp_path, [ecg(I=1.0), Recording(bad), ecg()])
    (folder / "01b.npy").write_bytes(b"\x93NUMPY")
    findings = list(tiny.detect_many(list(find_records(folder))))
    assert [finding.status for finding in findings] == ["detected", "not_detected", "error", "not_detected"]
    assert "not_finite" in {note.code for note in findings[1].warnings}


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_what_came_before_a_source_failed_is_answered(tiny_folder, ecg, tmp_path, threads, count):
    def source():
        yield from find_records(written(tmp_path, [ecg(I=i % 2) for i in range(count)]))
        msg = "the source is gone"
        raise OSError(msg)

    found = []
    with pytest.raises(OSError, match="the source is gone"):
        found.extend(Detector(tiny_folder, threads=threads, quality_gate="warn").detect_many(source()))
    assert [finding.status for finding in found] == (["not_detected", "detected"] * 3)[:count]


def test_what_comes_live_is_answered_before_the_next_is_asked_for(tiny, ecg, tmp_path):
    asked = []

    def live():
        for record in (ecg(name="first"), *find_records(written(tmp_path, [ecg(), ecg()]))):
            asked.append(record.name)
            yield record

    answers = tiny.detect_many(live())
    for name in ("first", "00", "01"):
        assert next(answers).record == name
        assert asked[-1] == name


def test_a_reader_of_somebody_else_that_fails_is_an_error_of_its_record(tiny, ecg):
    def read():
        raise OSError(5, "Input/output error")

    findings = list(tiny.detect_many([RecordFile("a", "tape", read, 10), ecg(), ecg(I=1.0)]))
    assert [finding.status for finding in findings] == ["error", "not_detected", "detected"]
    assert findings[0].error == "tape: cannot be read: Input/output error"


def test_samples_may_have_attributes_of_their_own(tiny, ecg):
    class Remote:
        shape, dtype, original = (12, 5000), np.dtype(np.float32), "the hospital's archive"

        def read(self, start, stop):
            return ecg().signal[:, start:stop]

    assert tiny.detect(Recording(Remote())).duration_s == 10


def test_a_detector_survives_pickling(tiny, ecg):
    copy = pickle.loads(pickle.dumps(tiny))  # noqa: S301 - our own
    assert copy.detect(ecg(I=1.0)) == tiny.detect(ecg(I=1.0))


def test_every_finding_says_what_made_it(tiny, ecg):
    provenance = tiny.detect(ecg()).provenance
    assert provenance.provider == "CPUExecutionProvider"
    assert [model.name for model in provenance.models] == ["tiny_infarction", "tiny_localization"]
    assert all(len(model.sha256) == 64 for model in provenance.models)


def test_wrong_arguments_are_named(tiny_folder):
    with pytest.raises(ValueError, match="provider is 'tpu'"):
        Detector(tiny_folder, provider="tpu")
    with pytest.raises(ValueError, match="threads is 0"):
        Detector(tiny_folder, threads=0)
