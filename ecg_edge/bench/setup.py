"""What a benchmark is given to work with."""

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
    """As it was asked for."""
    threads: int = 1
    """Records at a time, at most."""
    models: Path | None = None
    """Folder with a manifest; the shipped models if none is given."""
    longest_s: float = DAY_S
    """Of the recordings of the benchmark about length."""

    @cached_property
    def detector(self) -> Detector:
        """One record at a time."""
        return self.detector_with(1)

    def detector_with(self, threads: int) -> Detector:
        """Load a detector of its own."""
        return Detector(self.models, provider=self.provider, threads=threads)

    @cached_property
    def recordings(self) -> list[Recording]:
        """The first hundred, read."""
        return [record.read() for record in islice(self.files(), _MOST_IN_MEMORY)]

    def files(self) -> Iterator[RecordFile]:
        """List all recordings."""
        return find_records(self.folder)

    @cached_property
    def n_files(self) -> int:
        """Recordings in the folder."""
        return sum(1 for _ in self.files())

    @property
    def options(self) -> list[str]:
        """The options that make `ecg-edge` do the same."""
        return ["--provider", self.provider, *(["--models", str(self.models)] if self.models else [])]
