"""The lines of a table as text that numpy can parse."""

from collections.abc import Iterator
from typing import TextIO

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.formats.csv_header import Header
from ecg_edge.readers.formats.csv_titles import MISSING


def read_lines(file: TextIO, source: str, longest: int) -> Iterator[str]:
    """Yield the lines of a file.

    Raises:
        UnreadableError: A line has `longest` characters or more, or is not text in the encoding of the file.
    """
    try:
        while line := file.readline(longest):
            if len(line) == longest:
                raise UnreadableError(source, f"has a line of more than {longest} characters")
            yield line
    except UnicodeError as error:
        raise UnreadableError(source, "is not text in a single encoding; save it as UTF-8") from error


def normalize(lines: Iterator[str], header: Header, source: str) -> tuple[Iterator[str], str]:
    """Return lines with decimal points and without quotes, and the delimiter between their cells."""
    delimiter = header.delimiter
    if delimiter == " ":
        lines, delimiter = ("\t".join(line.split()) for line in lines), "\t"
    elif header.quoted:
        # Inside quotes a comma may be a decimal comma even if commas also separate cells.
        lines, delimiter = _remove_quotes(lines, delimiter, source), ";"
    if delimiter != ",":
        lines = (line.replace(",", ".") for line in lines)
    return lines, delimiter


def fill_missing(line: str, delimiter: str) -> str:
    """Return a line with "nan" in the cells that stand for a missing sample."""
    cells = (cell.strip() for cell in line.split(delimiter))
    return delimiter.join("nan" if cell.casefold() in MISSING else cell for cell in cells)


def _remove_quotes(lines: Iterator[str], delimiter: str, source: str) -> Iterator[str]:
    import csv

    try:
        for row in csv.reader(lines, delimiter=delimiter):
            yield ";".join(row)
    except csv.Error as error:
        raise UnreadableError(source, f"has a quote that is not closed ({error})") from error
