"""Hostile DICOM files."""

import copy
import io
import struct
import zlib

import numpy as np
from hostile.arrays import ECG
from hostile.case import Case
from hostile.texts import LEADS


def dicom(change=id, *, syntax="1.2.840.10008.1.2.1", groups=None):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.sequence import Sequence

    dataset, group = Dataset(), Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    group.WaveformOriginality, group.MultiplexGroupLabel, group.SamplingFrequency = "ORIGINAL", "RHYTHM", 500
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = ECG.shape
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = np.round(ECG.T * 1000).astype("<i2").tobytes()
    group.ChannelDefinitionSequence = Sequence([_channel(lead) for lead in LEADS])
    change(group)
    dataset.WaveformSequence = Sequence(groups or [group])
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _channel(lead):
    from pydicom.dataset import Dataset

    channel, source, units = Dataset(), Dataset(), Dataset()
    source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "x", "99", lead
    units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning = "mV", "UCUM", "mV"
    channel.ChannelSourceSequence, channel.ChannelSensitivityUnitsSequence = [source], [units]
    channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "0.001", "1", "0"
    return channel


def of_group(**attributes):
    return dicom(lambda group: [setattr(group, name, value) for name, value in attributes.items()])


def of_channels(**attributes):
    return dicom(
        lambda group: [
            setattr(channel, name, value)
            for channel in group.ChannelDefinitionSequence
            for name, value in attributes.items()
        ]
    )


def nested_sequences(depth):
    """Items of undefined length in one another, never closed."""
    item = (
        struct.pack("<HH", 0x5400, 0x0100) + b"SQ\0\0" + b"\xff" * 4 + struct.pack("<HH", 0xFFFE, 0xE000) + b"\xff" * 4
    )
    return _front() + item * depth


def _meta_end():
    return 144 + int.from_bytes(dicom()[140:144], "little")


def _front():
    whole = dicom()
    return whole[: whole.index(struct.pack("<HH", 0x5400, 0x0100))]


def lying_length(length):
    whole = bytearray(dicom())
    at = whole.index(struct.pack("<HH", 0x5400, 0x1010))
    whole[at + 8 : at + 12] = length.to_bytes(4, "little")
    return bytes(whole)


def of_groups(*sizes, apart_ms=0):
    """Write groups of the first, the next ... leads."""
    whole = []
    dicom(whole.append)
    groups, first = [], 0
    for number, size in enumerate(sizes):
        group = copy.deepcopy(whole[0])
        group.ChannelDefinitionSequence = group.ChannelDefinitionSequence[first : first + size]
        group.WaveformData = np.round(ECG.T * 1000)[:, first : first + size].astype("<i2").tobytes()
        group.NumberOfWaveformChannels, group.MultiplexGroupTimeOffset = size, number * apart_ms
        groups.append(group)
        first += size
    return dicom(groups=groups)


def deflated(content=None):
    whole = dicom(syntax="1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, wbits=-15)
    return (
        whole[: 144 + int.from_bytes(whole[140:144], "little")]
        + packer.compress(content or bytes(200_000_000))
        + packer.flush()
    )


DICOM_BAD = "finite|DICOM|transfer syntax|states|samples|finite|rate|sensitivity|waveform|encoding|leads|median"
DICOM = {
    "samples_10_to_9": (lambda: of_group(NumberOfWaveformSamples=10**9), "states"),
    "samples_none": (lambda: of_group(NumberOfWaveformSamples=0), DICOM_BAD),
    "channels_65535": (lambda: of_group(NumberOfWaveformChannels=65535), "states"),
    "channels_0": (lambda: of_group(NumberOfWaveformChannels=0), DICOM_BAD),
    "bits_64": (lambda: of_group(WaveformBitsAllocated=64), DICOM_BAD),
    "interpretation_unknown": (lambda: of_group(WaveformSampleInterpretation="XX"), DICOM_BAD),
    "rate_zero": (lambda: of_group(SamplingFrequency="0"), f"{DICOM_BAD}|zero"),
    "rate_negative": (lambda: of_group(SamplingFrequency="-500"), DICOM_BAD),
    "rate_1e300": (lambda: of_group(SamplingFrequency="1e300"), f"{DICOM_BAD}|Hz"),
    "sensitivity_1e300": (lambda: of_channels(ChannelSensitivity="1e300"), DICOM_BAD),
    "baseline_1e300": (lambda: of_channels(ChannelBaseline="1e300"), DICOM_BAD),
    "no_channels": (lambda: of_group(ChannelDefinitionSequence=[]), "describes 0"),
    "data_longer_than_file": (lambda: lying_length(2**31), ""),
    "data_of_undefined_length": (lambda: lying_length(2**32 - 1), DICOM_BAD),
    "data_of_odd_length": (lambda: lying_length(7), DICOM_BAD),
    "nested_3000_deep": (lambda: nested_sequences(3000), DICOM_BAD),
    "nested_100000_deep": (lambda: nested_sequences(100_000), "has 100000 items"),
    "deflated_bomb": (deflated, "unpacks to more than"),
    "jpeg": (lambda: dicom(syntax="1.2.840.10008.1.2.4.50"), "transfer syntax"),
    "big_endian_lie": (lambda: dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"), DICOM_BAD),
    "deflated_cut_off": (lambda: deflated()[:-20], "unpacks to more than|no end"),
    "deflated_garbage": (lambda: deflated()[:400] + b"\xff" * 300, "unpack|no end"),
    "deflated_items": (lambda: deflated(nested_sequences(20_000)[144:]), "unpacks to more than|items"),
    "meta_of_4_gb": (lambda: b"\2\0\0\0UL\4\0\xff\xff\xff\xff" + bytes(3000), "meta information has"),
    "no_preamble_lie": (lambda: b"\x08\0\5\0CS\xff\xff" + bytes(3000), DICOM_BAD),
    "no_preamble_nested": (lambda: nested_sequences(3000)[_meta_end() :], DICOM_BAD),
    "groups_of_one_lead": (lambda: of_groups(*[1] * 12), ""),
    "two_thousand_groups": (lambda: of_groups(*[0] * 600), "not a valid DICOM|missing|items|describes"),
    "groups_at_other_times": (lambda: of_groups(*[3] * 4, apart_ms=2500), "not recorded at the same time"),
    "offset_nan": (lambda: of_group(MultiplexGroupTimeOffset="nan"), ""),
    "preamble_alone": (lambda: bytes(128) + b"DICM", DICOM_BAD),
    "cut_off": (lambda: dicom()[:2000], DICOM_BAD),
    "garbage": (lambda: dicom()[:400] + bytes(range(256)) * 40, DICOM_BAD),
    "derived_only": (lambda: of_group(WaveformOriginality="DERIVED", MultiplexGroupLabel="MEDIAN"), "median beats"),
}


def _lazily(make):
    return lambda folder: (folder / "a.dcm").write_bytes(make())


CASES = [Case(f"dicom_{name}", _lazily(make), why) for name, (make, why) in DICOM.items()]
