"""The input of a benchmark."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from ecg_edge.bench.timing import Effort
from ecg_edge.detector import Detector
from ecg_edge.readers import RecordFile, find_records
from ecg_edge.recording import Recording

DAY_S = 86_400.0
_MOST_IN_MEMORY = 100


@dataclass
class Setup:
    """The same for all benchmarks of a run."""

    folder: Path
    """Holds the recordings."""
    effort: Effort
    provider: str = "cpu"
    """Requested provider."""
    threads: int = 1
    """Maximum number of records at a time."""
    models: Path | None = None
    """Folder with a manifest; None for the shipped models."""
    longest_s: float = DAY_S
    """Longest recording of the length benchmark, in seconds."""

    @cached_property
    def detector(self) -> Detector:
        """Detector that answers one record at a time."""
        return self.load_detector(1)

    def load_detector(self, threads: int) -> Detector:
        """Load a new detector that answers `threads` records at a time."""
        return Detector(self.models, provider=self.provider, threads=threads)

    @cached_property
    def recordings(self) -> list[Recording]:
        """The first hundred recordings, in memory."""
        return [record.read() for record in islice(self.list_files(), _MOST_IN_MEMORY)]

    def list_files(self) -> Iterator[RecordFile]:
        """List all recordings."""
        return find_records(self.folder)

    @cached_property
    def n_files(self) -> int:
        """Number of recordings in the folder."""
        return sum(1 for _ in self.list_files())

    @property
    def options(self) -> list[str]:
        """Options with which `ecg-edge` uses the same provider and models."""
        return ["--provider", self.provider, *(["--models", str(self.models)] if self.models else [])]
