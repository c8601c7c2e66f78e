"""Compare the answers of two models folders for the same recordings, to see what rounding of the weights changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg_edge.cores import usable_cores
from ecg_edge.detector import Detector
from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Finding
from ecg_edge.readers import find_records


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far the answers of two folders differ, over all recordings and labels of a stage."""

    stage: str
    records: int
    greatest: float
    """Greatest difference of probabilities."""
    mean: float
    """Mean difference of probabilities."""
    flips: int
    """Number of decisions that differ."""
    decisions: int

    def __str__(self) -> str:
        """Return a line for people."""
        return (
            f"{self.stage}: {self.records} records, probability differs by {self.greatest:.2e} at most and "
            f"{self.mean:.2e} on average; {self.flips} of {self.decisions} decisions flip"
        )


def compare(folder: Path, other: Path, records: Path) -> Iterator[Comparison]:
    """Answer recordings with the models of two folders, all sites of each, and compare stage by stage.

    Raises:
        UnreadableError: None of the recordings can be read and answered.
    """
    both = [_detect_all(models, records) for models in (folder, other)]
    if not all(both):
        raise UnreadableError(records, "no recording here can be answered")
    yield _compare_stage("infarction", *([[_infarction(finding)] for finding in findings] for findings in both))
    yield _compare_stage("localization", *([_sites(finding) for finding in findings] for findings in both))


def _detect_all(folder: Path, records: Path) -> list[Finding]:
    detector = Detector(folder, threads=usable_cores(), quality_gate="warn")
    findings = detector.detect_many(find_records(records), all_sites=True)
    return [finding for finding in findings if finding.error is None]


def _infarction(finding: Finding) -> tuple[float, bool]:
    return finding.probability or 0.0, finding.status == "detected"


def _sites(finding: Finding) -> list[tuple[float, bool]]:
    return [(site.probability, site.found) for site in finding.sites]


def _compare_stage(
    stage: str, answers: Sequence[Sequence[tuple[float, bool]]], others: Sequence[Sequence[tuple[float, bool]]]
) -> Comparison:
    probability, decision = np.moveaxis(np.array([answers, others]), -1, 0)
    difference = np.abs(np.diff(probability, axis=0))
    flips = int(np.diff(decision, axis=0).astype(bool).sum())
    return Comparison(stage, len(answers), float(difference.max()), float(difference.mean()), flips, difference.size)
