import pickle

import numpy as np
import pytest

from ecg_edge import Recording
from ecg_edge.errors import InvalidRecordingError, WrongShapeError, WrongTypeError


def test_a_transposed_signal_is_refused_with_the_remedy():
    with pytest.raises(WrongShapeError, match=r"found \(5000, 12\).*signal\.T"):
        Recording(np.zeros((5000, 12)))


@pytest.mark.parametrize("shape", [(12,), (11, 5000), (1, 12, 5000), (12, 0), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(WrongShapeError):
        Recording(np.zeros(shape))


@pytest.mark.parametrize("dtype", ["complex64", "U3", "O", "bool", "datetime64[s]"])
def test_a_signal_without_real_numbers_is_refused(dtype):
    with pytest.raises(WrongTypeError):
        Recording(np.zeros((12, 5000), dtype))


def test_a_masked_array_is_refused():
    with pytest.raises(InvalidRecordingError, match="masked"):
        Recording(np.ma.masked_less(np.zeros((12, 5000)), 1))


def test_a_recording_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        Recording(np.zeros((12, 5000))).signal[0, 0] = 1


@pytest.mark.parametrize("rate", [0, -500, float("nan"), float("inf")])
def test_a_sampling_rate_must_be_a_positive_number(rate):
    with pytest.raises(InvalidRecordingError, match="sampling rate"):
        Recording(np.zeros((12, 5000)), sampling_rate=rate)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_number_beyond_float32_is_not_finite_and_no_warning(value):
    signal = np.zeros((12, 5000))
    signal[7, 1250] = value
    assert not np.isfinite(Recording(signal).stretch(1000, 2000)[7, 250])


def test_large_finite_numbers_are_not_taken_for_infinity():
    assert Recording(np.full((12, 5000), 1e30)).stretch(0, 5000).max() == np.float32(1e30)


def test_errors_survive_pickling_with_their_message():
    error = WrongShapeError((5000, 12))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(copy) is WrongShapeError
    assert str(copy) == str(error)
    assert isinstance(copy, InvalidRecordingError | ValueError)
