"""A file that appears under its name only when it is complete."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ecg_edge.cli.unfinished import UnfinishedFiles

CANNOT_REPLACE = {errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS}
"""Errors of a file that nothing can replace: a mount point, another disk, a folder that forbids it."""
_ATTEMPTS = 5


@contextmanager
def open_whole_file(target: Path, unfinished: UnfinishedFiles, tell: Callable[[OSError], None]) -> Iterator[IO[str]]:
    """Open a file for writing; it gets its name at the end.

    If the system can, the file has no name until then, and vanishes with the process. Otherwise it has one hidden name,
    always the same for a target, so that a killed run leaves at most one file, which the next run removes.

    Args:
        target: The name at the end, without links.
        unfinished: Learns of the hidden name, so that a signal can remove the file.
        tell: Called if the finished file cannot replace the old one and is copied into it.

    Raises:
        OSError: The file cannot be created, written or named.
    """
    hidden = target.with_name(f".ecg-edge-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}")
    with unfinished.add(hidden):
        hidden.unlink(missing_ok=True)
        descriptor = _create_nameless(target.parent)
        nameless = descriptor is not None
        if descriptor is None:
            descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "w+", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
            os.chmod(descriptor if os.chmod in os.supports_fd else hidden, _choose_mode(target))  # noqa: PTH101
            try:
                _give_name(descriptor, hidden, target) if nameless else _rename(descriptor, hidden, target)
            except OSError as error:
                if error.errno not in CANNOT_REPLACE:
                    raise
                tell(error)
                _copy_into(descriptor, target)


def _create_nameless(folder: Path) -> int | None:
    """Create a file without a name; return None where the system cannot."""
    if Path("/proc/self/fd").is_dir():
        with suppress(AttributeError, OSError):
            return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    return None


def _choose_mode(target: Path) -> int:
    """Return the permissions of the old file, or those of any new file."""
    if target.exists():
        return target.stat().st_mode
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _give_name(descriptor: int, hidden: Path, target: Path) -> None:
    """Link a file without a name to its target, through the hidden name if there is an old file."""
    if not target.exists():
        with suppress(FileExistsError):
            _link(descriptor, target)
            return
    for attempt in range(_ATTEMPTS):
        try:
            _link(descriptor, hidden)
            hidden.replace(target)
        except (FileExistsError, FileNotFoundError):
            # Another run uses the hidden name at this moment, or a killed run left it.
            if attempt == _ATTEMPTS - 1:
                raise
            hidden.unlink(missing_ok=True)
        else:
            return


def _link(descriptor: int, path: Path) -> None:
    # Without src_dir_fd, which an absolute path does not use, os.link would link the symbolic link itself.
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=0)


def _rename(descriptor: int, hidden: Path, target: Path) -> None:
    if not os.path.samestat(os.fstat(descriptor), hidden.stat()):
        raise FileExistsError(errno.EEXIST, "another run is writing the same file", str(target))
    hidden.replace(target)


def _copy_into(descriptor: int, target: Path) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb", closefd=False) as finished, target.open("wb") as file:
        shutil.copyfileobj(finished, file)
