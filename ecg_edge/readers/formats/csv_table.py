"""Read .csv and .tsv tables: one column per lead, one row per sample. Header or caller state units and rate."""

import io
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, UnreadableError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.channels import find_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats.csv_header import LONGEST_LINE, Header, meaningful, read_header
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import Recording
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".csv", ".tsv")
SUFFIX_PROVES_NOTHING = True
# A number takes at least two bytes in the file and four in memory, so this limits both.
_MOST_BYTES = 256 * 2**20
_HEAD = 8192
_ROWS_AT_A_TIME = 4096


def recognises(head: bytes, name: str) -> bool:
    """Return whether a file is a table of leads, by its suffix and its first lines."""
    return name.lower().endswith(SUFFIXES) and read_header(head) is not None


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read a recording from the bytes of a table.

    Raises:
        UnreadableError: The bytes are not a table of leads, or a row does not hold numbers.
        InvalidRecordingError: Leads, units or sampling rate are missing.
    """
    header = _read_csv_header(content[:_HEAD], source)
    return _read_recording(io.TextIOWrapper(io.BytesIO(content), header.encoding), header, name, source, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    found = FileSource(path)
    if found.size > _MOST_BYTES:
        raise UnreadableError(path, f"is larger than {_MOST_BYTES} bytes; save it as .npy or EDF")
    header = _read_csv_header(found.read((0, min(_HEAD, found.size)))[0], str(path))
    with found.open() as raw:
        text = io.TextIOWrapper(io.BufferedReader(raw), header.encoding)
        return _read_recording(text, header, path.stem, str(path), declared)


def _read_csv_header(head: bytes, source: str) -> Header:
    header = read_header(head)
    if header is None:
        raise UnreadableError(source, "is not a table of leads; expected a header with lead names, or twelve columns")
    return header


def _read_recording(file: TextIO, header: Header, name: str, source: str, declared: Declared) -> Recording:
    names = header.names
    if names is None and header.n_columns != len(declared.leads or LEADS):
        msg = f"{source}: has {header.n_columns} columns and no header; name them with --leads (in Python leads=...)"
        raise InvalidRecordingError(msg)
    channels = find_channels(source, declared.leads_of(source, names), header.units, declared)
    columns = [header.columns[row] for row in channels.rows]
    if header.second is None:
        declared.rate_of(source, None)  # fail before the rows are read
    times, leads = _parse_numbers(file, header, columns, source)
    rate = declared.rate_of(source, None if times is None else _compute_rate(times, header.second or 1.0, source))
    leads *= channels.millivolts.astype(np.float32)
    return Recording(leads, rate, channels.leads, "mV", name, source)


def _parse_numbers(
    file: TextIO, header: Header, columns: list[int], source: str
) -> tuple[NDArray[np.float64] | None, NDArray[np.float32]]:
    """Return the time column, if it has a unit, shape (rows,), and the lead columns, shape (leads, rows)."""
    timed = header.time is not None and header.second is not None
    wanted = [header.time, *columns] if header.time is not None and timed else columns
    lines, delimiter = _skip_header(file, header, source)
    times, parts, done = [], [], header.n_lines
    while block := list(islice(lines, _ROWS_AT_A_TIME)):
        try:
            values = np.loadtxt(block, delimiter=delimiter, usecols=wanted, ndmin=2, comments=None)
        except (ValueError, IndexError) as error:
            at = done + 1 + _find_first_bad(block, delimiter, wanted)
            raise UnreadableError(source, f"line {at} is not a row of numbers") from error
        times.append(values[:, 0])
        with np.errstate(over="ignore"):
            parts.append(values[:, int(timed) :].T.astype(np.float32))
        done += len(block)
    if not parts:
        raise UnreadableError(source, "has no rows")
    return np.concatenate(times) if timed else None, np.concatenate(parts, axis=1)


def _skip_header(file: TextIO, header: Header, source: str) -> tuple[Iterator[str], str]:
    """Return the rows as text with decimal points and without quotes, and the delimiter between their cells."""
    lines: Iterator[str] = islice(meaningful(_read_lines(file, source)), header.n_lines, None)
    delimiter = header.delimiter
    if header.quoted:
        # Inside quotes a comma may be a decimal comma even if commas also separate cells.
        lines, delimiter = _remove_quotes(lines, delimiter, source), ";"
    if delimiter != ",":
        lines = (line.replace(",", ".") for line in lines)
    return lines, delimiter


def _remove_quotes(lines: Iterator[str], delimiter: str, source: str) -> Iterator[str]:
    import csv

    try:
        for row in csv.reader(lines, delimiter=delimiter):
            yield ";".join(row)
    except csv.Error as error:
        raise UnreadableError(source, f"has a quote that is not closed ({error})") from error


def _read_lines(file: TextIO, source: str) -> Iterator[str]:
    try:
        while line := file.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise UnreadableError(source, f"has a line of more than {LONGEST_LINE} characters")
            yield line
    except UnicodeError as error:
        raise UnreadableError(source, "is not text in a single encoding; save it as UTF-8") from error


def _find_first_bad(block: list[str], delimiter: str, wanted: list[int]) -> int:
    """Return the index of the first line that is not a row of numbers."""
    for i, line in enumerate(block):
        try:
            np.loadtxt([line], delimiter=delimiter, usecols=wanted, comments=None)
        except (ValueError, IndexError):
            return i
    return 0


def _compute_rate(times: NDArray[np.float64], second: float, source: str) -> float:
    """Return the sampling rate in Hz from a regular time column.

    Raises:
        InvalidRecordingError: The steps differ: samples are missing or doubled.
    """
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    if not step > 0 or not (np.abs(steps / step - 1) < 0.6).all():
        msg = f"{source}: its time column is not regular; correct it, or remove it and pass --sampling-rate"
        raise InvalidRecordingError(msg)
    length = float(times[-1] - times[0])
    rate = len(steps) / (length * second)
    # Times are rounded to their last digit: prefer a whole number of Hz if it fits equally well.
    line = times[0] + np.arange(len(times)) * (length / len(steps))
    rounding = 2 * float(np.abs(times - line).max()) / length + 1e-6
    return round(rate) if abs(rate - round(rate)) <= rate * rounding else rate
