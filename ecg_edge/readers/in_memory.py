"""Find the recordings of files that are in memory, such as uploads: nothing is written to disk."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

from ecg_edge.errors import EcgEdgeError, UnreadableError
from ecg_edge.readers.byte_source import BytesSource, NotBesideError
from ecg_edge.readers.candidates import judge, list_signal_files
from ecg_edge.readers.declared import NOTHING, Declared
from ecg_edge.readers.formats import zip_archive
from ecg_edge.readers.registry import HEAD, PackedFormat, is_macos_metadata, packed_formats, suffixes
from ecg_edge.recording import Recording, sidecar
from ecg_edge.recording.record_file import PassedOver, RecordFile


def find_in_memory(
    files: Sequence[tuple[str, bytes]], declared: Declared = NOTHING
) -> Iterator[tuple[int, RecordFile | PassedOver]]:
    """List the recordings of files as if these lay in one folder, and those that cannot be read.

    Signal files that a WFDB header among the files names yield nothing, nor do sidecars of .npy files.

    Args:
        files: Name and content of each. A .zip may hold any number of recordings.
        declared: What the caller states about files that do not state it.

    Yields:
        The index of the file, and a recording or the reason why something is not read.
    """
    folder = _Folder(files)
    for index, (name, content) in enumerate(files):
        if is_macos_metadata(name):
            continue
        try:
            for item in folder.list_file(name, content, declared):
                yield index, item
        except EcgEdgeError as error:
            yield index, PassedOver(name, _without_source(error, name))
        except Exception as error:  # noqa: BLE001 - a fault of one file must not end the others
            yield index, PassedOver(name, f"cannot be read: {type(error).__name__}: {error}")


class _Folder:
    """Files that may name each other."""

    def __init__(self, files: Sequence[tuple[str, bytes]]) -> None:
        self._by_name = {name.casefold(): content for name, content in files}
        self._named: set[str] = set()
        for name, content in files:
            if name.lower().endswith(".hea"):
                self._named |= list_signal_files(content[:HEAD])
            elif name.lower().endswith(".npy"):
                self._named.add(PurePosixPath(name).stem.lower() + sidecar.SUFFIX)

    def list_file(self, name: str, content: bytes, declared: Declared) -> Iterator[RecordFile | PassedOver]:
        """Yield the recordings of a file.

        Raises:
            UnreadableError: It holds none.
        """
        head = content[:HEAD]
        if not content:
            raise UnreadableError(name, "is empty")
        if zip_archive.recognises(head, name):
            yield from zip_archive.records_in_memory(content, name, declared)
            return
        found = next((module for module in packed_formats() if module.recognises(head, name)), None)
        if found is None and name.lower() in self._named:
            return
        if found is None:
            found = _choose_by_name(name, head)
        read = partial(self._read, found, name, content, declared)
        yield RecordFile(PurePosixPath(name).stem, name, read, len(content))

    def _read(self, found: PackedFormat, name: str, content: bytes, declared: Declared) -> Recording:
        beside = partial(self._open_beside, name)
        return found.parse(content, PurePosixPath(name).stem, name, declared, beside)

    def _open_beside(self, asking: str, name: str) -> BytesSource:
        content = self._by_name.get(name.casefold())
        if content is None:
            raise NotBesideError(asking, f"names the file {name}, which is not beside it")
        return BytesSource(content, name)


def _choose_by_name(name: str, head: bytes) -> PackedFormat:
    """Return the format that a name promises; its error message says what is missing.

    Raises:
        UnreadableError: It promises none.
    """
    promised = next((module for module in packed_formats() if name.lower().endswith(module.SUFFIXES)), None)
    if promised is not None and promised.SUFFIX_PROVES_NOTHING:
        return promised
    why = judge(name, lambda: head, ())
    if isinstance(why, str):
        raise UnreadableError(name, why)
    raise UnreadableError(name, f"has an unknown format; the known formats are {' '.join(suffixes())}")


def _without_source(error: EcgEdgeError, name: str) -> str:
    """Return the message of an error without the name in front, which stands beside it."""
    return str(error).removeprefix(f"{name}: ")
