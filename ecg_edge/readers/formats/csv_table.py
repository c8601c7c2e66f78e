"""Read .csv and .tsv tables: one column per lead, one row per sample. Header or caller state units and rate."""

import io
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError, UndeclaredError, UnreadableError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.channels import find_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats.csv_header import LONGEST_LINE, Header, meaningful, read_header
from ecg_edge.readers.registry import Beside
from ecg_edge.readers.text import find_wide_encoding
from ecg_edge.recording import Recording
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".csv", ".tsv")
SUFFIX_PROVES_NOTHING = True
# A number takes at least two bytes in the file and four in memory, so this limits both.
_MOST_BYTES = 128 * 2**20
_HEAD = 8192
_ROWS_AT_A_TIME = 4096
_MISSING = {"", "-", "n/a", "na", "none", "null"}
"""Cells that stand for a missing sample."""


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
    _check_size(len(content), source)
    header = _read_csv_header(content[:_HEAD], source)
    text = io.TextIOWrapper(io.BytesIO(content), header.encoding)
    return _read_recording(text, header, content.count(b"\n") + 1, name, source, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    found = FileSource(path)
    _check_size(found.size, str(path))
    header = _read_csv_header(found.read((0, min(_HEAD, found.size)))[0], str(path))
    with found.open() as raw:
        n_lines = 1
        while piece := raw.read(2**20):
            n_lines += piece.count(b"\n")
        raw.seek(0)
        text = io.TextIOWrapper(io.BufferedReader(raw), header.encoding)
        return _read_recording(text, header, n_lines, path.stem, str(path), declared)


def _check_size(size: int, source: str) -> None:
    if size > _MOST_BYTES:
        raise UnreadableError(source, f"is larger than {_MOST_BYTES} bytes; save it as .npy or EDF")


def _read_csv_header(head: bytes, source: str) -> Header:
    header = read_header(head)
    if header is None:
        wide = find_wide_encoding(head)
        if wide is not None:
            raise UnreadableError(source, f"is {wide}; save it in UTF-8")
        raise UnreadableError(source, "is not a table of leads; expected a header with lead names, or twelve columns")
    return header


def _read_recording(  # noqa: PLR0913, PLR0917 - what a table is read with
    file: TextIO, header: Header, n_lines: int, name: str, source: str, declared: Declared
) -> Recording:
    names = header.names
    if names is None and header.n_columns != len(declared.leads or LEADS):
        msg = f"{source}: has {header.n_columns} columns and no header; name them with --leads (in Python leads=...)"
        raise InvalidRecordingError(msg)
    if header.second is None and not (declared.sampling_rate or declared.units or any(header.units)):
        raise UndeclaredError(source, "sampling rate", "sampling-rate", ("units", "units"))
    channels = find_channels(source, declared.leads_of(source, names), header.units, declared)
    columns = [header.columns[row] for row in channels.rows]
    if header.second is None:
        declared.rate_of(source, None)  # fail before the rows are read
    times, leads = _parse_numbers(file, header, n_lines, columns, source)
    rate = declared.rate_of(source, None if times is None else _compute_rate(times, header.second or 1.0, source))
    leads *= channels.millivolts.astype(np.float32)
    return Recording(leads, rate, channels.leads, "mV", name, source)


def _parse_numbers(
    file: TextIO, header: Header, n_lines: int, columns: list[int], source: str
) -> tuple[NDArray[np.float64] | None, NDArray[np.float32]]:
    """Return the time column, if it has a unit, shape (rows,), and the lead columns, shape (leads, rows).

    Args:
        file: The whole table.
        header: Its layout.
        n_lines: Number of lines, at least that of the rows.
        columns: Index of each lead.
        source: Name of the file in error messages.
    """
    timed = header.time is not None and header.second is not None
    wanted = [header.time, *columns] if header.time is not None and timed else columns
    lines, delimiter = _skip_header(file, header, source)
    times, leads = np.empty(n_lines * timed), np.empty((len(columns), n_lines), np.float32)
    done = 0
    while block := list(islice(lines, _ROWS_AT_A_TIME)):
        values = _parse_block(block, delimiter, wanted, source, header.n_lines + done)
        with np.errstate(over="ignore"):
            leads[:, done : done + len(block)] = values[:, int(timed) :].T
        if timed:
            times[done : done + len(block)] = values[:, 0]
        done += len(block)
    if not done:
        raise UnreadableError(source, "has no rows")
    return times[:done] if timed else None, leads[:, :done]


def _parse_block(
    block: list[str], delimiter: str, wanted: list[int], source: str, n_before: int
) -> NDArray[np.float64]:
    """Return the wanted cells of some rows, shape (rows, cells); NaN for cells that are empty."""
    with suppress(ValueError, IndexError):
        return np.loadtxt(block, delimiter=delimiter, usecols=wanted, ndmin=2, comments=None)
    block = [_fill_missing(line, delimiter) for line in block]
    try:
        return np.loadtxt(block, delimiter=delimiter, usecols=wanted, ndmin=2, comments=None)
    except (ValueError, IndexError) as error:
        at = n_before + 1 + _find_first_bad(block, delimiter, wanted)
        raise UnreadableError(source, f"line {at} is not a row of numbers") from error


def _fill_missing(line: str, delimiter: str) -> str:
    cells = (cell.strip() for cell in line.split(delimiter))
    return delimiter.join("nan" if cell.casefold() in _MISSING else cell for cell in cells)


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
