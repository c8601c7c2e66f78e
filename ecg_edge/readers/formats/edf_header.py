"""Read the header of EDF and BDF files: fixed cells of text."""

from dataclasses import dataclass
from typing import NamedTuple

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.byte_source import ByteSource

_MOST_SIGNALS = 512
# Columns of the second part of the header, and their widths in bytes.
_COLUMNS = {
    "label": 16,
    "transducer": 80,
    "units": 8,
    "physical_min": 8,
    "physical_max": 8,
    "digital_min": 8,
    "digital_max": 8,
    "prefiltering": 80,
    "samples": 8,
}


class Kind(NamedTuple):
    """One of the two formats that share this header."""

    name: str
    width: int
    """Bytes of a sample."""


_EDF, _BDF = Kind("EDF", 2), Kind("BDF", 3)


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What a header states."""

    kind: Kind
    may_have_gaps: bool
    """Whether the file is of the discontinuous kind, EDF+D or BDF+D."""
    duration: float | None
    """Seconds of a data record; None if it is not a positive number."""
    promised: int
    """Number of data records; -1 if the recorder did not state it."""
    columns: dict[str, list[str]]
    """Cells of each signal."""
    lengths: tuple[int, ...]
    """Samples of each signal in a data record."""

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return self.kind.width

    @property
    def offset(self) -> int:
        """Position of the first data record, in bytes."""
        return 256 * (1 + len(self.lengths))

    @property
    def bytes_of_record(self) -> int:
        """Bytes of a data record."""
        return self.width * sum(self.lengths)

    def count_records(self, data: ByteSource) -> int:
        """Return the number of data records.

        Raises:
            UnreadableError: The header states more of them than the file has, or no sensible number.
        """
        there = (data.size - self.offset) // self.bytes_of_record
        if self.promised < -1:
            raise UnreadableError(
                data.source, f"is not a valid {self.kind.name} file: it has {self.promised} data records"
            )
        if self.promised > there:
            why = f"is cut off: its header states {self.promised} data records, found {there}"
            raise UnreadableError(data.source, why)
        return there if self.promised < 0 else self.promised


def find_kind(head: bytes) -> Kind | None:
    """Return the format that the first bytes of a file state; None if it is another one."""
    if head[:8] == b"\xffBIOSEMI":
        return _BDF
    return _EDF if head[:8].strip(b"\0 ") == b"0" else None


def read_edf_header(data: ByteSource) -> EdfHeader:
    """Read the header of a file.

    Raises:
        UnreadableError: It has no sensible number of signals, or a negative number of samples.
        ValueError: A number cannot be read.
    """
    (first,) = data.read((0, 256))
    kind = find_kind(first)
    if kind is None:
        raise UnreadableError(data.source, "is not a valid EDF or BDF file: it begins with something else")
    n_signals = int(_clean(first[252:256]))
    if not 0 < n_signals <= _MOST_SIGNALS:
        raise UnreadableError(data.source, f"is not a valid {kind.name} file: it has {n_signals} signals")
    columns = _read_columns(data, n_signals)
    lengths = tuple(int(cell) for cell in columns["samples"])
    if min(lengths) < 0:
        why = f"is not a valid {kind.name} file: a signal has a negative number of samples"
        raise UnreadableError(data.source, why)
    gaps = first[192:197] in {b"EDF+D", b"BDF+D"}
    return EdfHeader(kind, gaps, _parse_duration(first[244:252]), int(_clean(first[236:244])), columns, lengths)


def _parse_duration(cell: bytes) -> float | None:
    try:
        seconds = float(_clean(cell))
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _clean(cell: bytes) -> str:
    """Return a cell without its padding, with a decimal point."""
    return cell.decode("latin-1").strip("\0 ").replace(",", ".")


def _read_columns(data: ByteSource, n_signals: int) -> dict[str, list[str]]:
    (content,) = data.read((256, 256 * n_signals))
    columns, at = {}, 0
    for name, width in _COLUMNS.items():
        cells = [content[at + i * width : at + (i + 1) * width] for i in range(n_signals)]
        columns[name] = [cell.decode("latin-1").strip("\0 ") for cell in cells]
        at += width * n_signals
    return columns
