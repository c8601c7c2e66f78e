"""The manifest of a folder of models: which files there are, and their hashes."""

import hashlib
import json
import stat
from pathlib import Path
from typing import NamedTuple

from ecg_edge.errors import ModelError

MANIFEST = "manifest.json"
_MOST_BYTES_OF_MANIFEST = 2**20
# A protobuf message cannot be longer.
_MOST_BYTES_OF_MODEL = 2**31


class CheckedFile(NamedTuple):
    """A file whose bytes match the manifest."""

    path: Path
    content: bytes
    sha256: str


def read_files(folder: Path, section: str) -> dict[str, CheckedFile]:
    """Read and check the files in one section of a manifest.

    Args:
        folder: Folder of the manifest and its files.
        section: "models" or "specs" (both by stage) or "checks" (the stored answers).

    Raises:
        ModelError: A file is missing, lies outside the folder, or differs from the manifest.
    """
    return {key: _read_checked(entry) for key, entry in _list_entries(folder, section).items()}


def read_present_files(folder: Path, section: str) -> dict[str, CheckedFile]:
    """Read and check the files in one section of a manifest, but leave out those that the folder does not have.

    Args:
        folder: Folder of the manifest and its files.
        section: "ports" (what only programs in other languages need; the installed package goes without).

    Raises:
        ModelError: A file lies outside the folder, or differs from the manifest.
    """
    entries = _list_entries(folder, section).items()
    return {key: _read_checked(entry) for key, entry in entries if entry.path.exists()}


class _Entry(NamedTuple):
    path: Path
    sha256: str
    size: int


def _list_entries(folder: Path, section: str) -> dict[str, _Entry]:
    manifest = folder / MANIFEST
    content = _read(manifest, _MOST_BYTES_OF_MANIFEST)
    try:
        entries = json.loads(content).get(section, {})
        named = {key: (entry["file"], entry["sha256"], entry["size"]) for key, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(manifest, f"is not a manifest of models ({error!r})") from error
    return {key: _check_entry(folder, *entry) for key, entry in named.items()}


def _read(path: Path, most: int) -> bytes:
    """Read a regular file of at most `most` bytes. A device, which may never end, is not opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelError(path, "is not a regular file")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise ModelError(path, f"cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise ModelError(path, f"is larger than the {most} bytes expected")
    return content


def _check_entry(folder: Path, name: object, sha256: object, size: object) -> _Entry:
    if not isinstance(name, str) or Path(name).name != name or "\0" in name:
        raise ModelError(folder / MANIFEST, f"names the file {name!r}, which is not a plain file name")
    if not isinstance(sha256, str) or type(size) is not int or not 0 < size < _MOST_BYTES_OF_MODEL:
        raise ModelError(folder / MANIFEST, f"does not give a valid sha256 and size of {name}")
    return _Entry(folder / name, sha256, size)


def _read_checked(entry: _Entry) -> CheckedFile:
    content = _read(entry.path, entry.size)
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256 or len(content) != entry.size:
        raise ModelError(
            entry.path,
            f"differs from the manifest: sha256 {found[:12]}..., {entry.size} bytes expected, "
            f"{len(content)} found; install the package again",
        )
    return CheckedFile(entry.path, content, found)
