import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from ecg_edge import Recording
from ecg_edge.errors import InvalidRecordingError, WrongShapeError, WrongTypeError
from ecg_edge.readers import Declared
from ecg_edge.recording import LEADS


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


@pytest.mark.parametrize("turned", [False, True])
def test_a_table_is_refused_with_the_remedy(turned):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.zeros((5000, 12)), columns=LEADS)
    with pytest.raises(
        InvalidRecordingError, match=r"is a DataFrame; pass frame\.to_numpy\(\)\.T with leads="
    ) as caught:
        Recording(frame.T if turned else frame)
    assert "masked" not in str(caught.value)
    assert Recording(frame.to_numpy().T, leads=tuple(frame.columns)).samples == 5000


def test_lists_are_taken_if_their_rows_have_one_length():
    assert Recording([[0.5] * 20] * 12).samples == 20
    with pytest.raises(InvalidRecordingError, match="not an array of shape"):
        Recording([[0.5] * 20] * 11 + [[0.5]])


@pytest.mark.parametrize("make", [partial(Recording, np.zeros((12, 5000))), Declared], ids=["recording", "declared"])
def test_one_text_is_no_list_of_leads(make):
    with pytest.raises(InvalidRecordingError, match=r"leads is the text 'I,II.*pass a tuple"):
        make(leads=",".join(LEADS))


def test_checking_for_masks_does_not_import_numpy_ma():
    script = "import sys, numpy as np, ecg_edge; before = 'numpy.ma' in sys.modules; ecg_edge.Recording(np.zeros((12, 500))); print('numpy.ma' in sys.modules, before)"
    after, before = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert after == before


def test_a_recording_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        Recording(np.zeros((12, 5000))).signal[0, 0] = 1


@pytest.mark.parametrize("rate", [0, -500, float("nan"), float("inf")])
def test_a_sampling_rate_must_be_a_positive_number(rate):
    with pytest.raises(InvalidRecordingError, match="sampling rate"):
        Recording(np.zeros((12, 5000)), sampling_rate=rate)


@pytest.mark.parametrize("make", [partial(Recording, np.zeros((12, 5000))), Declared], ids=["recording", "declared"])
@pytest.mark.parametrize(
    ("rate", "found"), [("500", "the text '500'"), (b"500", "the text b'500'"), ([500], r"\[500\]")]
)
def test_a_sampling_rate_that_is_not_a_number_is_named(make, rate, found):
    with pytest.raises(InvalidRecordingError, match=f"must be a positive number of Hz, found {found}"):
        make(sampling_rate=rate)


def test_a_recording_must_have_a_sampling_rate():
    with pytest.raises(InvalidRecordingError, match="must be a positive number of Hz, found None"):
        Recording(np.zeros((12, 5000)), sampling_rate=None)


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
