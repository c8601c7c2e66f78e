"""What a file is, by its first bytes: for messages about files that are not what their name says."""

from ecg_edge.readers.text import find_wide_encoding

_BEGINNINGS = {
    b"PK\x03\x04": "a .zip archive",
    b"\x1f\x8b": "a gzip archive; unpack it",
    b"BZh": "a bzip2 archive; unpack it",
    b"\xfd7zXZ\0": "an xz archive; unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it",
    b"\x93NUMPY": "an .npy file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file; save its signal as .npy",
    b"MATLAB": "a MATLAB file; save its signal as .npy",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; fetch it with git lfs pull",
}
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_NO_TEXT = set(range(32)) - {*b"\t\n\r\f"}


def describe_content(head: bytes) -> str:
    """Return what a file is, in words for people, and what to do with it if that is known.

    Args:
        head: The first bytes of the file; at least one.
    """
    for beginning, what in _BEGINNINGS.items():
        if head.startswith(beginning):
            return what
    if head.startswith(_PICKLES):
        return "a Python pickle; save its array with numpy.save"
    if not any(head):
        return "nothing but zero bytes"
    wide = find_wide_encoding(head)
    if wide is not None:
        return f"{wide}; save it in UTF-8"
    return _describe_text(head) if not _NO_TEXT & {*head} else "of an unknown format"


def _describe_text(head: bytes) -> str:
    beginning = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if beginning.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if beginning.startswith(b"<"):
        return "XML"
    if beginning.startswith((b"{", b"[")):
        return "text, perhaps JSON"
    return "text; a table of leads needs the ending .csv, .tsv or .txt"
