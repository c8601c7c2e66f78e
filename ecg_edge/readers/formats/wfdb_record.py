"""Read WFDB records, a header (.hea) and its signal files, in parts so that a day needs little memory."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from math import isfinite, nan
from pathlib import Path

import numpy as np

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.findings import Note
from ecg_edge.readers.byte_source import ByteSource, BytesSource, FileSource
from ecg_edge.readers.channels import Channels, find_calibrated_channels
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.formats.wfdb_header import WfdbHeader, WfdbSignal, read_wfdb_header
from ecg_edge.readers.formats.wfdb_samples import Differences, Place, WfdbSamples, find_wrong_checksums
from ecg_edge.readers.formats.wfdb_signal import DIFFERENCES, FORMATS, SignalFile
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".hea",)
SUFFIX_PROVES_NOTHING = False
DESCRIPTIONS = (
    FormatDescription(
        name="WFDB",
        files="`.hea` with `.dat` or `.mat`: formats 8, 16, 24, 32, 61, 80, 160, 212, 310, 311",
        stated="the rate; lead names; the gain (a gain without a unit is per mV, as the format defines it)",
        checked=(
            "lengths, and the checksums of up to 67 million samples: a wrong one is a warning; skews are taken back"
        ),
        refused=(
            "gain 0 without `--gain`, records of several segments, FLAC, signal files outside of the folder, "
            "leads of different rates"
        ),
    ),
)
# Samples of all signals that are read at a time.
_TOGETHER = 2**21
_MOST_OF_A_FRAME = 2**14
_WRONG_CHECKSUM = "the samples do not have the checksum that the header states, so the file may be damaged"


def recognises(head: bytes, name: str) -> bool:
    """Return whether a file is a WFDB header, by its suffix, because the content is plain text."""
    return name.lower().endswith(SUFFIXES) and b"\0" not in head


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the record of a header."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(content: bytes, name: str, source: str, declared: Declared, beside: Beside) -> Recording:
    """Read a record from the bytes of its header.

    Raises:
        UnreadableError: The header or a signal file is damaged or missing.
        InvalidRecordingError: Leads, units or calibration are missing, or the leads have different sampling rates.
    """
    return _read_record(BytesSource(content, source), name, declared, beside)


def _read_file(path: Path, declared: Declared) -> Recording:
    return _read_record(FileSource(path), path.stem, declared, partial(_open_beside, path))


def _read_record(data: ByteSource, name: str, declared: Declared, beside: Beside) -> Recording:
    header, source = read_wfdb_header(data), data.source
    channels = find_calibrated_channels(
        source,
        [signal.name for signal in header.signals],
        _list_units(header, declared),
        [_compute_step(signal) for signal in header.signals],
        declared,
    )
    leads = [header.signals[row] for row in channels.rows]
    per_frame = {signal.per_frame for signal in leads}
    if len(per_frame) > 1:
        msg = f"{source}: its leads have different sampling rates; export all leads at the same rate"
        raise InvalidRecordingError(msg)
    in_frame = sum(signal.per_frame for signal in header.signals)
    if in_frame > _MOST_OF_A_FRAME:
        raise UnreadableError(source, f"has {in_frame} samples in a frame, more than {_MOST_OF_A_FRAME}")
    lead_samples = per_frame.pop()
    rate = declared.rate_of(source, header.rate and header.rate * lead_samples)
    files, n_frames = _open_signal_files(header, source, beside)
    places = _find_places(header, list(files), channels)
    if max(place.skew for place in places) >= n_frames:
        raise UnreadableError(source, f"has a lead with a skew of more than its {n_frames} frames")
    samples = WfdbSamples(
        tuple(files.values()),
        places,
        lead_samples,
        max(1, _TOGETHER // in_frame),
        channels.millivolts,
        np.array([[float(signal.baseline)] for signal in leads]),
        (len(leads), n_frames * lead_samples),
    )
    wrong = find_wrong_checksums(samples, leads, n_frames)
    names = ", ".join(lead for lead, is_wrong in zip(channels.leads, wrong, strict=True) if is_wrong)
    notes = (Note("wrong_checksum", f"{_WRONG_CHECKSUM}: {names}"),) if names else ()
    return Recording(samples, rate, channels.leads, name=name, source=source, notes=notes)


def _list_units(header: WfdbHeader, declared: Declared) -> list[str | None]:
    # By the definition of the format, a gain without a unit is per millivolt.
    return [signal.units or declared.units or "mV" for signal in header.signals]


def _compute_step(signal: WfdbSignal) -> float | None:
    """Return the value of a step of the converter, in units; None if the signal is not calibrated."""
    if signal.gain is None:
        return None
    return 1 / signal.gain if isfinite(signal.gain) else nan


def _find_places(header: WfdbHeader, files: list[str], channels: Channels) -> tuple[Place, ...]:
    ends = dict.fromkeys(files, 0)
    places = []
    for signal in header.signals:
        places.append(Place(files.index(signal.file), ends[signal.file], signal.skew))
        ends[signal.file] += signal.per_frame
    return tuple(places[row] for row in channels.rows)


def _open_signal_files(
    header: WfdbHeader, source: str, beside: Beside
) -> tuple[dict[str, SignalFile | Differences], int]:
    """Return the signal files by name, and the number of frames, which all of them must have."""
    files: dict[str, SignalFile | Differences] = {}
    for name in dict.fromkeys(signal.file for signal in header.signals):
        signals = [signal for signal in header.signals if signal.file == name]
        _check_format(signals, name, source)
        if not re.fullmatch(r"\w[-\w.]*", name, re.ASCII):
            raise UnreadableError(source, f"names the signal file {name!r}, which is not a plain file name")
        width = sum(signal.per_frame for signal in signals)
        file = SignalFile(beside(name), signals[0].format, signals[0].offset, width)
        files[name] = Differences(file, signals) if file.format == DIFFERENCES else file
        there = files[name].count_frames()
        if not there or (header.frames or 0) > there:
            raise UnreadableError(source, f"states {header.frames or 'some'} frames, but {name} has {there}")
    return files, header.frames or min(file.count_frames() for file in files.values())


def _check_format(signals: Sequence[WfdbSignal], name: str, source: str) -> None:
    formats = {signal.format for signal in signals}
    if len(formats) > 1 or len({signal.offset for signal in signals}) > 1:
        raise UnreadableError(source, f"has signals of different formats or offsets in {name}")
    (found,) = formats
    if found in {"508", "516", "524"}:
        raise UnreadableError(source, f"has signals in FLAC compression (format {found}); save them as format 16")
    if found not in FORMATS:
        raise UnreadableError(source, f"has signals of format {found}; known formats are {' '.join(FORMATS)}")


def _open_beside(path: Path, name: str) -> ByteSource:
    """Return a signal file, which must be in the folder of the header, after links are followed."""
    folder = path.resolve().parent
    try:
        signal = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        # A system that does not tell capitals apart may have written the header.
        alike = [file for file in folder.iterdir() if file.name.casefold() == name.casefold()]
        if len(alike) != 1:
            raise UnreadableError(path, f"names the signal file {name}, which does not exist") from error
        signal = alike[0].resolve()
    if signal.parent != folder:
        raise UnreadableError(path, f"names the signal file {name}, which is a link out of its folder")
    return FileSource(signal)
