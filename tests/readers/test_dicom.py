"""DICOM 12-lead waveforms and their oddities."""

import io
import zlib

import numpy as np
import pytest
from written import dicom_code, dicom_group, write_dicom_groups

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError
from ecg_edge.readers.formats import dicom
from ecg_edge.recording.leads import LEADS

pydicom = pytest.importorskip("pydicom", "3.0")
SIGNAL = np.random.default_rng(0).normal(0, 0.5, (12, 3000))
MICROVOLTS = SIGNAL * 1000
SCP = dict(
    zip(
        ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "III", "aVR", "aVL", "aVF"),
        [*range(1, 9), *range(61, 65)],
        strict=True,
    )
)


def found(path):
    recording = read_recording(path)
    return recording.stretch(0, recording.samples)


def median(**options):
    return dicom_group(MICROVOLTS[:, :600] * 0, label="MEDIAN BEAT", originality="DERIVED", **options)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
@pytest.mark.parametrize("rhythm_first", [True, False])
def test_the_rhythm_is_read_and_not_the_median_beat(tmp_path, syntax, rhythm_first):
    groups = [dicom_group(MICROVOLTS), median()]
    path = write_dicom_groups(tmp_path / "a.dcm", groups if rhythm_first else groups[::-1], syntax)
    np.testing.assert_allclose(found(path), SIGNAL, atol=1e-3)


def test_without_labels_the_longest_recorded_group_is_read(tmp_path):
    groups = [dicom_group(MICROVOLTS[:, :600], label=""), dicom_group(MICROVOLTS, label=""), median()]
    assert found(write_dicom_groups(tmp_path / "a.dcm", groups)).shape == (12, 3000)


def test_sensitivity_correction_and_baseline_are_applied_to_each_lead(tmp_path):
    group = dicom_group(MICROVOLTS, sensitivity=1)
    for i, channel in enumerate(group.ChannelDefinitionSequence):
        channel.ChannelSensitivity = 2 + i
        channel.ChannelSensitivityCorrectionFactor = 1.5
        channel.ChannelBaseline = 10 * i
    expected = [(np.round(row) * (2 + i) * 1.5 + 10 * i) / 1000 for i, row in enumerate(MICROVOLTS)]
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", [group])), expected, rtol=1e-5, atol=1e-6)


def test_millivolts_are_known_too(tmp_path):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(SIGNAL, units="mV", sensitivity=0.001)])
    np.testing.assert_allclose(found(path), SIGNAL, atol=1e-3)


@pytest.mark.parametrize("bits", [(8, "SB", "i1"), (8, "UB", "u1"), (16, "US", "<u2"), (32, "SL", "<i4")])
def test_samples_of_other_widths_are_read(tmp_path, bits):
    counts = np.random.default_rng(0).integers(0, 100, (12, 3000))
    group = dicom_group(MICROVOLTS, sensitivity=5)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation, dtype = bits
    group["WaveformData"].VR = "OB" if bits[0] == 8 else "OW"
    group.WaveformData = counts.T.astype(dtype).tobytes()
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", [group])), counts * 0.005, rtol=1e-6)


def test_twelve_bits_in_sixteen_are_read(tmp_path):
    group = dicom_group(np.clip(MICROVOLTS, -2000, 2000), sensitivity=1)
    for channel in group.ChannelDefinitionSequence:
        channel.WaveformBitsStored = 12
    np.testing.assert_allclose(
        found(write_dicom_groups(tmp_path / "a.dcm", [group])), np.clip(SIGNAL, -2, 2), atol=1e-3
    )


@pytest.mark.parametrize(
    "code",
    [
        lambda lead: (f"5.6.3-9-{SCP[lead]}", "SCPECG", "?"),
        lambda lead: ("131073", "MDC", f"Lead {lead} (Einthoven)"),
        lambda lead: ("x", "99", f"{lead}, augmented voltage"),
        lambda lead: ("x", "99", f"MDC_ECG_LEAD_{lead.upper()}"),
    ],
)
def test_leads_are_known_by_their_code_or_its_meaning(tmp_path, code):
    order = np.random.default_rng(0).permutation(12)
    group = dicom_group(MICROVOLTS[order], leads=[LEADS[i] for i in order])
    for channel, i in zip(group.ChannelDefinitionSequence, order, strict=True):
        channel.ChannelSourceSequence = [dicom_code(*code(LEADS[i]))]
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", [group])), SIGNAL, atol=1e-3)


def test_an_inverted_lead_is_not_taken_for_the_lead(tmp_path):
    group = dicom_group(MICROVOLTS)
    group.ChannelDefinitionSequence[3].ChannelSourceSequence = [dicom_code("2:65", "MDC", "Lead -aVR")]
    expected = -(SIGNAL[0] + SIGNAL[1]) / 2
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", [group]))[3], expected, atol=2e-3)


