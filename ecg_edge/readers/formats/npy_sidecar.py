"""What the caller and the sidecar of an .npy state together."""

import os
from pathlib import Path
from typing import NamedTuple

from ecg_edge.readers.byte_source import ByteSource, FileSource, NotBesideError
from ecg_edge.readers.declared import Declared
from ecg_edge.readers.registry import Beside
from ecg_edge.recording import sidecar

_LONGEST_NAME = 255


class Stated(NamedTuple):
    """What the caller and the sidecar state."""

    declared: Declared
    samples: int | None = None
    """Number of samples of each lead, if there is a sidecar that states it."""
    sidecar: str = ""
    """Where the sidecar is."""


def open_sidecar(path: Path) -> ByteSource | None:
    """Return the file beside an .npy that may be its sidecar."""
    for suffix in (sidecar.SUFFIX, sidecar.SUFFIX.upper()):
        beside = path.with_name(path.stem + suffix)
        # A name that is too long for a file cannot be that of one.
        if len(os.fsencode(beside.name)) <= _LONGEST_NAME and beside.is_file() and beside.stat().st_size:
            return FileSource(beside)
    return None


def open_packed(name: str, beside: Beside) -> ByteSource | None:
    """Return the entry of an archive beside an .npy that may be its sidecar."""
    try:
        return beside(name + sidecar.SUFFIX)
    except NotBesideError:
        return None


def add_sidecar(declared: Declared, file: ByteSource | None) -> Stated:
    """Return what the caller and the sidecar state together.

    Raises:
        ContradictionError: They state different things.
    """
    if file is None:
        return Stated(declared)
    (content,) = file.read((0, min(file.size, sidecar.MOST_BYTES + 1)))
    found = sidecar.parse_sidecar(content, file.source)
    if found is None:
        return Stated(declared)
    rate = declared.rate_of(file.source, found.sampling_rate) if found.sampling_rate else declared.sampling_rate
    units = declared.units_of(file.source, found.units) if found.units else declared.units
    leads = declared.leads_of(file.source, found.leads) if found.leads else declared.leads
    return Stated(Declared(rate, units, leads, declared.gain), found.samples, file.source)
