"""The third model at every door: what it refuses, what it warns of, and that it changes nothing else.

Each of its labels is driven by the mean of one lead, so an offset of a chest lead makes a label found.
"""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import LABELS, write_models

from ecg_edge import Detector, Recording, read_recording
from ecg_edge.cli.info import summarize
from ecg_edge.errors import ModelError
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.quality.plausibility import FAULTS
from ecg_edge.recording.resampling import resample
from ecg_edge.selfcheck import self_check

CLEAN = read_recording(example_recordings() / "normal.npy").stretch(0, 5000)
# The labels that the six chest leads drive.
FIRST, LAST = LABELS["plausibility"][:6], LABELS["plausibility"][6:]
REFUSALS = {
    "stretched": "wrong_rate",
    "squeezed": "wrong_rate",
    "too_small": "too_small",
    "too_large": "too_large",
    "not_ecg": "not_ecg",
}
WARNINGS = {
    "inverted": "inverted_leads",
    "ra_la": "swapped_arms",
    "ra_ll": "swapped_right_arm_left_leg",
    "la_ll": "swapped_left_arm_left_leg",
    "precordials_reversed": "reversed_chest_leads",
    "precordials_exchanged": "swapped_chest_leads",
    "time_reversed": "reversed_time",
}


def with_faults(*labels, signal=CLEAN, millivolts=1.0):
    """Return a signal in which the model finds these labels, all of `FIRST` or all of `LAST`."""
    signal = signal.copy()
    for label in labels:
        signal[6 + (FIRST if label in FIRST else LAST).index(label)] += np.float32(millivolts)
    return signal


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Models whose chest leads drive the first six labels, and models whose chest leads drive the last six."""
    folder = tmp_path_factory.mktemp("three")
    orders = {"first": LAST + FIRST, "last": FIRST + LAST}
    return {name: write_models(folder / name, plausibility={"labels": order}) for name, order in orders.items()}


@pytest.fixture(scope="module")
def detectors(folders):
    return {name: Detector(folder) for name, folder in folders.items()}


@pytest.fixture
def finder(detectors):
    """Return the detector whose chest leads drive a label."""
    return lambda label: detectors["first" if label in FIRST else "last"]


def push(detector, signal, chunk, rate=500):
    stream = detector.stream(name="recording", sampling_rate=rate)
    for start in range(0, signal.shape[1], chunk):
        stream.push(signal[:, start : start + chunk])
    return stream


def codes(notes):
    return [note.code for note in notes]


@pytest.mark.parametrize(("label", "code"), REFUSALS.items())
def test_what_the_models_were_not_made_for_is_refused_by_a_recording_and_a_feed(finder, label, code):
    signal = with_faults(label)
    finding = finder(label).detect(Recording(signal))
    assert (finding.status, finding.probability, codes(finding.reasons)) == ("cannot_analyse", None, [code])
    assert push(finder(label), signal, 777).finding() == finding


@pytest.mark.parametrize(("label", "code"), WARNINGS.items())
def test_exchanged_electrodes_are_a_warning_and_change_no_answer(finder, gated, label, code):
    signal = with_faults(label)
    finding, without = finder(label).detect(Recording(signal)), gated.detect(Recording(signal))
    assert codes(finding.warnings) == [code]
    assert (finding.status, finding.probability) == (without.status, without.probability)
    assert push(finder(label), signal, 777).finding() == finding


def test_a_label_below_its_threshold_is_not_found(finder):
    finding = finder("not_ecg").detect(Recording(with_faults("not_ecg", millivolts=0.3)))
    assert finding.reasons == finding.warnings == ()


def test_without_the_gate_refusals_are_warnings(folders):
    finding = Detector(folders["last"], quality_gate="warn").detect(Recording(with_faults("not_ecg")))
    assert finding.probability is not None
    assert (codes(finding.reasons), codes(finding.warnings)) == ([], ["not_ecg"])


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (LAST, ["not_ecg"]),
        (("stretched", "too_small", "inverted"), ["wrong_rate"]),
        (("precordials_reversed", "time_reversed"), ["reversed_chest_leads", "reversed_time"]),
        (("ra_ll", "precordials_exchanged"), ["swapped_right_arm_left_leg", "swapped_chest_leads"]),
    ],
)
def test_one_fault_does_not_give_several_notes(finder, labels, told):
    finding = finder(labels[0]).detect(Recording(with_faults(*labels)))
    assert codes(finding.reasons + finding.warnings) == told


def test_of_similar_faults_the_surer_one_is_told(finder):
    signal = with_faults("inverted", signal=with_faults("ra_la", millivolts=0.7))
    assert [note.message for note in finder("ra_la").detect(Recording(signal)).warnings] == ["all leads look inverted"]


def without_qrs():
    """Return slow waves, in which the rules find no QRS complexes."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=(8, 5000)))
    hz = np.fft.rfftfreq(5000, 1 / 500)
    i, ii, *chest = (2 * np.fft.irfft(spectrum * ((hz > 0.5) & (hz < 8)), 5000)).astype(np.float32)
    return np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *chest])


