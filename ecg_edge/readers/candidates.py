"""Which files of a folder or an archive are read, which are passed over with a reason, and which are something else."""

import re
from collections.abc import Callable, Container
from pathlib import PurePosixPath

from ecg_edge.readers.registry import Format, format_by_suffix, recognise
from ecg_edge.readers.xml_dialects import explain_dialect
from ecg_edge.recording.leads import canonical_lead

_ARCHIVE = "is an archive of another kind; unpack it, or zip its files"
_OTHERS = {
    **dict.fromkeys((".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip"), _ARCHIVE),
    ".dat": "is a signal file, and no header (.hea) beside it names it",
    ".ecg": "is not a file of the ISHNE format, the only kind of .ecg that is read",
    ".gdf": "is a GDF file; export it as EDF",
    ".h5": "is an HDF5 file; save its signal as .npy",
    ".hdf5": "is an HDF5 file; save its signal as .npy",
    ".mat": "is a MATLAB file, and no header (.hea) beside it names it",
    ".mfer": "looks like an MFER file, but does not begin like one",
    ".mwf": "looks like an MFER file, but does not begin like one",
    ".scp": "looks like an SCP-ECG file, but does not begin like one",
}
_NUMBER = r"[-+]?\d+([.,]\d+)?(e[-+]?\d+)?"
_FEWEST_NUMBERS = 8
_FEWEST_NAMES = 4
_LINES = 40


def judge(name: str, read_head: Callable[[], bytes], named: Container[str]) -> Format | str | None:
    """Judge a file of a folder or an archive.

    Args:
        name: File name.
        read_head: Returns the first bytes of the file. Not called if the name tells enough.
        named: Lower-case names of the signal files that the headers in the same folder name.

    Returns:
        The format to read it with, why it is passed over, or None if it is something else.
    """
    by_suffix = format_by_suffix(name)
    if by_suffix is not None and not by_suffix.SUFFIX_PROVES_NOTHING:
        return by_suffix
    if name.lower() in named:
        return None
    head = read_head()
    return recognise(head, name) or _explain(PurePosixPath(name.lower()).suffix, head, by_suffix)


def list_signal_files(head: bytes) -> set[str]:
    """Return the lower-case names of the signal files that a WFDB header names, given its first bytes."""
    lines = [line for line in head.decode("latin-1").splitlines() if line.strip() and not line.startswith("#")]
    return {line.split()[0].lower() for line in lines[1:]}


def _explain(suffix: str, head: bytes, by_suffix: Format | None) -> str | None:
    """Return why a file of an unknown format is passed over; None if it does not look like a recording."""
    text = head.replace(b"\0", b"").decode("latin-1")
    explain = getattr(by_suffix, "explain", None)
    if explain is not None:
        return str(explain(head)) if _looks_like_leads(text) else None
    if suffix == ".xml":
        return explain_dialect(head) if re.search("ecg|ekg|waveform", text, re.IGNORECASE) else None
    return _OTHERS.get(suffix)


def _looks_like_leads(text: str) -> bool:
    """Return whether a line of a table has several names of leads, or several numbers after a number, time or lead."""
    for line in text.splitlines()[:_LINES]:
        cells = [cell.strip(" \"'") for cell in re.split(r"[;\t,]|\s+", line)]
        names = [canonical_lead(re.split(r"[(\[/_ ]", cell)[0]) for cell in cells]
        if len({*names} - {None}) >= _FEWEST_NAMES:
            return True
        numbers = sum(bool(re.fullmatch(_NUMBER, cell)) for cell in cells)
        if numbers >= _FEWEST_NUMBERS and (names[0] or re.fullmatch(r"[-+\d.,:e]*", cells[0])):
            return True
    return False
