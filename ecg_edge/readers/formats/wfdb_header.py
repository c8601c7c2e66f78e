"""Read the text of a WFDB header (.hea): record line and signal lines, as header(5) of WFDB defines them."""

import re
from dataclasses import dataclass

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.byte_source import ByteSource

_LONGEST_HEADER = 2**16
_LONGEST_LINE = 1000
_MOST_SIGNALS = 512
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
# Time and date may be anything: they are not needed.
_RECORD = (
    r"\S+?(?P<segments>/\d+)?\s+(?P<signals>\d{1,15})"
    r"(?:\s+(?P<rate>[^\s/]+)(?:/\S*)?(?:\s+(?P<frames>\d{1,15})(?:\s.*)?)?)?"
)
_SIGNAL = (
    r"(?P<file>\S+)\s+(?P<format>\d{1,4})(?:x(?P<per_frame>\d{1,9}))?(?::(?P<skew>\d{1,15}))?(?:\+(?P<offset>\d{1,18}))?"
    rf"(?:\s+(?P<gain>{_NUMBER})(?:\((?P<baseline>-?\d{{1,15}})\))?(?:/(?P<units>\S+))?"
    r"(?:\s+\d+(?:\s+(?P<zero>-?\d{1,15})(?:\s+(?P<initial>-?\d{1,15})(?:\s+(?P<checksum>-?\d{1,15})(?:\s+\d+(?:\s+(?P<name>.*))?)?)?)?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class WfdbSignal:
    """One signal line."""

    file: str
    """Name of the file with its samples."""
    format: str
    """Number of its sample format."""
    per_frame: int
    """Samples of this signal in one frame."""
    skew: int
    """Number of frames by which it comes late: its first sample is in this frame."""
    offset: int
    """Bytes before the first sample in the file."""
    gain: float | None
    """Steps of the converter per unit; None if the signal is not calibrated."""
    baseline: int
    """Value of the converter at 0 V."""
    units: str | None
    """Unit of the gain; None if it is not stated, which means mV."""
    initial: int
    """Value before the first sample, for formats that store differences."""
    checksum: int | None
    """Sum of its samples, modulo 65536; None if it is not stated. Writers that do not compute it state 0."""
    name: str


@dataclass(frozen=True, slots=True)
class WfdbHeader:
    """A record line and its signal lines."""

    rate: float | None
    """Frames per second; None if the header does not state a number."""
    frames: int | None
    """Number of frames; None if the header does not state it."""
    signals: tuple[WfdbSignal, ...]


def read_wfdb_header(data: ByteSource) -> WfdbHeader:
    """Read a header.

    Raises:
        UnreadableError: The bytes are not a WFDB header of one segment.
    """
    record, *lines = _split_lines(data)
    found = re.fullmatch(_RECORD, record)
    if found is None:
        why = f"its first line must be name, signals, rate and samples, found {record[:60]!r}"
        raise UnreadableError(data.source, f"is not a valid WFDB header: {why}")
    if found["segments"]:
        raise UnreadableError(data.source, "is a record of several segments; pass the header of one segment")
    n_signals = int(found["signals"])
    if not 0 < n_signals <= _MOST_SIGNALS or len(lines) < n_signals:
        raise UnreadableError(data.source, f"states {n_signals} signals, but it describes {len(lines)}")
    rate = float(found["rate"]) if re.fullmatch(_NUMBER, found["rate"] or "") else None
    signals = tuple(_parse_signal(line, data.source) for line in lines[:n_signals])
    return WfdbHeader(rate, int(found["frames"] or 0) or None, signals)


def _split_lines(data: ByteSource) -> list[str]:
    """Return the lines that are neither blank nor comments; there is at least one."""
    if data.size > _LONGEST_HEADER:
        raise UnreadableError(data.source, f"has {data.size} bytes, too many for a header (at most {_LONGEST_HEADER})")
    content = data.read((0, data.size))[0].removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line and not line.startswith("#")]
    if any(len(line) > _LONGEST_LINE for line in lines):
        raise UnreadableError(data.source, f"has a line of more than {_LONGEST_LINE} characters")
    # Other programs may take such a character for the end of a line.
    if any(not c.isprintable() and c != "\t" for line in lines for c in line):
        raise UnreadableError(data.source, "is not a valid WFDB header: it has control characters")
    if not lines:
        raise UnreadableError(data.source, "is not a valid WFDB header: it has no record line")
    return lines


def _parse_signal(line: str, source: str) -> WfdbSignal:
    found = re.fullmatch(_SIGNAL, line)
    if found is None:
        raise UnreadableError(source, f"is not a valid WFDB header: a signal line cannot be read: {line[:100]!r}")
    gain = float(found["gain"] or 0)
    return WfdbSignal(
        file=found["file"],
        format=found["format"],
        per_frame=int(found["per_frame"] or 1) or 1,
        skew=int(found["skew"] or 0),
        offset=int(found["offset"] or 0),
        gain=gain or None,
        baseline=int(found["baseline"] or found["zero"] or 0),
        units=found["units"],
        initial=int(found["initial"] or 0),
        checksum=int(found["checksum"] or 0) or None,
        name=found["name"] or "",
    )
