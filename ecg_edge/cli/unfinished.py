"""Files that are being written under a temporary name, which a signal must remove."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class UnfinishedFiles:
    """The temporary files of one run of the command line."""

    def __init__(self) -> None:
        self._paths: set[Path] = set()

    @contextmanager
    def add(self, path: Path) -> Iterator[None]:
        """Remove a file at the end, if it is still there."""
        self._paths.add(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            self._paths.discard(path)

    def discard(self) -> None:
        """Remove all files, for a process that ends at once."""
        for path in tuple(self._paths):
            with suppress(OSError):
                path.unlink()
