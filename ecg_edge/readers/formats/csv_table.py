"""Read tables (.csv, .tsv, .txt) with a lead in each column or row. The file or the caller states units and rate."""

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ecg_edge.advice import name_option
from ecg_edge.errors import InvalidRecordingError, UndeclaredError, UnreadableError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.channels import find_channels
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.description import FormatDescription
from ecg_edge.readers.formats.csv_header import LONGEST_LINE, Header, meaningful, read_header
from ecg_edge.readers.formats.csv_lines import fill_missing, normalize, read_lines
from ecg_edge.readers.formats.csv_rate import compute_rate, unwrap_days
from ecg_edge.readers.formats.csv_rows import LONGEST_ROW, RowTable, read_rows
from ecg_edge.readers.formats.csv_titles import parse_clock
from ecg_edge.readers.registry import Beside
from ecg_edge.readers.text import find_wide_encoding
from ecg_edge.recording import Recording
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile

SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIX_PROVES_NOTHING = True
DESCRIPTIONS = (
    FormatDescription(
        name="Table",
        files="`.csv`, `.tsv`, `.txt`",
        stated=(
            "lead names in a header (or twelve columns or rows in the usual order); "
            "units, as in `I (mV)` or a row of units; the rate, by times such as `time_s`, `t [ms]` or 10:00:00.002"
        ),
        checked="that each row holds numbers, and that the steps of the times are equal",
        refused=(
            "a header below more than 30 other lines, rows of words, lines over 16 kB (leads in rows: 16 MB), "
            "files over 128 MB"
        ),
    ),
)
# A number takes at least two bytes in the file and four in memory, so this limits both.
_MOST_BYTES = 128 * 2**20
_HEAD = 8192
_ROWS_AT_A_TIME = 4096


def recognises(head: bytes, name: str) -> bool:
    """Return whether a file is a table of leads, by its suffix and its first lines."""
    header = read_header(head) if name.lower().endswith(SUFFIXES) else ""
    if isinstance(header, str):
        return False
    # A text may hold numbers of anything.
    return bool(header.names or header.is_named or _is_complete(header) or not name.lower().endswith(".txt"))


def explain(head: bytes) -> str:
    """Return why a file that looks like leads is not read."""
    wide = find_wide_encoding(head)
    if wide is not None:
        return f"is {wide}; save it in UTF-8"
    found = read_header(head)
    why = found if isinstance(found, str) else "it has numbers without the names of leads, and not twelve columns"
    return f"is not a table of leads: {why}"


def _is_complete(header: Header) -> bool:
    return not header.by_row and len(header.columns) == len(LEADS)


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
    return _read_recording(text, header, _count_ends(content) + 1, name, source, declared)


def _read_file(path: Path, declared: Declared) -> Recording:
    found = FileSource(path)
    _check_size(found.size, str(path))
    header = _read_csv_header(found.read((0, min(_HEAD, found.size)))[0], str(path))
    with found.open() as raw:
        n_lines = 1
        while piece := raw.read(2**20):
            n_lines += _count_ends(piece)
        raw.seek(0)
        text = io.TextIOWrapper(io.BufferedReader(raw), header.encoding)
        return _read_recording(text, header, n_lines, path.stem, str(path), declared)


