"""The likely sampling rate, with a model that takes the mean slope of lead I for the speed of the heart."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny import model, spec, write_files

from ecg_edge import Detector, Recording
from ecg_edge.model.spec import METADATA_KEY

LABELS = ("stretched", "squeezed")
# Millivolts between neighbouring samples at the right rate, and how strongly the model answers to other slopes.
RIGHT, GAIN = 0.01, 20


def make_model():
    """Return a model whose labels have the logits GAIN * (slope / RIGHT * -+1 +- 1) - 4 for the mean slope."""
    plausibility = spec("plausibility", labels=LABELS, thresholds=(0.5, 0.5))
    difference = np.zeros((1, 12, 2), np.float32)
    difference[0, 0] = -1, 1
    weight = np.array([-1, 1], np.float32).reshape(2, 1, 1) * GAIN / RIGHT
    bias = np.array([GAIN - 4, -GAIN - 4], np.float32)
    nodes = [
        helper.make_node("Conv", ["ecg", "difference"], ["slope"]),
        helper.make_node("Abs", ["slope"], ["steep"]),
        helper.make_node("AveragePool", ["steep"], ["mean"], kernel_shape=[999], strides=[250]),
        helper.make_node("Conv", ["mean", "weight", "bias"], ["logit"]),
        helper.make_node("Transpose", ["logit"], ["window_logit"], perm=[0, 2, 1]),
        helper.make_node("Sigmoid", ["window_logit"], ["window_probability"]),
        helper.make_node("ReduceMean", ["window_probability", "axis"], ["probability"], keepdims=0),
    ]
    shapes = {"probability": ["batch", 2], "window_probability": ["batch", "windows", 2]}
    graph = helper.make_graph(
        nodes,
        "slopes",
        [helper.make_tensor_value_info("ecg", TensorProto.FLOAT, ["batch", 12, "samples"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            numpy_helper.from_array(difference, "difference"),
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([1]), "axis"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(made, {METADATA_KEY: plausibility.to_json()})
    return made


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    models = {stage: model(spec(stage)) for stage in ("infarction", "localization")}
    return Detector(write_files(tmp_path_factory.mktemp("slopes"), models | {"plausibility": make_model()}))


def triangles(rate, duration_s=20):
    """Return twelve leads whose slope is right for the model if they are read at `rate`; chest leads have peaks."""
    times = np.arange(int(rate * duration_s)) / rate
    wave = RIGHT * 500 * (0.25 - np.abs(times % 0.5 - 0.25))
    peaks = wave + 2 * np.exp(-(((times % 0.8) - 0.4) ** 2) / 2e-4)
    chest = np.outer((0.6, 0.7, 0.8, 0.9, 1.1, 1.2), peaks)
    limbs = wave, peaks, peaks - wave, -(wave + peaks) / 2, wave - peaks / 2, peaks - wave / 2
    return np.vstack([*limbs, *chest]).astype(np.float32)


def message_of(detector, true, stated):
    reasons = detector.detect(Recording(triangles(true, 10_000 / true), stated)).reasons
    # Fast and coarse peaks look clipped, too.
    return next(reason.message for reason in reasons if reason.code == "wrong_rate")


@pytest.mark.parametrize(
    ("true", "stated", "pace"),
    [
        (1000, 500, "slow"),
        (250, 500, "fast"),
        (125, 500, "fast"),
        (2000, 500, "slow"),
        (360, 1000, "fast"),
        (1000, 360, "slow"),
    ],
)
def test_the_rate_at_which_the_time_axis_looks_right_is_named(detector, true, stated, pace):
    if stated != 500:
        pytest.importorskip("soxr")
    assert message_of(detector, true, stated) == (
        f"the time axis looks 1.5 or more times too {pace}: the sampling rate is probably about {true} Hz, "
        f"not {stated} Hz; check it, and state it with --sampling-rate (in Python sampling_rate=...)"
    )


def test_no_rate_is_named_if_none_looks_right(detector):
    assert message_of(detector, 40, 500) == (
        "the time axis looks 1.5 or more times too fast: the sampling rate is probably not 500 Hz; "
        "check it, and state it with --sampling-rate (in Python sampling_rate=...)"
    )


def test_at_the_right_rate_nothing_is_said(detector):
    assert detector.detect(Recording(triangles(500))).reasons == ()


def test_samples_that_are_missing_do_not_hide_the_rate(detector):
    signal = triangles(250)
    signal[3, 100:130] = np.nan
    (reason,) = detector.detect(Recording(signal)).reasons
    assert "probably about 250 Hz, not 500 Hz" in reason.message


def test_a_long_feed_names_the_rate_that_its_recording_names(detector):
    signal = triangles(250, duration_s=200)
    stream = detector.stream(name="recording")
    for chunk in np.array_split(signal, 40, axis=1):
        stream.push(chunk)
    finding = stream.finding()
    assert "probably about 250 Hz, not 500 Hz" in finding.reasons[0].message
    assert finding.reasons == detector.detect(Recording(signal)).reasons
