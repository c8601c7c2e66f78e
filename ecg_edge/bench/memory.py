"""Memory of this process, in MiB."""

import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_STATUS = Path("/proc/self/status")
_PERIOD_S = 0.01


def read_peak_mib() -> float:
    """Return the maximum resident memory."""
    if _STATUS.exists():
        return _read_status_mib("VmHWM")
    import resource

    # Linux does not come here: there the value includes the parent process if that was larger.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


class AllocatedPeak:
    """Records the peak of allocated memory inside a `with` block.

    Mapped files do not count, because the system can drop their pages at any time.
    """

    def __enter__(self) -> Self:
        self.mib = _read_allocated_mib()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(_PERIOD_S):
            self.mib = max(self.mib, _read_allocated_mib())


def _read_allocated_mib() -> float:
    return _read_status_mib("RssAnon") if _STATUS.exists() else read_peak_mib()


def _read_status_mib(key: str) -> float:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))
