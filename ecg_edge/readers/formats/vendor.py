"""Read the files of electrocardiographs: MUSE, Philips, HL7 aECG, Mortara and CardioSoft XML, SCP-ECG and MFER."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ecg_edge.errors import EcgEdgeError, UnreadableError
from ecg_edge.findings import Note
from ecg_edge.readers import xml_dialects
from ecg_edge.readers.byte_source import FileSource
from ecg_edge.readers.content import describe_content
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats import vendor_limits, vendor_xml
from ecg_edge.readers.formats.cardiosoft import read_strip
from ecg_edge.readers.formats.vendor_descriptions import DESCRIPTIONS
from ecg_edge.readers.formats.vendor_library import read_with_library
from ecg_edge.readers.formats.vendor_limits import MFER, SCP
from ecg_edge.readers.formats.vendor_signal import VendorLead, make_recording
from ecg_edge.readers.registry import HEAD, Beside
from ecg_edge.readers.xml_dialects import CARDIOSOFT, PHILIPS
from ecg_edge.recording import Recording
from ecg_edge.recording.record_file import RecordFile

__all__ = ["DESCRIPTIONS", "SUFFIXES", "SUFFIX_PROVES_NOTHING", "parse", "recognises", "records"]
SUFFIXES = (".xml", ".scp", ".mwf", ".mfer")
SUFFIX_PROVES_NOTHING = True
_MOST_BYTES = 16 * 2**20
_KINDS = {".xml": "XML", ".scp": SCP}
_MFER_PREAMBLE = 0x40
_MFER_BEGINS = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x0A, 0x0B, 0x0C, 0x17, 0x3F, _MFER_PREAMBLE}


def recognises(head: bytes, name: str) -> bool:
    """Return whether a file has one of the formats."""
    return _find_kind(head, name) is not None


def records(path: Path, declared: Declared) -> Iterator[RecordFile]:
    """Yield the recording of a file."""
    yield RecordFile(path.stem, str(path), partial(_read_file, path, declared))


def parse(
    content: bytes, name: str, source: str, declared: Declared = NOTHING, _beside: Beside | None = None
) -> Recording:
    """Read the rhythm of a file from its bytes.

    Raises:
        UnreadableError: The bytes have none of the formats, or are damaged.
        InvalidRecordingError: Leads, units or rate are missing, or the leads were not recorded at the same time.
        MissingExtraError: The format needs a library that is not installed.
    """
    kind = _find_kind(content[:HEAD], source)
    if kind is None:
        raise UnreadableError(source, _explain(content[:HEAD], source))
    try:
        leads, notes = _read_leads(content, kind, source)
        return make_recording(leads, notes, name, source, declared)
    except (EcgEdgeError, MemoryError):
        raise
    except Exception as error:  # a fault of the library, or a file that nobody thought of
        raise UnreadableError(source, f"is not valid {kind} ({type(error).__name__}: {error})") from error


def _read_file(path: Path, declared: Declared) -> Recording:
    file = FileSource(path)
    if file.size > _MOST_BYTES:
        raise UnreadableError(path, f"is larger than {_MOST_BYTES} bytes")
    return parse(file.read((0, file.size))[0], path.stem, str(path), declared)


def _find_kind(head: bytes, name: str) -> str | None:
    """Return the name of the format of a file; None if it has another one."""
    if (dialect := xml_dialects.find_dialect(head)) is not None:
        return dialect
    # The first pointer of an SCP-ECG describes the section that holds it, which begins at byte 7.
    if head[8:10] == b"\0\0" and head[22:24] == b"\0\0" and head[28:32] == b"\7\0\0\0":
        return SCP
    is_mfer = name.lower().endswith((".mwf", ".mfer")) and head[:1] and head[0] in _MFER_BEGINS
    return MFER if is_mfer or (head[:1] == bytes([_MFER_PREAMBLE]) and head[2:6] == b"MFR ") else None


def _explain(head: bytes, source: str) -> str:
    found = describe_content(head)
    if xml_dialects.find_root(head) or found == "XML":
        return xml_dialects.explain_dialect(head)
    kind = next((kind for suffix, kind in _KINDS.items() if source.lower().endswith(suffix)), MFER)
    return f"is not a valid {kind} file, but {found}"


def _read_leads(content: bytes, kind: str, source: str) -> tuple[Sequence[VendorLead], tuple[Note, ...]]:
    if kind in {SCP, MFER}:
        vendor_limits.check_size(len(content), kind, source)
        check = vendor_limits.check_scp if kind == SCP else vendor_limits.check_mfer
        check(content, source)
        return read_with_library(content, kind, source)
    content = vendor_xml.clean(content, source)
    tree = vendor_xml.parse_tree(content, kind, source)
    if kind == CARDIOSOFT:
        return read_strip(tree, source), ()
    if kind == PHILIPS:
        vendor_limits.check_xli(tree, source)
    leads, notes = read_with_library(content, kind, source, tree)
    return (_cut_calibration(leads) if kind == PHILIPS else leads), notes


def _cut_calibration(leads: Sequence[VendorLead]) -> list[VendorLead]:
    """Leave out the end of a Philips recording where a pulse of 1 mV stands in all leads instead of the heart."""
    samples = np.stack([lead.samples for lead in leads]) if len({len(lead.samples) for lead in leads}) == 1 else None
    if samples is None:
        return list(leads)
    differ = np.flatnonzero((samples != samples[0]).any(axis=0))
    end = differ[-1] + 1 if len(differ) else 0
    has_pulse = samples[:, end:].any()
    return [replace(lead, samples=lead.samples[:end]) for lead in leads] if has_pulse and end else list(leads)
