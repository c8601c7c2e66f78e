"""One recording in every format, written by the format's own library."""

from pathlib import Path

import numpy as np
import pytest

from ecg_edge.recording.leads import LEADS

MDC_CODES = dict(zip(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), range(1, 9), strict=True))
MDC_CODES |= {"III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def write_npy(path: Path, signal, **_) -> Path:
    np.save(path, signal)
    return path


def write_csv(path: Path, signal, rate=500, leads=LEADS, units="mV", **_) -> Path:
    head = ",".join(["time_s", *(f"{lead} ({units})" for lead in leads)])
    rows = np.column_stack([np.arange(signal.shape[1]) / rate, signal.T])
    np.savetxt(path, rows, "%.6g", ",", header=head, comments="")
    return path


def write_wfdb(path: Path, signal, rate=500, leads=LEADS, units="mV", fmt="16", **_) -> Path:
    if fmt == "16":
        return write_16_bit_wfdb(path, np.asarray(signal, np.float64), rate, leads, units)
    wfdb = pytest.importorskip("wfdb")
    n = len(leads)
    options = {"units": [units] * n, "sig_name": list(leads), "fmt": [fmt] * n, "write_dir": str(path.parent)}
    wfdb.wrsamp(path.stem, rate, p_signal=np.asarray(signal, np.float64).T, **options)
    return path


def write_16_bit_wfdb(path: Path, signal, rate, leads, units) -> Path:
    """Write a record by hand, for environments without the library."""
    steps = 30_000 / np.abs(signal).max(axis=1, initial=1e-3)
    data = path.with_suffix(".dat")
    data.write_bytes(np.round(signal * steps[:, None]).T.astype("<i2").tobytes())
    lines = [f"{path.stem} {len(leads)} {rate} {signal.shape[1]}"]
    lines += [
        f"{data.name} 16 {gain:.6f}(0)/{units} 16 0 0 0 0 {lead}" for gain, lead in zip(steps, leads, strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def edf_signals(signal, rate=500, leads=LEADS, units="mV"):
    edfio = pytest.importorskip("edfio")
    return [
        edfio.EdfSignal(np.asarray(row, np.float64), rate, label=lead, physical_dimension=units)
        for row, lead in zip(signal, leads, strict=True)
    ]


def write_edf(path: Path, signal, rate=500, leads=LEADS, units="mV", **_) -> Path:
    edfio = pytest.importorskip("edfio")
    edfio.Edf(edf_signals(signal, rate, leads, units)).write(path)
    return path


def dicom_code(value, scheme, meaning):
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def dicom_channel(lead, sensitivity, units):
    from pydicom.dataset import Dataset

    channel = Dataset()
    code = ("2:" + str(MDC_CODES[lead]), "MDC", f"Lead {lead}") if lead in MDC_CODES else ("x", "99LOCAL", lead)
    channel.ChannelSourceSequence = [dicom_code(*code)]
    channel.ChannelSensitivity = sensitivity
    channel.ChannelSensitivityUnitsSequence = [dicom_code(units, "UCUM", units)]
    channel.ChannelSensitivityCorrectionFactor = 1
    channel.ChannelBaseline = 0
    channel.WaveformBitsStored = 16
    return channel


def dicom_group(signal, rate=500, leads=LEADS, units="uV", label="RHYTHM", originality="ORIGINAL", sensitivity=1.25):
    """Make a multiplex group of a signal in `units`."""
    from pydicom.dataset import Dataset

    group = Dataset()
    group.WaveformOriginality, group.MultiplexGroupLabel = originality, label
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = signal.shape
    group.SamplingFrequency = rate
    group.ChannelDefinitionSequence = [dicom_channel(lead, sensitivity, units) for lead in leads]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = np.round(np.asarray(signal).T / sensitivity).astype("<i2").tobytes()
    return group


def write_dicom_groups(path: Path, groups, syntax="1.2.840.10008.1.2.1") -> Path:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.PatientName = "Nobody"
    dataset.WaveformSequence = groups
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_dicom(path: Path, signal, rate=500, leads=LEADS, **_) -> Path:
    pytest.importorskip("pydicom", "3.0")
    return write_dicom_groups(path, [dicom_group(np.asarray(signal) * 1000, rate, leads)])


WRITERS = {".npy": write_npy, ".csv": write_csv, ".hea": write_wfdb, ".edf": write_edf, ".dcm": write_dicom}
