import numpy as np
import pytest

from ecg_edge import Recording
from ecg_edge.errors import InvalidRecordingError, MissingLeadsError, RepeatedLeadError, WrongShapeError
from ecg_edge.recording.leads import LEADS, canonical_lead

SIGNAL = np.random.default_rng(0).normal(0, 1, (12, 900)).astype(np.float32)
# Limb leads that obey Einthoven and Goldberger, as a real recording's do.
LAWFUL = SIGNAL.copy()
LAWFUL[2] = LAWFUL[1] - LAWFUL[0]
LAWFUL[3] = -(LAWFUL[0] + LAWFUL[1]) / 2
LAWFUL[4] = LAWFUL[0] - LAWFUL[1] / 2
LAWFUL[5] = LAWFUL[1] - LAWFUL[0] / 2
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.mark.parametrize("lead", LEADS)
def test_common_spellings_of_each_lead_are_known(lead):
    spellings = [lead, lead.upper(), lead.lower(), f" {lead} ", f"{lead}.", f"MDC_ECG_LEAD_{lead.upper()}"]
    spellings += [f"Lead {lead}", f"LEAD_{lead}", f"ECG {lead}", f"EKG {lead}", f"ecg_{lead.lower()}", f"Lead-{lead}"]
    assert [canonical_lead(spelling) for spelling in spellings] == [lead] * len(spellings)


@pytest.mark.parametrize(
    ("spelling", "lead"),
    [
        ("DI", "I"),
        ("D1", "I"),
        ("DII", "II"),
        ("d3", "III"),
        ("Lead 1", "I"),
        ("C1", "V1"),
        ("c6", "V6"),
        ("V 2", "V2"),
        ("ECG I-Ref", "I"),
        ("ECG aVR-REF", "aVR"),
        ("V1-WCT", "V1"),
        ("I (uV)", "I"),
        ("V3 [mV]", "V3"),
        ("отв. I", "I"),
        ("отв. V2", "V2"),
        ("Отведение III", "III"),
        ("отв. 2", "II"),
        ("\N{CYRILLIC SMALL LETTER A}VF", "aVF"),
        ("отв. II".encode("cp1251").decode("latin-1"), "II"),
        ("отв. II".encode("cp866").decode("latin-1"), "II"),
        ("отв. aVL".encode().decode("latin-1"), "aVL"),
        ("Abl. I", "I"),
        ("Ableitung V4", "V4"),
        ("II\0\0\0", "II"),
    ],
)
def test_other_spellings_are_known(spelling, lead):
    assert canonical_lead(spelling) == lead


@pytest.mark.parametrize(
    "name",
    [
        "-aVR",
        "\N{MINUS SIGN}aVR",
        "Lead -aVR",
        "aVR neg",
        "V7",
        "V3R",
        "vx",
        "X",
        "MLII",
        "I-II",
        "ECG 1",
        "1",
        "VR",
        "IV",
        "",
    ]
    + [
        "Resp",
        "V1-V2",
        "I-V1",
        "отв. V7",
        "aVR (inverted)",
        "MDC_ECG_LEAD_V7",
        "V0",
        "ECG1",
        "V11",
        "IIII",
        "I" * 10_000,
    ],
)
def test_other_channels_are_not_taken_for_a_lead(name):
    assert canonical_lead(name) is None


def test_any_order_is_put_right_and_extra_leads_are_left_out():
    order = np.random.default_rng(1).permutation(12)
    signal = np.vstack([SIGNAL[:1] * 99, SIGNAL[order], SIGNAL[:2] * 77])
    recording = Recording(signal, leads=("vx", *(LEADS[i].lower() for i in order), "V7", "-aVR"))
    np.testing.assert_array_equal(recording.stretch(100, 900), SIGNAL[:, 100:])
    assert recording.stretch(0, 9).flags.c_contiguous


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_eight_independent_leads_are_enough(dtype):
    signal = (LAWFUL * 100).astype(dtype)
    recording = Recording(signal[[LEADS.index(lead) for lead in EIGHT]], leads=EIGHT)
    np.testing.assert_allclose(recording.stretch(0, 900), LAWFUL * 100, atol=2 if dtype == "i2" else 1e-3)


def test_missing_leads_are_named_with_the_channels_that_are_there():
    with pytest.raises(
        MissingLeadsError, match=r"leads II, V3 of .* are missing; the channels are I, III, aVR, .*MLII"
    ):
        Recording(SIGNAL[:11], leads=("I", "III", "aVR", "aVL", "aVF", "V1", "V2", "MLII", "V4", "V5", "V6"))


def test_the_same_lead_twice_is_an_error():
    with pytest.raises(RepeatedLeadError, match="two channels are the lead V1: V1, C1"):
        Recording(SIGNAL[:9], leads=(*EIGHT, "C1"))


def test_there_must_be_one_lead_name_per_row():
    with pytest.raises(WrongShapeError, match=r"shape \(8, samples\), found \(12, 900\)"):
        Recording(SIGNAL, leads=EIGHT)
    with pytest.raises(WrongShapeError, match=r"found \(8, 900\)\. Name its leads"):
        Recording(SIGNAL[:8])


@pytest.mark.parametrize(
    ("units", "factor"),
    [
        ("mV", 1),
        ("uV", 1e3),
        ("\N{MICRO SIGN}V", 1e3),
        ("\N{GREEK SMALL LETTER MU}V", 1e3),
        ("microvolts", 1e3),
        ("V", 1e-3),
    ]
    + [("nV", 1e6), ("Millivolt", 1), (" UV ", 1e3)],
)
def test_units_become_millivolts(units, factor):
    np.testing.assert_allclose(Recording(SIGNAL * factor, units=units).stretch(0, 900), SIGNAL, rtol=1e-5)


@pytest.mark.parametrize("units", ["", "adu", "mmHg", "kV", "m"])
def test_a_unit_that_is_not_a_voltage_unit_is_refused(units):
    with pytest.raises(InvalidRecordingError, match="is not a voltage unit, expected one of mV, uV, nV, V"):
        Recording(SIGNAL, units=units)


def test_leads_in_order_are_not_copied():
    assert np.shares_memory(Recording(SIGNAL).stretch(0, 900), SIGNAL)
