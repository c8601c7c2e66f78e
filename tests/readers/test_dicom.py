"""DICOM 12-lead waveforms and their oddities."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from written import dicom_code, dicom_group, write_dicom_groups

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError
from ecg_edge.readers import find_records
from ecg_edge.readers.formats import dicom_file
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


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
def test_faults_of_a_channel_that_is_no_lead_do_not_matter(tmp_path):
    group = dicom_group(np.vstack([MICROVOLTS, MICROVOLTS[:1]]), leads=(*LEADS, "Resp"))
    group.ChannelDefinitionSequence[12].ChannelSensitivity = ["1", "2"]
    del group.ChannelDefinitionSequence[12].ChannelSensitivityUnitsSequence[0].CodeValue
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", [group])), SIGNAL, atol=1e-3)


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


def of_sensitivity(value):
    group = dicom_group(MICROVOLTS)
    for channel in group.ChannelDefinitionSequence:
        channel.ChannelSensitivity = value
    return group


HOSTILE = {
    "no waveform": (list, "without a waveform"),
    "median beats alone": (lambda: [median()], "does not hold a rhythm"),
    "too many samples": (lambda: changed(NumberOfWaveformSamples=2**31), "states 2147483648 samples"),
    "no samples": (lambda: changed(NumberOfWaveformSamples=0), "states 0 samples"),
    "one channel more": (lambda: changed(NumberOfWaveformChannels=11), "has 11 channels, but it describes 12"),
    "mu-law": (lambda: changed(WaveformBitsAllocated=8, WaveformSampleInterpretation="MB"), "8 bits MB"),
    "no rate": (lambda: changed(SamplingFrequency=0), "does not state its sampling rate"),
    "no sensitivity": (lambda: without("ChannelSensitivity"), "calibration: the gain of I is 0 or missing"),
    "a sensitivity of 0": (lambda: [of_sensitivity(0)], "calibration: the gain of I is 0 or missing"),
    "a sensitivity that is not a number": (
        lambda: [of_sensitivity("nan")],
        "calibration of the lead I that is not a finite number",
    ),
    "no units": (lambda: without("ChannelSensitivityUnitsSequence"), "does not state its units"),
    "no leads": (lambda: without("ChannelSourceSequence"), "are missing"),
    "pressure": (lambda: [dicom_group(MICROVOLTS, units="mm[Hg]")], "is not a voltage unit"),
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_waveform_that_cannot_be_used_is_one_clear_error(tmp_path, name):
    make, message = HOSTILE[name]
    with pytest.raises(EcgEdgeError, match=message) as caught:
        found(write_dicom_groups(tmp_path / "a.dcm", make()))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("units", [None, "uV"])
@pytest.mark.parametrize("make", [lambda: of_sensitivity(0), lambda: without("ChannelSensitivity")[0]])
def test_a_gain_per_millivolt_calibrates_a_file_that_does_not(tmp_path, make, units):
    group = make()
    recording = read_recording(write_dicom_groups(tmp_path / "a.dcm", [group]), gain=800, units=units)
    np.testing.assert_allclose(recording.stretch(0, 3000), SIGNAL, atol=1e-3)


@pytest.mark.parametrize("at", [140, 200, 400, 700, 1500, 3000, 20_000])
def test_a_file_that_is_cut_off_is_an_error(tmp_path, at):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)])
    path.write_bytes(path.read_bytes()[:at])
    with pytest.raises(EcgEdgeError):
        found(path)


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_file, "MOST_BYTES", 1000)
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


def of_leads(first, last, signal=MICROVOLTS, start_ms=0, **options):
    group = dicom_group(signal[first:last], leads=LEADS[first:last], **options)
    if start_ms is not None:
        group.MultiplexGroupTimeOffset = start_ms
    return group


@pytest.mark.parametrize("parts", [[(0, 6), (6, 12)], [(6, 12), (0, 6)], [(0, 3), (3, 6), (6, 9), (9, 12)]])
def test_groups_that_were_recorded_together_are_one_recording(tmp_path, parts):
    groups = [*(of_leads(*part) for part in parts), median()]
    recording = read_recording(write_dicom_groups(tmp_path / "a.dcm", groups))
    np.testing.assert_allclose(recording.stretch(0, 3000), SIGNAL, atol=1e-3)
    assert recording.notes == ()


def test_a_strip_of_one_lead_beside_the_groups_does_not_disturb_them(tmp_path):
    groups = [of_leads(0, 6), of_leads(6, 12), of_leads(1, 2)]
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", groups)), SIGNAL, atol=1e-3)


def test_each_group_has_its_own_calibration_and_padding(tmp_path):
    groups = [of_leads(0, 6, sensitivity=2), of_leads(6, 12, sensitivity=0.5)]
    raw = np.frombuffer(groups[1].WaveformData, "<i2").copy()
    groups[1].add_new("WaveformPaddingValue", "OW", raw[:1].astype("<i2").tobytes())
    expected = np.concatenate([np.round(MICROVOLTS[:6] / 2) * 2, np.round(MICROVOLTS[6:] * 2) / 2]) / 1000
    expected[6:][raw.reshape(-1, 6).T == raw[0]] = np.nan
    np.testing.assert_allclose(found(write_dicom_groups(tmp_path / "a.dcm", groups)), expected, rtol=1e-5, atol=1e-6)


def test_leads_that_were_recorded_one_after_the_other_are_refused(tmp_path):
    quarters = [of_leads(3 * i, 3 * i + 3, MICROVOLTS[:, :1250], 2500 * i) for i in range(4)]
    path = write_dicom_groups(tmp_path / "a.dcm", [*quarters, of_leads(1, 2)])
    message = r"were not recorded at the same time: 5 groups of 2\.5 s from 0 s, 2\.5 s from 2\.5 s"
    with pytest.raises(EcgEdgeError, match=message):
        found(path)


def test_groups_of_different_rates_are_not_joined(tmp_path):
    groups = [of_leads(0, 6), of_leads(6, 12, MICROVOLTS[:, ::2], rate=250)]
    with pytest.raises(EcgEdgeError, match="were not recorded at the same time"):
        found(write_dicom_groups(tmp_path / "a.dcm", groups))


def test_groups_without_times_are_joined_with_a_warning_unless_they_are_short(tmp_path, tiny):
    ten_s = np.tile(MICROVOLTS, 2)[:, :5000]
    groups = [of_leads(0, 6, ten_s, None), of_leads(6, 12, ten_s, None)]
    recording = read_recording(write_dicom_groups(tmp_path / "a.dcm", groups))
    assert "untimed_groups" in {note.code for note in tiny.detect(recording).warnings}
    short = [of_leads(3 * i, 3 * i + 3, MICROVOLTS[:, :1250], None) for i in range(4)]
    with pytest.raises(EcgEdgeError, match="does not state that its leads were recorded at the same time"):
        found(write_dicom_groups(tmp_path / "b.dcm", short))


@pytest.mark.parametrize("timed", [(0, None), (None, 0)])
def test_a_time_that_one_group_alone_states_is_not_that_of_the_others(tmp_path, timed):
    ten_s = np.tile(MICROVOLTS, 2)[:, :5000]
    groups = [of_leads(0, 6, ten_s, timed[0]), of_leads(6, 12, ten_s, timed[1])]
    (note,) = read_recording(write_dicom_groups(tmp_path / "a.dcm", groups)).notes
    assert note.code == "untimed_groups"
    short = [of_leads(3 * i, 3 * i + 3, MICROVOLTS[:, :1250], 0 if i == 0 else None) for i in range(4)]
    message = r"4 groups of 2\.5 s from 0 s, 2\.5 s, 2\.5 s, 2\.5 s, and not all of them state a time offset"
    with pytest.raises(EcgEdgeError, match=message):
        found(write_dicom_groups(tmp_path / "b.dcm", short))


def test_a_rhythm_that_is_called_derived_is_read_with_a_warning(tmp_path, tiny):
    path = write_dicom_groups(tmp_path / "a.dcm", [median(), dicom_group(MICROVOLTS, originality="DERIVED")])
    finding = tiny.detect(read_recording(path))
    assert "computed_rhythm" in {note.code for note in finding.warnings}
    np.testing.assert_allclose(found(path), SIGNAL, atol=1e-3)


def test_a_recorded_group_comes_before_a_derived_rhythm(tmp_path):
    groups = [dicom_group(MICROVOLTS * 0, originality="DERIVED"), dicom_group(MICROVOLTS, label="")]
    recording = read_recording(write_dicom_groups(tmp_path / "a.dcm", groups))
    np.testing.assert_allclose(recording.stretch(0, 3000), SIGNAL, atol=1e-3)
    assert recording.notes == ()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
@pytest.mark.parametrize("cut", ["preamble", "preamble and letters", "preamble and meta information"])
@pytest.mark.parametrize("name", ["a.dcm", "IM000001"])
def test_a_file_without_a_preamble_is_read(tmp_path, syntax, cut, name):
    content = write_dicom_groups(tmp_path / "whole", [dicom_group(MICROVOLTS)], syntax).read_bytes()
    meta = 144 + int.from_bytes(content[140:144], "little")
    start = {"preamble": 128, "preamble and letters": 132, "preamble and meta information": meta}[cut]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content[start:])
    (record,) = find_records(tmp_path / "in")
    np.testing.assert_allclose(record.read().stretch(0, 3000), SIGNAL, atol=1e-3)


def test_meta_information_that_does_not_state_its_length_is_read(tmp_path):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)])
    content = path.read_bytes()
    path.write_bytes(content[:132] + content[144:])
    np.testing.assert_allclose(found(path), SIGNAL, atol=1e-3)


@pytest.mark.parametrize(
    "bits", [(8, "SB", "i1", "OW"), (8, "UB", "u1", "OB"), (16, "US", "u2", "OW"), (32, "SL", "i4", "OW")]
)
def test_big_endian_samples_are_read(tmp_path, bits):
    counts = np.random.default_rng(0).integers(0, 100, (12, 3000))
    group = dicom_group(MICROVOLTS, sensitivity=5)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation, dtype, kind = bits
    content = counts.T.astype(f">{dtype}").tobytes()
    if bits[0] == 8 and kind == "OW":
        content = np.frombuffer(content, "<u2").astype(">u2").tobytes()
    group.add_new("WaveformData", kind, content)
    group.add_new("WaveformPaddingValue", kind, np.array([counts[3, 7]], f">{dtype}").tobytes().ljust(2, b"\0"))
    expected = np.where(counts == counts[3, 7], np.nan, counts * 0.005)
    path = write_dicom_groups(tmp_path / "a.dcm", [group], "1.2.840.10008.1.2.2")
    np.testing.assert_allclose(found(path), expected, rtol=1e-6)


def deflated(path, change=lambda packed: packed):
    """Write a file again as deflated, by hand."""
    content = path.read_bytes()
    meta = 144 + int.from_bytes(content[140:144], "little")
    head = content[:meta].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    head = head[:140] + (len(head) - 144).to_bytes(4, "little") + head[144:]
    at = head.index(b"1.2.840.10008.1.2.1.99") - 2
    head = head[:at] + (22).to_bytes(2, "little") + head[at + 2 :]
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(head + change(packer.compress(content[meta:]) + packer.flush()))
    return path


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_a_deflated_file_is_read(tmp_path, padding):
    path = deflated(write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)]), lambda packed: packed + padding)
    np.testing.assert_allclose(found(path), SIGNAL, atol=1e-3)
    assert len(pydicom.dcmread(path).WaveformSequence) == 1  # it is one to the library too


def bomb(_packed):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(bytes(10**7)) + packer.flush()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (bomb, "unpacks to more than"),
        (lambda packed: packed[:-200], "its deflated content has no end"),
        (lambda packed: b"\xff" + packed, "cannot be unpacked"),
    ],
)
def test_a_deflated_file_that_is_damaged_or_a_bomb_is_one_clear_error(tmp_path, change, message):
    path = deflated(write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)]), change)
    with pytest.raises(EcgEdgeError, match=message):
        found(path)


def test_leads_with_a_skew_in_samples_are_refused(tmp_path):
    group = dicom_group(MICROVOLTS)
    group.ChannelDefinitionSequence[3].ChannelSampleSkew = "5"
    with pytest.raises(EcgEdgeError, match=r"its leads were sampled up to 0\.01 s apart"):
        found(write_dicom_groups(tmp_path / "a.dcm", [group]))


def test_the_sample_of_a_device_is_read_as_the_library_reads_it():
    path = Path(__file__).parents[3] / "shared" / "formats" / "dicom" / "mortara_1000hz.dcm"
    if not path.is_file():
        pytest.skip(f"the sample is not at {path}")
    recording = read_recording(path)
    expected = pydicom.dcmread(path).waveform_array(0).T / 1000
    assert (recording.sampling_rate, recording.notes) == (1000, ())
    np.testing.assert_allclose(recording.stretch(0, recording.samples), expected, atol=1e-6)


def test_a_file_of_very_many_items_is_refused_before_the_library_reads_it(tmp_path):
    path = write_dicom_groups(tmp_path / "a.dcm", [dicom_group(MICROVOLTS)])
    path.write_bytes(path.read_bytes() + b"\xfe\xff\x00\xe0\0\0\0\0" * 6000)
    with pytest.raises(EcgEdgeError, match="items, more than 5000"):
        found(path)
