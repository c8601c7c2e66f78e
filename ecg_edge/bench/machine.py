"""What a figure was measured on, and with."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from ecg_edge._version import __version__
from ecg_edge.bench.setup import Setup
from ecg_edge.model.session import PROVIDERS
from ecg_edge.scheduling import usable_cores


@dataclass(frozen=True, slots=True)
class Environment:
    """One run's."""

    processor: str
    cores: int
    """That this process may use."""
    memory_mib: int | None
    system: str
    gpu: str | None
    """Where the provider is a GPU's."""
    load_average: float | None
    """Of the last minute before the run began: a busy machine makes noisy figures."""
    python: str
    numpy: str
    onnxruntime: str
    ecg_edge: str
    models: tuple[str, ...]
    provider: str
    """Really used."""
    threads: int
    """Records at a time, at most."""
    records: str
    """What was measured with."""

    @property
    def machine(self) -> str:
        """One line that tells machines apart."""
        memory = "" if self.memory_mib is None else f", {self.memory_mib / 1024:.1f} GiB"
        return f"{self.processor}, {self.cores} cores{memory}, {self.system}{f', {self.gpu}' if self.gpu else ''}"

    @property
    def versions(self) -> str:
        """One line."""
        return (
            f"ecg_edge {self.ecg_edge}, onnxruntime {self.onnxruntime}, numpy {self.numpy}, python {self.python}, "
            f"models {', '.join(self.models)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object."""
        return asdict(self)


def environment(setup: Setup, records: str) -> Environment:
    """Describe this machine.

    Args:
        setup: Says the provider and the models.
        records: What is measured with, for people.
    """
    provenance = setup.detector.provenance
    return Environment(
        processor=_processor(),
        cores=usable_cores(),
        memory_mib=_memory_mib(),
        system=f"{platform.system()} {platform.machine()}",
        gpu=_gpu() if provenance.provider == PROVIDERS["cuda"] else None,
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


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    # Boards without a "model name" have the board's name in "Model".
    return named.get("model name") or named.get("Model") or platform.processor() or platform.machine()


def _memory_mib() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, ValueError, OSError):
        return None


def _gpu() -> str | None:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]  # noqa: S603
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None
