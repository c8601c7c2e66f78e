"""Read DICOM 12-lead waveforms with pydicom: the rhythm, not the median beat, in the units that the channels state."""

import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, UnreadableError
from ecg_edge.extras import optional_library
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.channels import find_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".dcm", ".dicom")
SUFFIX_PROVES_NOTHING = False
# Ten seconds take about 0.1 MB, an hour 43 MB.
_MOST_BYTES = 64 * 2**20
_MOST_BYTES_OF_META = 2**14
# Reading an item takes a thousand times longer than reading its bytes. A 12-lead recording has about a hundred.
_ITEM = b"\xfe\xff\x00\xe0"
_MOST_ITEMS = 5000
_UNUSABLE = {"DISCONNECTED", "INVALID", "TEST DATA", "UNCALIBRATED"}
_MOST_SKEW_S = 0.002
_LITTLE_ENDIAN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}
_SAMPLES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "<i2",
    (16, "US"): "<u2",
    (32, "SL"): "<i4",
    (32, "UL"): "<u4",
}
_OF_SCHEMES = {
    "MDC": ("2:", {61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}),
    "SCPECG": ("5.6.3-9-", {61: "III", 62: "aVR", 63: "aVL", 64: "aVF"}),
}
_FIRST_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is a DICOM file."""
    return head[128:132] == b"DICM"


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read the rhythm of a DICOM file from its bytes.

    Raises:
        UnreadableError: The bytes are not a DICOM file, or it has no usable waveform.
        InvalidRecordingError: Leads are missing, or a unit is not a voltage unit.
        MissingExtraError: pydicom is not installed.
    """
    try:
        group = _choose_rhythm(_read_waveforms(content, source), source)
        return _make_recording(group, name, source, declared)
    except EcgEdgeError:
        raise
    except Exception as error:  # pydicom raises many kinds of errors for damaged elements
        raise UnreadableError(
            source, f"is not a valid DICOM waveform (pydicom: {type(error).__name__}: {error})"
        ) from error


def _read_file(path: Path, declared: Declared) -> Recording:
    file = FileSource(path)
    _check_size(file.size, str(path))
    return parse(file.read((0, file.size))[0], path.stem, str(path), declared)


def _check_size(size: int, source: str) -> None:
    if size > _MOST_BYTES:
        raise UnreadableError(source, f"is larger than {_MOST_BYTES} bytes")


def _read_waveforms(content: bytes, source: str) -> list[Any]:
    with optional_library("pydicom", "a DICOM waveform", "dicom"):
        import pydicom
    _check_size(len(content), source)
    n_items = content.count(_ITEM)
    if n_items > _MOST_ITEMS:
        raise UnreadableError(source, f"has {n_items} items, more than {_MOST_ITEMS}")
    # A deflated file may unpack to any size, so only its meta information is read first.
    meta = 144 + int.from_bytes(content[140:144], "little")
    if content[132:136] != b"\2\0\0\0" or meta > _MOST_BYTES_OF_META:
        raise UnreadableError(source, "is not a valid DICOM file: its meta information does not state its length")
    syntax = pydicom.dcmread(io.BytesIO(content[:meta])).file_meta.get("TransferSyntaxUID")
    if syntax not in _LITTLE_ENDIAN:
        raise UnreadableError(source, f"has the transfer syntax {syntax}; save it as uncompressed little endian")
    dataset = pydicom.dcmread(io.BytesIO(content), specific_tags=["WaveformSequence"])
    if not dataset.get("WaveformSequence"):
        raise UnreadableError(source, "is a DICOM file without a waveform")
    return list(dataset.WaveformSequence)


def _choose_rhythm(groups: list[Any], source: str) -> Any:  # noqa: ANN401 - pydicom makes attributes as it reads
    """Return the recorded multiplex group to answer: one labelled as a rhythm if there is one, and the longest."""
    recorded = [group for group in groups if _is_recorded(group)]
    if not recorded:
        raise UnreadableError(source, "does not hold a rhythm, only median beats or other computed waveforms")
    # Of equal groups max returns the first.
    return max(recorded, key=_rank)


def _is_recorded(group: Any) -> bool:  # noqa: ANN401
    """Return whether a multiplex group was recorded, not computed."""
    label = _read_label(group)
    return group.get("WaveformOriginality") != "DERIVED" and "MEDIAN" not in label and "AVERAGE" not in label


def _rank(group: Any) -> tuple[bool, float]:  # noqa: ANN401
    """Return what a multiplex group is chosen by: whether it is labelled a rhythm, then its length in seconds."""
    return "RHYTHM" in _read_label(group), group.NumberOfWaveformSamples / float(group.get("SamplingFrequency") or 1)


def _read_label(group: Any) -> str:  # noqa: ANN401
    return str(group.get("MultiplexGroupLabel") or "").upper()