def _count_ends(content: bytes) -> int:
    """Return the number of ends of lines, of any of the three kinds."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")


def _check_size(size: int, source: str) -> None:
    if size > _MOST_BYTES:
        raise UnreadableError(source, f"is larger than {_MOST_BYTES} bytes; save it as .npy or EDF")


def _read_csv_header(head: bytes, source: str) -> Header:
    header = read_header(head)
    if isinstance(header, str):
        raise UnreadableError(source, explain(head))
    return header


def _read_recording(  # noqa: PLR0913, PLR0917 - what a table is read with
    file: TextIO, header: Header, n_lines: int, name: str, source: str, declared: Declared
) -> Recording:
    if header.by_row:
        table = read_rows(read_lines(file, source, LONGEST_ROW), header, source)
        return _read_leads_in_rows(table, name, source, declared)
    names, columns, units = header.names, header.columns, header.units
    if names is None and declared.leads and header.n_columns == len(declared.leads):
        columns, units = tuple(range(header.n_columns)), (None,) * header.n_columns
    if names is None and len(columns) != len(declared.leads or LEADS):
        msg = f"{source}: has {len(columns)} columns and no header; name them with {name_option('leads')}"
        raise InvalidRecordingError(msg)
    if header.second is None:
        _require_rate(source, declared, units)  # fail before the rows are read
    channels = find_channels(source, declared.leads_of(source, names), units, declared)
    times, leads = _parse_numbers(file, header, n_lines, [columns[row] for row in channels.rows], source)
    leads *= channels.millivolts.astype(np.float32)
    rate = None
    if times is not None and not (header.clock and _is_too_coarse(times)):
        rate = compute_rate(unwrap_days(times) if header.clock else times, header.second or 1.0, source)
    return Recording(leads, declared.rate_of(source, rate), channels.leads, "mV", name, source)


def _read_leads_in_rows(table: RowTable, name: str, source: str, declared: Declared) -> Recording:
    if table.names is None and len(table.values) != len(declared.leads or LEADS):
        msg = f"{source}: has {len(table.values)} rows and no names; name them with {name_option('leads')}"
        raise InvalidRecordingError(msg)
    if table.times is None:
        _require_rate(source, declared, table.units)
    channels = find_channels(source, declared.leads_of(source, table.names), table.units, declared)
    leads = np.stack([table.values[row] for row in channels.rows]) * channels.millivolts.astype(np.float32)
    rate = None if table.times is None else compute_rate(table.times, table.second, source)
    return Recording(leads, declared.rate_of(source, rate), channels.leads, "mV", name, source)


def _require_rate(source: str, declared: Declared, units: Sequence[str | None]) -> None:
    """Ask for the rate that the file does not state, and for the units too if they are missing as well."""
    if not (declared.sampling_rate or declared.units or any(units)):
        raise UndeclaredError(source, "sampling rate", "sampling-rate", ("units", "units"))
    declared.rate_of(source, None)


def _is_too_coarse(times: NDArray[np.float64]) -> bool:
    """Return whether clock times of whole seconds do not tell the rate."""
    return len(times) > 1 and float(np.median(np.diff(times))) == 0


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
    if not timed:
        return None, leads[:, :done]
    # A spreadsheet may write lines of nothing but delimiters below the last row.
    done -= _count_empty_end(times[:done], leads[:, :done])
    return times[:done], leads[:, :done]


def _count_empty_end(times: NDArray[np.float64], leads: NDArray[np.float32]) -> int:
    """Return the number of rows at the end that hold neither a time nor a sample."""
    filled = np.flatnonzero(~np.isnan(times) | ~np.isnan(leads).all(axis=0))
    return len(times) - (int(filled[-1]) + 1 if len(filled) else 0)


def _parse_block(
    block: list[str], delimiter: str, wanted: list[int], source: str, n_before: int
) -> NDArray[np.float64]:
    """Return the wanted cells of some rows, shape (rows, cells); NaN for cells that are empty."""
    with suppress(ValueError, IndexError):
        return np.loadtxt(block, delimiter=delimiter, usecols=wanted, ndmin=2, comments=None)
    block = [fill_missing(line, delimiter) for line in block]
    try:
        return np.loadtxt(block, delimiter=delimiter, usecols=wanted, ndmin=2, comments=None)
    except (ValueError, IndexError) as error:
        at = n_before + 1 + _find_first_bad(block, delimiter, wanted)
        raise UnreadableError(source, f"line {at} is not a row of numbers") from error


def _skip_header(file: TextIO, header: Header, source: str) -> tuple[Iterator[str], str]:
    """Return the rows as text with decimal points and without quotes, and the delimiter between their cells."""
    lines: Iterator[str] = islice(meaningful(read_lines(file, source, LONGEST_LINE)), header.n_lines, None)
    lines, delimiter = normalize(lines, header, source)
    if header.clock and header.time is not None:
        lines = (_replace_clock(line, delimiter, header.time) for line in lines)
    return lines, delimiter


def _replace_clock(line: str, delimiter: str, place: int) -> str:
    """Return a row with seconds in place of its clock time."""
    cells = line.split(delimiter)
    seconds = parse_clock(cells[place].strip(" '\"")) if place < len(cells) else None
    if seconds is not None:
        cells[place] = repr(seconds)
    return delimiter.join(cells)


def _find_first_bad(block: list[str], delimiter: str, wanted: list[int]) -> int:
    """Return the index of the first line that is not a row of numbers."""
    for i, line in enumerate(block):
        try:
            np.loadtxt([line], delimiter=delimiter, usecols=wanted, comments=None)
        except (ValueError, IndexError):
            return i
    return 0
