"""How many processor cores this process may use."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil, inf
from pathlib import Path

_ROOT = Path("/")


def usable_cores() -> int:
    """Return the number of cores that the affinity of the process and its control groups allow, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, ceil(min(cores, read_quota())))


def read_quota(root: Path = _ROOT) -> float:
    """Return the number of cores that the control groups of the process grant; infinity if they set no limit.

    Args:
        root: Root of the file system.
    """
    quotas = [inf]
    for folder in _list_groups(root):
        for read in (_read_version_2, _read_version_1):
            # A file that is missing, or says "max" or -1, sets no limit.
            with suppress(OSError, ValueError):
                quota, period = read(folder)
                quotas.append(quota / period if quota > 0 and period > 0 else inf)
    return min(quotas)


def _list_groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the process's control groups and of the groups around them."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        group = mount / path.lstrip("/")
        while group != mount and mount in group.parents:
            yield group
            group = group.parent
        # In a container the path may be that of the host, while its own group is mounted here.
        yield mount


def _read_version_2(folder: Path) -> tuple[int, int]:
    quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
    return int(quota), int(period)


def _read_version_1(folder: Path) -> tuple[int, int]:
    quota, period = ((folder / f"cpu.cfs_{part}_us").read_text(encoding="utf-8") for part in ("quota", "period"))
    return int(quota), int(period)
