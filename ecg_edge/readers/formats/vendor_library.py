"""Call the library ecgdatakit on one file and take the rhythm from it; correct or refuse what it reads wrongly."""

import os
import re
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from ecg_edge.errors import UnreadableError
from ecg_edge.extras import optional_library
from ecg_edge.findings import Note
from ecg_edge.readers.formats.vendor_facts import find_faults, read_rates
from ecg_edge.readers.formats.vendor_limits import MFER, SCP
from ecg_edge.readers.formats.vendor_signal import VendorLead
from ecg_edge.readers.xml_dialects import AECG, MORTARA, MUSE, PHILIPS

# The filters of warnings belong to the whole process.
_ONE_AT_A_TIME = threading.Lock()
_WRONG_CHECKSUM = "a checksum that the file states does not fit its content, so the file may be damaged"
# What the library leaves out with a warning. A part of a recording must not pass for all of it.
_PARTS = (
    "rhythm waveform ignored|rhythm series found; only|sets in the rhythm series; only|frame.*are not loaded"
    "|they are left out|without a gap|long-term.*is present but not loaded"
)


def read_with_library(
    content: bytes, kind: str, source: str, tree: ET.Element | None = None
) -> tuple[list[VendorLead], tuple[Note, ...]]:
    """Return the channels of the rhythm of a file, and what to warn of.

    Args:
        content: The whole file; an XML must be cleaned.
        kind: Name of the format.
        source: Name of the file in error messages.
        tree: The elements of an XML.

    Raises:
        MissingExtraError: The library is not installed.
        UnreadableError: The library cannot read the file, or reads a part of the recording only.
        InvalidRecordingError: The leads were not recorded at the same time.
    """
    with optional_library("ecgdatakit", f"a file of {kind}", "vendor"):
        from ecgdatakit.parsing.parsers import ge_muse_xml, hl7_aecg, mfer, mortara_el250, scp_ecg, sierra_xml
    parser = {
        MUSE: ge_muse_xml.GEMuseXMLParser,
        AECG: hl7_aecg.HL7aECGParser,
        MORTARA: mortara_el250.MortaraEL250Parser,
        PHILIPS: sierra_xml.SierraXMLParser,
        SCP: scp_ecg.SCPECGParser,
        MFER: mfer.MFERParser,
    }[kind]
    record, said = _parse(parser, content, kind, source)
    for message in said:
        if re.search(_PARTS, message):
            raise UnreadableError(source, f"holds more than one recording, or a recording with gaps ({message})")
    # The other warnings are about beats, dates and measurements, or about constant offsets.
    damage = "; ".join(message for message in said if "CRC" in message)
    notes = (Note("wrong_checksum", f"{_WRONG_CHECKSUM} ({damage[:300]})"),) if damage else ()
    faults = find_faults(record, kind, source, tree)
    rates = read_rates(record, kind, tree)
    labels = [lead.label for lead in record.leads]
    leads = [
        VendorLead(
            name=_restore_name(lead.label, labels),
            samples=np.asarray(lead.samples, np.float64),
            step=float(lead.resolution) if lead.adc_resolution else None,
            zero=float(lead.offset),
            units=lead.resolution_unit or lead.adc_resolution_unit or None,
            rate=rates[row],
            first=int(lead.annotations.get("start_sample", 0)) if kind == SCP else 0,
            fault=faults.get(lead.label, ""),
        )
        for row, lead in enumerate(record.leads)
    ]
    return leads, notes


def _parse(parser: Callable[[], Any], content: bytes, kind: str, source: str) -> tuple[Any, list[str]]:
    """Return the record of the library, and its warnings, each in one line."""
    with _open_as_file(content) as path:
        try:
            with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                record = parser().parse(path)
        except MemoryError:
            raise
        except Exception as error:  # the library raises many kinds of errors for damaged files
            why = _shorten(f"{type(error).__name__}: {error}", path)
            raise UnreadableError(source, f"is not valid {kind} (ecgdatakit: {why})") from error
        return record, [_shorten(str(warning.message), path) for warning in caught]


@contextmanager
def _open_as_file(content: bytes) -> Iterator[Path]:
    """Give a path to bytes: the library reads nothing else. Where the system can, they stay in memory."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").exists():
        with os.fdopen(os.memfd_create("ecg_edge"), "wb") as file:
            file.write(content)
            file.flush()
            yield Path(f"/proc/self/fd/{file.fileno()}")
        return
    with tempfile.TemporaryDirectory(prefix="ecg_edge") as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        yield path


def _shorten(text: str, path: Path) -> str:
    """Return a message in one line, without the path that only the library knows."""
    text = re.sub(rf"\s(?:in|of) {re.escape(str(path))}", "", text).replace(str(path), "the file")
    text = re.sub(rf"\s(?:in|of) {re.escape(path.name)}\b", "", text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def _restore_name(label: str, labels: list[str]) -> str:
    """Return the name of a channel as the file has it: the library adds a number to a name that occurs twice."""
    before = re.sub(r"_\d+$", "", label)
    return before if before in labels else label
