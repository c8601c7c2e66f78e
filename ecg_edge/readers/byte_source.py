"""Sources of bytes: a file that must not change while it is read, or memory."""

import os
import stat
from pathlib import Path

from ecg_edge.errors import UnreadableError


class FileSource:
    """A file that is opened for each read.

    Many recordings can be listed without many open files. The file is not mapped into memory, so a file that shrinks
    raises an error instead of crashing the process.

    Raises:
        UnreadableError: It cannot be read, or is not a regular file.
    """

    def __init__(self, path: Path) -> None:
        self.source = str(path)
        self._path = path
        try:
            status = path.stat()
        except OSError as error:
            raise self._make_error(error) from error
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(path, "is not a regular file")
        self.size = status.st_size
        self._stamp = _take_stamp(status)

    def read(self, *spans: tuple[int, int]) -> list[bytes]:
        """Return the bytes of each (offset, length).

        Raises:
            UnreadableError: The file has changed since it was found, or cannot be read.
        """
        try:
            with self._path.open("rb", buffering=0) as file:
                pieces = [self._read_piece(file.fileno(), file.seek(offset), length) for offset, length in spans]
                status = os.fstat(file.fileno())
        except OSError as error:
            if isinstance(error, UnreadableError):
                raise
            raise self._make_error(error) from error
        self._check(status)
        return pieces

    def check(self) -> None:
        """Raise UnreadableError if the file has changed since it was found."""
        try:
            self._check(self._path.stat())
        except OSError as error:
            if isinstance(error, UnreadableError):
                raise
            raise self._make_error(error) from error

    def _read_piece(self, descriptor: int, offset: int, length: int) -> bytes:
        if offset + length > self.size:
            raise UnreadableError(self._path, f"is cut off: {offset + length} bytes expected, {self.size} found")
        piece = os.read(descriptor, length)
        while 0 < len(piece) < length and (more := os.read(descriptor, length - len(piece))):
            piece += more
        if len(piece) != length:
            raise UnreadableError(self._path, "became shorter while it was read")
        return piece

    def _check(self, status: os.stat_result) -> None:
        if _take_stamp(status) != self._stamp:
            raise UnreadableError(self._path, "changed while it was read")

    def _make_error(self, error: OSError) -> UnreadableError:
        return UnreadableError(self._path, f"cannot be read: {error.strerror or error}")


class BytesSource:
    """Bytes in memory, for example those of an archive entry; read like a `FileSource`."""

    def __init__(self, content: bytes, source: str) -> None:
        self.source, self.size = source, len(content)
        self._content = content

    def read(self, *spans: tuple[int, int]) -> list[bytes]:
        """Return the bytes of each (offset, length).

        Raises:
            UnreadableError: A span ends after the last byte.
        """
        if any(offset + length > self.size for offset, length in spans):
            raise UnreadableError(self.source, f"is cut off: found only {self.size} bytes")
        return [self._content[offset : offset + length] for offset, length in spans]


ByteSource = FileSource | BytesSource


def _take_stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