def test_what_a_rule_refuses_already_is_not_said_twice(finder):
    finding = finder("not_ecg").detect(Recording(with_faults("not_ecg", signal=without_qrs())))
    assert codes(finding.reasons) == ["no_qrs"]


def test_a_wrong_rate_is_told_in_place_of_the_missing_beats_that_it_explains(finder):
    finding = finder("stretched").detect(Recording(with_faults("stretched", signal=without_qrs())))
    assert codes(finding.reasons) == ["wrong_rate"]


def test_where_the_unit_is_wrong_the_model_is_not_asked(finder):
    finding = finder("not_ecg").detect(Recording(1000 * with_faults("not_ecg")))
    assert codes(finding.reasons) == ["too_large"]


def test_the_model_takes_the_place_of_the_warning_of_a_rule_about_the_same_fault(finder, gated):
    signal = with_faults("ra_ll", signal=-CLEAN)
    assert codes(gated.detect(Recording(signal)).warnings) == ["inverted_leads"]
    assert codes(finder("ra_ll").detect(Recording(signal)).warnings) == ["swapped_right_arm_left_leg"]


@pytest.mark.parametrize("samples", [800, 999, 1000])
def test_a_recording_shorter_than_the_models_window_goes_without(finder, samples):
    signal = with_faults("not_ecg")[:, :samples]
    finding = finder("not_ecg").detect(Recording(signal))
    assert codes(finding.reasons) == (["not_ecg"] if samples >= 1000 else [])
    assert push(finder("not_ecg"), signal, 90).finding() == finding


def test_windows_with_missing_samples_do_not_count(finder):
    signal = CLEAN[:, :3000].copy()
    signal[:, :1500] = with_faults("not_ecg", millivolts=9)[:, :1500]
    assert codes(finder("not_ecg").detect(Recording(signal)).reasons) == ["not_ecg"]
    signal[0, 750] = np.nan
    finding = finder("not_ecg").detect(Recording(signal))
    assert (codes(finding.reasons), codes(finding.warnings)[:1]) == ([], ["not_finite"])
    assert push(finder("not_ecg"), signal, 333).finding() == finding


def test_without_a_window_that_counts_the_model_says_nothing(finder):
    signal = with_faults("not_ecg", signal=CLEAN)[:, :2200]
    signal[0, [700, 1500]] = np.nan
    finding = finder("not_ecg").detect(Recording(signal))
    assert "not_ecg" not in codes(finding.reasons)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_recordings_answered_together_or_pushed_in_chunks_get_the_answer_that_they_get_alone(detectors, data):
    labels = data.draw(st.sampled_from([FIRST, LAST]))
    detector = detectors["first" if labels is FIRST else "last"]
    recordings = []
    for number in range(data.draw(st.integers(1, 4))):
        signal = CLEAN if number % 2 else np.tile(CLEAN, data.draw(st.sampled_from([1, 2, 11])))
        samples = data.draw(st.sampled_from([900, 1000, 1249, 5000, 5050, signal.shape[1]]))
        faults = data.draw(st.lists(st.sampled_from(labels), max_size=2))
        signal = with_faults(*faults, signal=signal[:, :samples])
        signal[data.draw(st.integers(0, 11)), : data.draw(st.sampled_from([0, 0, 30]))] = np.nan
        recordings.append(Recording(signal))
    together = list(detector.detect_many(recordings))
    assert together == [detector.detect(recording) for recording in recordings]
    for recording, finding in zip(recordings, together, strict=True):
        live = push(detector, recording.signal, data.draw(st.sampled_from([137, 800, 4000, 100_000]))).finding()
        assert (live.status, live.reasons, live.warnings) == (finding.status, finding.reasons, finding.warnings)
        assert live.probability == pytest.approx(finding.probability, abs=1e-6)


