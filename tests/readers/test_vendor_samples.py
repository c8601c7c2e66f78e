"""Files of real devices, read a second time by hand from their own definition."""

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from ecg_edge import read_recording
from ecg_edge.recording.leads import LEADS

pytest.importorskip("ecgdatakit", "2.0")
SAMPLES = Path(__file__).parents[3] / "shared" / "formats"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the samples of vendors' files are not here")
HL7 = "{urn:hl7-org:v3}"


def parse(name):
    return ET.parse(SAMPLES / name).getroot()  # noqa: S314 - these files are known


def test_muse_is_its_base64_times_its_amplitude_units():
    recording = read_recording(SAMPLES / "ge_muse" / "muse_ecg_deidentified_1.xml")
    found = recording.stretch(0, recording.samples)
    (rhythm,) = [
        waveform
        for waveform in parse("ge_muse/muse_ecg_deidentified_1.xml").findall("Waveform")
        if waveform.findtext("WaveformType") == "Rhythm"
    ]
    assert recording.sampling_rate == int(rhythm.findtext("SampleBase"))
    leads = rhythm.findall("LeadData")
    assert len(leads) == 8
    for lead in leads:
        assert lead.findtext("LeadAmplitudeUnits") == "MICROVOLTS"
        steps = np.frombuffer(base64.b64decode(lead.findtext("WaveFormData")), "<i2")
        microvolts = steps * float(lead.findtext("LeadAmplitudeUnitsPerBit"))
        np.testing.assert_allclose(found[LEADS.index(lead.findtext("LeadID"))], microvolts / 1000, atol=1e-6)
    np.testing.assert_allclose(found[2], found[1] - found[0], atol=1e-6)


@pytest.mark.parametrize("name", ["example_aecg.xml", "subject1_0.xml"])
def test_aecg_is_its_digits_times_its_scale(name):
    recording = read_recording(SAMPLES / "hl7_aecg" / name)
    found = recording.stretch(0, recording.samples)
    series = parse(f"hl7_aecg/{name}").find(f"{HL7}component/{HL7}series")
    assert series.find(f"{HL7}code").get("code") == "RHYTHM"
    seen = set()
    for sequence in series.iterfind(f"{HL7}component/{HL7}sequenceSet/{HL7}component/{HL7}sequence"):
        code, value = sequence.find(f"{HL7}code").get("code"), sequence.find(f"{HL7}value")
        if code.startswith("TIME"):
            increment = value.find(f"{HL7}increment")
            assert increment.get("unit") == "s"
            assert recording.sampling_rate == pytest.approx(1 / float(increment.get("value")))
            continue
        lead = next(lead for lead in LEADS if code.casefold() == f"MDC_ECG_LEAD_{lead}".casefold())
        scale = value.find(f"{HL7}scale")
        assert scale.get("unit") == "uV"
        digits = np.array(value.findtext(f"{HL7}digits").split(), float)
        np.testing.assert_allclose(found[LEADS.index(lead)], digits * float(scale.get("value")) / 1000, atol=1e-6)
        seen.add(lead)
    assert seen == set(LEADS)


@pytest.mark.parametrize("name", ["129DYPRG.XML", "repbeats_example.xml", "v104_utf16.xml"])
def test_philips_is_what_the_reference_library_decodes(name):
    sierraecg = pytest.importorskip("sierraecg")
    recording = read_recording(SAMPLES / "philips_sierra" / name)
    found = recording.stretch(0, recording.samples)
    leads = sierraecg.read_file(str(SAMPLES / "philips_sierra" / name)).leads
    assert [lead.label for lead in leads] == list(LEADS)
    for row, lead in zip(found, leads, strict=True):
        assert recording.sampling_rate == lead.sampling_freq
        np.testing.assert_allclose(row, lead.samples[: recording.samples] * 0.005, atol=1e-5)
        # What is left out at the end is the calibration pulse, the same in all leads.
        np.testing.assert_array_equal(lead.samples[recording.samples :], leads[0].samples[recording.samples :])
    assert 5200 < recording.samples < 5500
    np.testing.assert_allclose(found[2], found[1] - found[0], atol=0.011)
    np.testing.assert_allclose(found[3], -(found[0] + found[1]) / 2, atol=0.011)
