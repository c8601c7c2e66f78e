"""Answers records and writes the answers as the user wants them."""

import errno
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecg_edge.cli.output import end_on_write_errors, is_special, write
from ecg_edge.cli.unfinished import UnfinishedFiles
from ecg_edge.wording import printable

if TYPE_CHECKING:
    from ecg_edge.cli.resume import KeptAnswers
    from ecg_edge.detector import Detector
    from ecg_edge.findings import Finding
    from ecg_edge.readers import Declared, RecordFile


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants of the answers; each field is the option of its name."""

    rendering: str
    output: Path | None
    all_sites: bool
    windows: bool
    explain: bool
    sample: Path | None
    resume: bool


def describe_settings(
    detector: "Detector", declared: "Declared", wanted: Wanted, no_quality_gate: bool, max_duration: float
) -> dict[str, Any]:
    """Return what answers depend on beside the records, as JSON values that are named like the options."""
    from ecg_edge.model.runtime import onnxruntime

    provenance = asdict(detector.provenance)
    return {
        **provenance,
        "models": list(provenance["models"]),
        "onnxruntime": onnxruntime.__version__,
        "all_sites": wanted.all_sites,
        "windows": wanted.windows,
        "explain": wanted.explain,
        "no_quality_gate": no_quality_gate,
        "max_duration": max_duration,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in asdict(declared).items()},
    }


def answer_records(
    detector: "Detector",
    records: list["RecordFile"],
    settings: dict[str, Any],
    wanted: Wanted,
    unfinished: UnfinishedFiles | None,
) -> int:
    """Answer records, write the answers, and return how many records have none.

    Args:
        detector: Answers.
        records: All records of the run.
        settings: What the answers depend on; a run that is resumed must have the same.
        wanted: How the answers are written, and where.
        unfinished: Learns of a temporary file, so that a signal can remove it.
    """
    render = _choose_renderer(wanted.rendering, detector, wanted.sample)
    kept = _open_kept_answers(wanted.output, settings, records) if wanted.resume and wanted.output else None
    remaining = records[kept.done if kept else 0 :]
    failures = _Failures(kept.failed if kept else 0, told=wanted.rendering != "submission")
    with _answer(detector, remaining, failures, wanted) as findings:
        lines = render(findings)
        write(kept.complete(lines) if kept else lines, wanted.output, unfinished, encoding=choose_encoding(wanted))
    if kept:
        kept.remove()
    return failures.count


@contextmanager
def _answer(
    detector: "Detector", records: list["RecordFile"], failures: "_Failures", wanted: Wanted
) -> Iterator[Iterable["Finding"]]:
    """Yield the findings, with a bar on a terminal."""
    from ecg_edge.cli.progress import show_records, show_samples

    elsewhere = wanted.output is not None or not sys.stdout.isatty()
    with show_samples(records) as watched:
        findings = detector.detect_many(
            watched, all_sites=wanted.all_sites, windows=wanted.windows, explain=wanted.explain
        )
        with show_records(failures.watch(findings), len(records), visible=elsewhere) as shown:
            yield shown


def _open_kept_answers(output: Path, settings: dict[str, Any], records: list["RecordFile"]) -> "KeptAnswers":
    from ecg_edge.cli.resume import KeptAnswers

    with end_on_write_errors(output):
        if is_special(output):
            raise OSError(errno.EINVAL, "--resume needs a regular file")
        return KeptAnswers(output, settings, records)


def choose_encoding(wanted: Wanted) -> str | None:
    """Return the encoding of standard output; None is a terminal's own, for people."""
    return None if wanted.rendering == "text" and sys.stdout.isatty() else "utf-8"


def _choose_renderer(
    rendering: str, detector: "Detector", sample: Path | None
) -> Callable[[Iterable["Finding"]], Iterator[str]]:
    from ecg_edge import rendering as renderings
    from ecg_edge import submission

    if sample is not None:
        complain = partial(click.echo, err=True)
        return partial(submission.fill_in, sample=submission.read_sample(sample), complain=complain)
    if rendering == "csv":
        return partial(renderings.csv_table, sites=detector.localization.spec.labels)
    return {"text": renderings.text, "json": renderings.json_array, "jsonl": renderings.jsonl}[rendering]


class _Failures:
    """Counts the records without an answer, and names them if the rendering does not."""

    def __init__(self, count: int, *, told: bool) -> None:
        self.count, self._told = count, told

    def watch(self, findings: Iterable["Finding"]) -> Iterator["Finding"]:
        """Pass the findings on."""
        for finding in findings:
            if finding.probability is None:
                self.count += 1
                why = finding.error or "; ".join(note.message for note in finding.reasons)
                if not self._told:
                    click.echo(f"{finding.status}: {printable(finding.record)}: {printable(why)}", err=True)
            yield finding