@pytest.mark.parametrize("rate", [250, 360])
def test_a_feed_of_another_rate_gets_the_notes_of_the_recording(finder, rate):
    pytest.importorskip("soxr")
    made = resample(Recording(with_faults("stretched", "inverted", signal=np.tile(CLEAN, 9))), rate)
    signal = made.stretch(0, made.samples)
    finding = finder("stretched").detect(Recording(signal, rate))
    assert f"probably not {rate} Hz" in finding.reasons[0].message
    assert push(finder("stretched"), signal, 700, rate).finding() == finding


def test_a_feed_that_was_pickled_goes_on(finder):
    signal = with_faults("precordials_reversed", signal=np.tile(CLEAN, 2))
    stream = push(finder("precordials_reversed"), signal[:, :6000], 500)
    after = pickle.loads(pickle.dumps(stream))  # noqa: S301 - our own
    after.push(signal[:, 6000:])
    assert after.finding() == finder("precordials_reversed").detect(Recording(signal, name="recording"))


def test_the_last_seconds_of_a_feed_are_judged_alone(finder):
    stream = push(finder("not_ecg"), np.hstack([with_faults("not_ecg"), CLEAN]), 999)
    assert stream.finding(last_s=10).reasons == ()
    assert codes(stream.finding(last_s=20).reasons) == ["not_ecg"]


def test_the_model_is_named_wherever_the_others_are(detectors, tiny):
    detector = detectors["first"]
    finding = detector.detect(Recording(CLEAN))
    assert [model.name for model in finding.provenance.models] == [
        "tiny_infarction",
        "tiny_localization",
        "tiny_plausibility",
    ]
    sha256 = finding.provenance.models[2].sha256
    lines = "\n".join(summarize(detector))
    assert f"tiny_plausibility 0, sha256 {sha256}" in lines
    assert "precordials_exchanged      0.500" in lines
    assert any(f"tiny_plausibility 0: sha256 {sha256[:12]}" in line for line in self_check(detector))
    assert not any("plausibility" in line for line in [*summarize(tiny), *self_check(tiny)])


def test_a_changed_model_is_refused(folders, tmp_path):
    for file in folders["first"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = bytearray((tmp_path / "plausibility.onnx").read_bytes())
    content[-1] ^= 1
    (tmp_path / "plausibility.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"plausibility\.onnx: differs from the manifest"):
        Detector(tmp_path)


def test_a_model_with_unknown_labels_is_refused(tmp_path):
    folder = write_models(
        tmp_path / "models", plausibility={"labels": ("not_ecg", "upside_down"), "thresholds": (0.5, 0.5)}
    )
    with pytest.raises(ModelError, match=r"labels that this version does not know: upside_down"):
        Detector(folder)


def test_every_label_is_either_a_refusal_or_a_warning_with_a_text():
    assert {label: fault.code for label, fault in FAULTS.items()} == REFUSALS | WARNINGS
    assert all(fault.refuses == (label in REFUSALS) and fault.message for label, fault in FAULTS.items())


needs_shipped = pytest.mark.skipif(
    not (shipped_models() / "plausibility.onnx").is_file(), reason="the models have no plausibility.onnx"
)
EXAMPLES = [read_recording(path) for path in sorted(example_recordings().glob("*.npy"))]


@needs_shipped
@pytest.mark.parametrize("recording", EXAMPLES, ids=lambda recording: recording.name)
def test_the_shipped_model_leaves_the_examples_alone(shipped, recording):
    finding = shipped.detect(recording)
    assert finding.reasons == finding.warnings == ()


@needs_shipped
@pytest.mark.parametrize("recording", EXAMPLES, ids=lambda recording: recording.name)
@pytest.mark.parametrize(("true", "stated"), [(250, 500), (1000, 500), (500, 250), (500, 1000)])
def test_the_shipped_model_refuses_a_wrong_rate_and_names_the_right_one(shipped, recording, true, stated):
    pytest.importorskip("soxr")
    made = resample(recording, true)
    finding = shipped.detect(Recording(made.stretch(0, made.samples), stated))
    assert codes(finding.reasons) == ["wrong_rate"]
    assert f"probably about {true} Hz, not {stated} Hz" in finding.reasons[0].message