def _make_recording(group: Any, name: str, source: str, declared: Declared) -> Recording:  # noqa: ANN401
    definitions = list(group.ChannelDefinitionSequence)
    samples = _read_multiplexed(group, source)
    if samples.shape[1] != len(definitions):
        raise UnreadableError(source, f"has {samples.shape[1]} channels, but it describes {len(definitions)}")
    names = [_read_lead(definition) for definition in definitions]
    units = [_read_units(definition) for definition in definitions]
    channels = find_channels(source, names, units, declared)
    wanted = [definitions[row] for row in channels.rows]
    if any(definition.get("ChannelSensitivity") is None for definition in wanted):
        raise UnreadableError(source, "has a lead without sensitivity, so its voltage is not known")
    _check_channels(source, channels.leads, wanted)
    gain, zero = (
        np.array([[float(value)] for value in values]) for values in zip(*map(_read_calibration, wanted), strict=True)
    )
    physical = samples.T[list(channels.rows)] * gain + zero
    padding = _read_padding(group, samples.dtype)
    if padding is not None:
        physical[samples.T[list(channels.rows)] == padding] = np.nan
    rate = declared.rate_of(source, float(group.get("SamplingFrequency") or 0))
    return Recording((physical * channels.millivolts).astype(np.float32), rate, channels.leads, "mV", name, source)


def _check_channels(source: str, leads: Sequence[str], definitions: list[Any]) -> None:
    """Refuse leads that the file itself calls unusable, or that were not sampled at the same time."""
    for lead, definition in zip(leads, definitions, strict=True):
        status = definition.get("ChannelStatus") or ()
        found = _UNUSABLE & {status} if isinstance(status, str) else _UNUSABLE & {str(part) for part in status}
        if found:
            msg = f"{source}: states that the lead {lead} is {', '.join(sorted(found))}"
            raise InvalidRecordingError(msg)
    skews = [float(definition.get("ChannelTimeSkew") or 0) for definition in definitions]
    if not max(skews) - min(skews) <= _MOST_SKEW_S:
        msg = f"{source}: its leads were sampled up to {max(skews) - min(skews):g} s apart, not at the same time"
        raise InvalidRecordingError(msg)


def _read_multiplexed(group: Any, source: str) -> NDArray[np.generic]:  # noqa: ANN401
    """Return the raw samples, shape (samples, channels)."""
    kind = (int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation))
    if kind not in _SAMPLES:
        raise UnreadableError(source, f"has samples of {kind[0]} bits {kind[1]}; this type is not supported")
    shape = (int(group.NumberOfWaveformSamples), int(group.NumberOfWaveformChannels))
    dtype, content = np.dtype(_SAMPLES[kind]), bytes(group.WaveformData)
    if min(shape) < 1 or shape[0] * shape[1] * dtype.itemsize > len(content):
        raise UnreadableError(
            source, f"states {shape[0]} samples of {shape[1]} channels, but it has {len(content)} bytes"
        )
    return np.frombuffer(content, dtype, shape[0] * shape[1]).reshape(shape)


def _read_lead(definition: Any) -> str:  # noqa: ANN401
    """Return the name of a channel, from its code if that is known, otherwise from the code meaning or the label."""
    source = definition.ChannelSourceSequence[0] if definition.get("ChannelSourceSequence") else {}
    code, scheme = str(source.get("CodeValue") or ""), str(source.get("CodingSchemeDesignator") or "")
    prefix, others = _OF_SCHEMES.get(scheme.split("-", maxsplit=1)[0].upper(), ("", {}))
    if prefix and code.startswith(prefix) and code[len(prefix) :].isdecimal():
        number = int(code[len(prefix) :])
        return _FIRST_LEADS[number - 1] if 1 <= number <= len(_FIRST_LEADS) else others.get(number, code)
    meaning = str(source.get("CodeMeaning") or definition.get("ChannelLabel") or code)
    return meaning.partition("(Einthoven)")[0].partition(",")[0].strip()


def _read_units(definition: Any) -> str | None:  # noqa: ANN401
    units = definition.get("ChannelSensitivityUnitsSequence")
    return str(units[0].CodeValue) if units else None


def _read_calibration(definition: Any) -> tuple[float, float]:  # noqa: ANN401
    """Return the value of one digital step and the value of the sample 0, in the unit of the channel."""
    correction = definition.get("ChannelSensitivityCorrectionFactor")
    gain = float(definition.ChannelSensitivity) * (1.0 if correction is None else float(correction))
    return gain, float(definition.get("ChannelBaseline") or 0)


def _read_padding(group: Any, dtype: np.dtype[np.generic]) -> np.generic | None:  # noqa: ANN401
    """Return the sample value that marks a missing sample, if the file defines one."""
    value = group.get("WaveformPaddingValue")
    raw = value if isinstance(value, bytes) else None
    return np.frombuffer(raw, dtype, 1)[0] if raw and len(raw) >= dtype.itemsize else None
