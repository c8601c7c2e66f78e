"""Limb leads that a device stores empty are derived, with a warning."""

import numpy as np
import pytest

from ecg_edge import Detector, Recording
from ecg_edge.package_data import example_recordings
from ecg_edge.recording.leads import LEADS

SIGNAL = np.load(example_recordings() / "inferior_infarction.npy")
DETECTOR = Detector()
PLAIN = DETECTOR.detect(Recording(SIGNAL))
ALL = ("III", "aVR", "aVL", "aVF")


def emptied(leads, value, signal=SIGNAL):
    changed = signal.astype(np.float32).copy()
    changed[[LEADS.index(lead) for lead in leads]] = value
    return changed


@pytest.mark.parametrize("value", [0, np.nan])
@pytest.mark.parametrize("leads", [ALL, ("aVR", "aVL", "aVF"), ("aVL",), ("III",)])
def test_an_empty_lead_is_derived_with_a_warning(leads, value):
    finding = DETECTOR.detect(Recording(emptied(leads, value)))
    assert (finding.status, finding.probability) == ("detected", pytest.approx(PLAIN.probability, abs=1e-3))
    (warning,) = finding.warnings
    assert warning.code == "derived_leads"
    assert warning.message.startswith(", ".join(leads))


def test_other_rates_units_and_orders_too():
    pytest.importorskip("soxr")
    signal = np.repeat(emptied(ALL, 0)[::-1], 2, axis=1) * 1000
    finding = DETECTOR.detect(Recording(signal, 1000, LEADS[::-1], "uV"))
    assert finding.probability == pytest.approx(PLAIN.probability, abs=0.02)
    assert [note.code for note in finding.warnings] == ["derived_leads"]


@pytest.mark.parametrize("leads", [("I",), ("V1",), ("I", *ALL), ("V1", "V2")])
def test_leads_that_nothing_gives_are_not_invented(leads):
    finding = DETECTOR.detect(Recording(emptied(leads, 0)))
    assert "derived_leads" not in {note.code for note in finding.warnings}
    assert finding.warnings or finding.reasons


def test_a_lead_that_is_flat_for_a_while_is_not_replaced():
    signal = emptied((), 0)
    signal[4, :2000] = 0
    finding = DETECTOR.detect(Recording(signal))
    assert "derived_leads" not in {note.code for note in finding.warnings}


def test_a_recording_of_zeros_stays_refused():
    assert DETECTOR.detect(Recording(np.zeros((12, 5000)))).status == "cannot_analyse"


@pytest.mark.parametrize("chunk", [50, 777, 5000])
@pytest.mark.parametrize("value", [0, np.nan])
def test_a_feed_derives_them_too(chunk, value):
    signal = emptied(ALL, value)
    signal[:, :300] = 0  # before the electrodes are on
    stream = DETECTOR.stream()
    for start in range(0, signal.shape[1], chunk):
        stream.push(signal[:, start : start + chunk])
    plain = SIGNAL.copy()
    plain[:, :300] = 0
    for options in ({}, {"last_s": 5}):
        finding = stream.finding(**options)
        assert finding.status == "detected"
        assert [note.code for note in finding.warnings if note.code == "derived_leads"] == ["derived_leads"]
    expected = DETECTOR.detect(Recording(plain)).probability
    assert stream.finding().probability == pytest.approx(expected, abs=1e-2)
    stream.reset()
    stream.push(SIGNAL)
    assert "derived_leads" not in {note.code for note in stream.finding().warnings}
