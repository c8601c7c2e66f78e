"""The machine and the versions that a figure was measured with."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_edge._version import __version__
from ecg_edge.bench.setup import Setup
from ecg_edge.cores import usable_cores
from ecg_edge.model.runtime import onnxruntime
from ecg_edge.model.session import PROVIDERS


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine, the versions and the settings of one run."""

    processor: str
    cores: int
    """Cores that this process may use."""
    memory_mib: int | None
    system: str
    gpu: str | None
    """Name of the GPU; None if the provider does not use one."""
    load_average: float | None
    """Average of the last minute before the run began. A busy machine gives noisy figures."""
    python: str
    numpy: str
    onnxruntime: str
    ecg_edge: str
    models: tuple[str, ...]
    provider: str
    """Execution provider that the sessions really use."""
    threads: int
    """Maximum number of records at a time."""
    records: str
    """Description of the measured records."""

    @property
    def machine(self) -> str:
        """Return one line that identifies the machine."""
        memory = "" if self.memory_mib is None else f", {self.memory_mib / 1024:.1f} GiB"
        return f"{self.processor}, {self.cores} cores{memory}, {self.system}{f', {self.gpu}' if self.gpu else ''}"

    @property
    def versions(self) -> str:
        """Return one line with all versions."""
        return (
            f"ecg_edge {self.ecg_edge}, onnxruntime {self.onnxruntime}, numpy {self.numpy}, python {self.python}, "
            f"models {', '.join(self.models)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object."""
        return asdict(self)


def describe_machine(setup: Setup, records: str) -> Environment:
    """Describe this machine.

    Args:
        setup: Holds the provider and the models.
        records: Description of the measured records, for people.
    """
    provenance = setup.detector.provenance
    return Environment(
        processor=_read_processor(),
        cores=usable_cores(),
        memory_mib=_read_memory_mib(),
        system=f"{platform.system()} {platform.machine()}",
        gpu=_read_gpu() if provenance.provider == PROVIDERS["cuda"] else None,
        load_average=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        python=platform.python_version(),
        numpy=np.__version__,
        onnxruntime=onnxruntime.__version__,
        ecg_edge=__version__,
        models=tuple(f"{model.name} {model.version} ({model.sha256[:12]})" for model in provenance.models),
        provider=provenance.provider,
        threads=setup.threads,
        records=records,
    )


def _read_processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    # Boards without a "model name" have the board's name in "Model".
    return named.get("model name") or named.get("Model") or platform.processor() or platform.machine()


def _read_memory_mib() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, ValueError, OSError):
        return None


def _read_gpu() -> str | None:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]  # noqa: S603
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None
