"""Sources of bytes: a file that must not change while it is read, or memory."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecg_edge.errors import UnreadableError

# A pipe that replaces the file after it was checked must not block. The other flags exist on some systems only.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


class NotBesideError(UnreadableError):
    """A file that another one needs is not in its folder."""


class FileSource:
    """A file that is opened for each read.

    Many recordings can be listed without many open files. The file is not mapped into memory, so a file that shrinks
    raises an error instead of crashing the process.

    Raises:
        UnreadableError: It cannot be read, is empty, or is not a regular file.
    """

    def __init__(self, path: Path) -> None:
        self.source = str(path)
        self._path = path
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            raise self._make_error(error) from error
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(path, "is not a regular file")
        # Files of the kernel claim to be empty too, and reading one of them can block.
        if not status.st_size:
            raise UnreadableError(path, "is empty")
        self.size = status.st_size
        self.stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        """Tells this file from others, and from itself after a change."""

    def read(self, *spans: tuple[int, int]) -> list[bytes]:
        """Return the bytes of each (offset, length).

        Raises:
            UnreadableError: The file has changed since it was found, or cannot be read.
        """
        with self.open() as file:
            return [self._read_piece(file.fileno(), file.seek(offset), length) for offset, length in spans]

    @contextmanager
    def open(self) -> Iterator[io.FileIO]:
        """Open the file, without a buffer, and check before and after that it is the file that was found.

        Raises:
            UnreadableError: The file has changed since it was found, or cannot be read.
        """
        try:
            with self.open_raw() as file:
                try:
                    yield file
                finally:
                    self._check(os.fstat(file.fileno()))
        except OSError as error:
            if isinstance(error, UnreadableError):
                raise
            raise self._make_error(error) from error

    def open_raw(self) -> io.FileIO:
        """Open the file, without a buffer, and check that it is the file that was found.

        Raises:
            UnreadableError: The file has changed since it was found.
            OSError: It cannot be opened.
        """
        file = io.FileIO(os.open(self._path, _FLAGS))
        try:
            self._check(os.fstat(file.fileno()))
        except UnreadableError:
            file.close()
            raise
        return file

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
        if (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns) != self.stamp:
            raise UnreadableError(self._path, "changed while it was read")

    def _make_error(self, error: OSError | ValueError) -> UnreadableError:
        return UnreadableError(self._path, f"cannot be read: {getattr(error, 'strerror', None) or error}")


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
