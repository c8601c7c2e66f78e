"""Read DICOM 12-lead waveforms: the rhythm, not the median beat, in the units that the channels state."""

from collections.abc import Iterator, Sequence
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, UnreadableError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.channels import find_calibrated_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.formats.dicom_file import check_size, is_dicom, read_waveforms
from ecg_edge.readers.formats.dicom_groups import MOST_APART_S, Rhythm, choose_rhythm
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".dcm", ".dicom")
SUFFIX_PROVES_NOTHING = False
DESCRIPTIONS = (
    FormatDescription(
        name="DICOM waveform",
        files="`.dcm`, `.dicom`, or without a suffix or preamble",
        stated="rate, units, sensitivity and name of each lead",
        checked=(
            "that the groups of leads began together, counts against the length of the data, the status of each lead"
        ),
        refused=(
            "median beats alone, groups recorded one after the other (4 x 2.5 s), leads with a skew or called "
            "disconnected, compressed waveforms, files over 64 MB, also unpacked"
        ),
        extra="dicom",
        library="pydicom",
    ),
)
_UNUSABLE = {"DISCONNECTED", "INVALID", "TEST DATA", "UNCALIBRATED"}
_SAMPLES = {(8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4", (32, "UL"): "u4"}


def recognises(head: bytes, _name: str) -> bool:
    """Return whether a file is a DICOM file."""
    return is_dicom(head)


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read the rhythm of a DICOM file from its bytes.

    Raises:
        UnreadableError: The bytes are not a DICOM file, or it has no usable waveform.
        InvalidRecordingError: Leads are missing or were not recorded together, or a unit is not a voltage unit.
        MissingExtraError: pydicom is not installed.
    """
    try:
        groups, order = read_waveforms(content, source)
        return _make_recording(choose_rhythm(groups, source, declared), order, name, source, declared)
    except (EcgEdgeError, MemoryError):
        raise
    except Exception as error:  # pydicom raises many kinds of errors for damaged elements
        raise UnreadableError(
            source, f"is not a valid DICOM waveform (pydicom: {type(error).__name__}: {error})"
        ) from error


def _read_file(path: Path, declared: Declared) -> Recording:
    file = FileSource(path)
    check_size(file.size, str(path))
    return parse(file.read((0, file.size))[0], path.stem, str(path), declared)


def _make_recording(rhythm: Rhythm, order: str, name: str, source: str, declared: Declared) -> Recording:
    definitions = rhythm.definitions
    units = [_read_units(definition) for _, _, definition in definitions]
    blocks = [_read_multiplexed(group, order, source) for group in rhythm.groups]
    steps = [_read_sensitivity(definition) for _, _, definition in definitions]
    channels = find_calibrated_channels(source, rhythm.names, units, steps, declared)
    wanted = [definitions[row] for row in channels.rows]
    _check_channels(source, channels.leads, [definition for _, _, definition in wanted], rhythm.rate)
    leads = np.empty((len(wanted), len(blocks[0])), np.float32)
    for row, (group, column, definition) in enumerate(wanted):
        digital = blocks[group][:, column]
        step = _read_sensitivity(definition)
        zero = float(definition.get("ChannelBaseline") or 0) / step if step else 0.0
        leads[row] = (digital + zero) * channels.millivolts[row]
        padding = _read_padding(rhythm.groups[group], digital.dtype)
        if padding is not None:
            leads[row][digital == padding] = np.nan
    rate = declared.rate_of(source, rhythm.rate)
    return Recording(leads, rate, channels.leads, "mV", name, source, rhythm.notes)


def _check_channels(source: str, leads: Sequence[str], definitions: list[Any], rate: float) -> None:
    """Refuse leads that the file itself calls unusable, or that were not sampled at the same time."""
    for lead, definition in zip(leads, definitions, strict=True):
        status = definition.get("ChannelStatus") or ()
        found = _UNUSABLE & {status} if isinstance(status, str) else _UNUSABLE & {str(part) for part in status}
        if found:
            msg = f"{source}: states that the lead {lead} is {', '.join(sorted(found))}"
            raise InvalidRecordingError(msg)
    skews = [_read_skew(definition, rate) for definition in definitions]
    if not max(skews) - min(skews) <= MOST_APART_S:
        msg = f"{source}: its leads were sampled up to {max(skews) - min(skews):g} s apart, not at the same time"
        raise InvalidRecordingError(msg)


def _read_skew(definition: Any, rate: float) -> float:  # noqa: ANN401
    """Return by how many seconds a channel was sampled late; a file states it in seconds or in samples."""
    in_samples = float(definition.get("ChannelSampleSkew") or 0)
    return float(definition.get("ChannelTimeSkew") or 0) + (in_samples / rate if in_samples else 0.0)


def _read_multiplexed(group: Any, order: str, source: str) -> NDArray[np.integer]:  # noqa: ANN401
    """Return the raw samples, shape (samples, channels)."""
    kind = (int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation))
    if kind not in _SAMPLES:
        raise UnreadableError(source, f"has samples of {kind[0]} bits {kind[1]}; this type is not supported")
    shape = (int(group.NumberOfWaveformSamples), int(group.NumberOfWaveformChannels))
    dtype, content = np.dtype(order + _SAMPLES[kind]), bytes(group.WaveformData)
    if dtype.itemsize == 1 and order == ">" and group["WaveformData"].VR == "OW":
        # Two samples of 8 bits share a word, and the first of them is its lower half.
        content = np.frombuffer(content[: len(content) // 2 * 2], ">u2").astype("<u2").tobytes()
    if min(shape) < 1 or shape[0] * shape[1] * dtype.itemsize > len(content):
        raise UnreadableError(
            source, f"states {shape[0]} samples of {shape[1]} channels, but it has {len(content)} bytes"
        )
    described = len(group.ChannelDefinitionSequence)
    if shape[1] != described:
        raise UnreadableError(source, f"has {shape[1]} channels, but it describes {described}")
    return np.frombuffer(content, dtype, shape[0] * shape[1]).reshape(shape)


def _read_units(definition: Any) -> str | None:  # noqa: ANN401
    units = definition.get("ChannelSensitivityUnitsSequence")
    return str(units[0].get("CodeValue") or "") if units else None


def _read_sensitivity(definition: Any) -> float | None:  # noqa: ANN401
    """Return the value of one digital step in the unit of the channel; None if the file does not state it.

    It is NaN if it is not one number: that matters for leads alone.
    """
    try:
        sensitivity, correction = (
            definition.get(name) for name in ("ChannelSensitivity", "ChannelSensitivityCorrectionFactor")
        )
        return None if sensitivity is None else float(sensitivity) * (1.0 if correction is None else float(correction))
    except (TypeError, ValueError):
        return nan


def _read_padding(group: Any, dtype: np.dtype[np.generic]) -> np.generic | None:  # noqa: ANN401
    """Return the sample value that marks a missing sample, if the file defines one."""
    value = group.get("WaveformPaddingValue")
    raw = value if isinstance(value, bytes) else None
    return np.frombuffer(raw, dtype, 1)[0] if raw and len(raw) >= dtype.itemsize else None
