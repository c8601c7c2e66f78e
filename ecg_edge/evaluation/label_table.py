"""Read the table of labels: a CSV with a header."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecg_edge.errors import LabelsError
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.text import decode_text

_MOST_BYTES = 2**27
_DELIMITERS = ",;\t"
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table of labels as text."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The cells of each row, without blanks around them; rows of empty cells are left out."""
    lines: tuple[int, ...]
    """The line of the file where each row ends."""

    def get_column(self, name: str) -> list[str]:
        """Return the cells of a column.

        Raises:
            LabelsError: There is no such column, or there are several.
        """
        if self.columns.count(name) != 1:
            found = "several columns" if name in self.columns else "no column"
            raise LabelsError(self.path, f"has {found} {name!r}; the columns are {shorten_list(self.columns)}")
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def find_column(self, names: Sequence[str]) -> list[str]:
        """Return the columns with some names, in the order of the names; capitals do not matter."""
        return [column for name in names for column in self.columns if column.casefold() == name.casefold()]


def read_table(path: Path) -> LabelTable:
    """Read a table with a header. Cells are separated by commas, semicolons or tabs.

    Args:
        path: A text file in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        UnreadableError: The file cannot be read.
        LabelsError: It is not such a table, or has no rows.
    """
    file = FileSource(path)
    if file.size > _MOST_BYTES:
        raise LabelsError(path, f"has {file.size} bytes, expected at most {_MOST_BYTES}")
    text = _decode(path, file.read((0, file.size))[0])
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda mark: sum(len(cells) for _, cells in _read_rows(path, header, mark)))
    rows = [(line, cells) for line, cells in _read_rows(path, text, delimiter) if any(cells)]
    if len(rows) < 2:
        raise LabelsError(path, "has no rows; expected a header and a row for each record")
    (_, columns), *rows = rows
    for line, cells in rows:
        if len(cells) != len(columns):
            raise LabelsError(path, f"line {line} has {len(cells)} cells, the header has {len(columns)}")
    lines, cells_of_rows = zip(*rows, strict=True)
    return LabelTable(path, columns, cells_of_rows, lines)


def _decode(path: Path, content: bytes) -> str:
    try:
        return decode_text(content)
    except ValueError as error:
        raise LabelsError(path, str(error)) from error


def _read_rows(path: Path, text: str, delimiter: str) -> list[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, tuple(cell.strip() for cell in row)) for row in reader]
    except csv.Error as error:
        raise LabelsError(path, f"is not a table: line {reader.line_num}: {error}") from error


def shorten_list(names: Sequence[str]) -> str:
    """Return the first names, and dots if there are more."""
    return ", ".join([*names[:_MOST_SHOWN], *["..."] * (len(names) > _MOST_SHOWN)])
