"""Which dialect of XML a file has, by its root element, in any encoding that contains ASCII and in UTF-16."""

import re

from ecg_edge.readers.text import find_wide_encoding

MUSE = "GE MUSE XML"
PHILIPS = "Philips Sierra XML"
AECG = "HL7 aECG"
MORTARA = "Mortara XML"
CARDIOSOFT = "GE CardioSoft XML"
DIALECTS = {
    "RestingECG": MUSE,
    "restingecgdata": PHILIPS,
    "AnnotatedECG": AECG,
    "ECG": MORTARA,
    "CardiologyXML": CARDIOSOFT,
}
"""Dialects that are read, by root element. Other makers write other letters of the same name, such as `<ecg>`."""
_MAKERS = (
    *("Schiller", "Nihon Kohden", "Cardioline", "Edan", "Fukuda", "Mindray", "Norav", "Suzuken", "Custo", "Spacelabs"),
    *("Zoll", "Physio-Control", "Welch Allyn", "BTL", "Bionet", "GE Healthcare", "Philips", "Mortara"),
)
_EXPORT = "export as MUSE XML, HL7 aECG, DICOM or SCP-ECG"
_BEFORE_ROOT = r"(?s)\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>|\s+)*"
_ROOT = r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)"
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


def find_root(head: bytes) -> str | None:
    """Return the name of the root element of an XML, without its prefix; None if the bytes do not begin like XML.

    Args:
        head: The first few thousand bytes of a file, in UTF-8, UTF-16 or an encoding that contains ASCII.
    """
    root = re.match(_ROOT, strip_prolog(decode(head)))
    return root.group(1) if root else None


def find_dialect(head: bytes) -> str | None:
    """Return the name of the dialect in `DIALECTS`; None if it is unknown."""
    return DIALECTS.get(find_root(head) or "")


def explain_dialect(head: bytes) -> str:
    """Return why an XML of an unknown dialect is not read."""
    root = find_root(head)
    if root is None:
        wide = find_wide_encoding(head)
        return f"is {wide}; save it in UTF-8" if wide else f"has no XML element in its first {len(head)} bytes"
    text = decode(head).casefold()
    maker = next((f" by {maker}" for maker in _MAKERS if re.search(rf"\b{maker.casefold()}\b", text)), "")
    return f"is XML{maker} of a dialect that is not read (root element <{root[:40]}>); {_EXPORT}"


def strip_prolog(text: str) -> str:
    """Return an XML without what stands before its root element."""
    before = re.match(_BEFORE_ROOT, text)
    return text[before.end() if before else 0 :]


def decode(content: bytes) -> str:
    """Decode an XML. Names, numbers and base64 are ASCII, so the encoding that it states need not be known."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace").lstrip("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
