"""Check that the data records of an EDF+D or BDF+D file follow each other without gaps, by their time stamps."""

import re
from collections.abc import Iterator

from ecg_edge.errors import UnreadableError
from ecg_edge.readers.byte_source import ByteSource
from ecg_edge.readers.formats.edf_header import EdfHeader

_ANNOTATIONS = {"EDF Annotations", "BDF Annotations"}
# A data record begins its annotations with its own time: "+12.5", then two bytes.
_STAMP = rb"([+-]\d{1,12}(?:\.\d{0,12})?)\x14"
_LONGEST_STAMP = 32
_AT_A_TIME = 4096
# A clock that differs by less from that of the converter leaves no gap.
_DRIFT = 1e-3


def check_times(header: EdfHeader, data: ByteSource, n_records: int, lead_length: int) -> None:
    """Refuse a file with a gap, an overlap, or a data record without its time.

    Args:
        header: Of the file.
        data: The file.
        n_records: Number of data records.
        lead_length: Samples of a lead in a data record.

    Raises:
        UnreadableError: There is one.
    """
    name = f"is {'an' if header.kind.name == 'EDF' else 'a'} {header.kind.name}+D file"
    if header.duration is None:
        raise UnreadableError(data.source, f"{name} that does not state how long a data record is")
    begin = 0.0
    tolerance = header.duration / max(lead_length, 1) / 2
    previous = None
    for number, stamp in enumerate(_read_stamps(header, data, n_records)):
        if stamp is None:
            raise UnreadableError(data.source, f"{name}, and its data record {number + 1} does not state its time")
        begin = stamp if previous is None else begin
        expected = begin + number * header.duration
        step = header.duration if previous is None else stamp - previous
        drift = max(tolerance, _DRIFT * number * header.duration)
        late = max(tolerance, _DRIFT * header.duration)
        if not (abs(step - header.duration) <= late and abs(stamp - expected) <= drift):
            kind = "a gap" if step > header.duration else "an overlap"
            found = f"{abs(step - header.duration):g} s at {number * header.duration:g} s"
            raise UnreadableError(
                data.source, f"{name} with {kind} of {found}; export its parts as {header.kind.name}+C"
            )
        previous = stamp


def _read_stamps(header: EdfHeader, data: ByteSource, n_records: int) -> Iterator[float | None]:
    """Yield the time of each data record in seconds; None if it does not state it."""
    row = next((row for row, label in enumerate(header.columns["label"]) if label in _ANNOTATIONS), None)
    if row is None:
        yield None
        return
    at = header.offset + header.width * sum(header.lengths[:row])
    length = min(_LONGEST_STAMP, header.width * header.lengths[row])
    for first in range(0, n_records, _AT_A_TIME):
        records = range(first, min(first + _AT_A_TIME, n_records))
        for content in data.read(*((at + record * header.bytes_of_record, length) for record in records)):
            found = re.match(_STAMP, content)
            yield float(found[1]) if found else None