def test_padding_is_not_taken_for_a_voltage(tmp_path):
    group = dicom_group(MICROVOLTS)
    group.add_new("WaveformPaddingValue", "OW", np.array([-32768], "<i2").tobytes())
    raw = np.frombuffer(group.WaveformData, "<i2").copy()
    raw[12 * 1000 + 6] = -32768
    group.WaveformData = raw.tobytes()
    signal = read_recording(write_dicom_groups(tmp_path / "a.dcm", [group])).stretch(0, 5000)
    assert np.argwhere(~np.isfinite(signal)).tolist() == [[6, 1000]]


def changed(**attributes):
    group = dicom_group(MICROVOLTS)
    for name, value in attributes.items():
        setattr(group, name, value)
    return [group]


def without(name):
    group = dicom_group(MICROVOLTS)
    for channel in group.ChannelDefinitionSequence:
        delattr(channel, name)
    return [group]


HOSTILE = {
    "no waveform": (list, "without a waveform"),
    "median beats alone": (lambda: [median()], "does not hold a rhythm"),
    "too many samples": (lambda: changed(NumberOfWaveformSamples=2**31), "states 2147483648 samples"),
    "no samples": (lambda: changed(NumberOfWaveformSamples=0), "states 0 samples"),
    "one channel more": (lambda: changed(NumberOfWaveformChannels=11), "has 11 channels, but it describes 12"),
    "mu-law": (lambda: changed(WaveformBitsAllocated=8, WaveformSampleInterpretation="MB"), "8 bits MB"),
    "no rate": (lambda: changed(SamplingFrequency=0), "does not state its sampling rate"),
    "no sensitivity": (lambda: without("ChannelSensitivity"), "without sensitivity"),
    "no units": (lambda: without("ChannelSensitivityUnitsSequence"), "does not state its units"),
    "no leads": (lambda: without("ChannelSourceSequence"), "are missing"),
    "pressure": (lambda: [dicom_group(MICROVOLTS, units="mm[Hg]")], "is not a voltage unit"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_waveform_that_cannot_be_used_is_one_clear_error(tmp_path, name):
    make, message = HOSTILE[name]
    with pytest.raises(EcgEdgeError, match=message) as caught:
        found(write_dicom_groups(tmp_path / "a.dcm", make()))
    assert "\n" not in str(caught.value)


def test_a_deflated_file_is_refused_before_it_is_unpacked(tmp_path):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)])
    content = path.read_bytes()
    meta = 144 + int.from_bytes(content[140:144], "little")
    file_meta = pydicom.dcmread(io.BytesIO(content[:meta])).file_meta
    file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    head = io.BytesIO()
    pydicom.filewriter.write_file_meta_info(pydicom.filebase.DicomFileLike(head), file_meta)
    bomb = zlib.compressobj(wbits=-15)
    path.write_bytes(content[:132] + head.getvalue() + bomb.compress(bytes(10**7)) + bomb.flush())
    with pytest.raises(EcgEdgeError, match="transfer syntax"):
        found(path)


@pytest.mark.parametrize("at", [140, 200, 400, 700, 1500, 3000, 20_000])
def test_a_file_that_is_cut_off_is_an_error(tmp_path, at):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)])
    path.write_bytes(path.read_bytes()[:at])
    with pytest.raises(EcgEdgeError):
        found(path)


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom, "_MOST_BYTES", 1000)
    with pytest.raises(EcgEdgeError, match="larger than 1000 bytes"):
        found(write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)]))


@pytest.mark.parametrize("status", ["DISCONNECTED", ["OK", "TEST DATA"]])
def test_a_lead_that_the_file_calls_unusable_is_refused(tmp_path, status):
    group = dicom_group(MICROVOLTS)
    group.ChannelDefinitionSequence[8].ChannelStatus = status
    with pytest.raises(EcgEdgeError, match=r"states that the lead V3 is (DISCONNECTED|TEST DATA)"):
        found(write_dicom_groups(tmp_path / "a.dcm", [group]))


def test_a_status_of_ok_is_no_fault(tmp_path):
    group = dicom_group(MICROVOLTS)
    for channel in group.ChannelDefinitionSequence:
        channel.ChannelStatus = "OK"
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", [group])), SIGNAL, atol=1e-3)


def test_leads_with_a_time_skew_are_refused(tmp_path):
    group = dicom_group(MICROVOLTS)
    group.ChannelDefinitionSequence[3].ChannelTimeSkew = "0.5"
    with pytest.raises(EcgEdgeError, match=r"its leads were sampled up to 0\.5 s apart"):
        found(write_dicom_groups(tmp_path / "a.dcm", [group]))


def test_a_file_of_very_many_items_is_refused_before_the_library_reads_it(tmp_path):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)])
    path.write_bytes(path.read_bytes() + b"\xfe\xff\x00\xe0\0\0\0\0" * 6000)
    with pytest.raises(EcgEdgeError, match="items, more than 5000"):
        found(path)
