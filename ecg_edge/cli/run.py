"""The command line: parse, call, print."""

import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge._version import __version__
from ecg_edge.cli.bench import bench
from ecg_edge.cli.output import write
from ecg_edge.errors import EcgEdgeError

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.findings import Finding
    from ecg_edge.quality.gate import GatePolicy
    from ecg_edge.readers import Declared, RecordFile

_FORMATS = ("text", "json", "jsonl", "csv", "submission")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="ecg_edge")
def main() -> None:
    """Find myocardial infarction in 12-lead ECGs and say where it sits. For review by a clinician."""


def _session_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--models", type=click.Path(exists=True, file_okay=False), help="Folder with a manifest and models."
        ),
        click.option("--provider", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True),
    ):
        command = option(command)
    return command


@main.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of standard output."
)
@click.option("--threads", type=click.IntRange(1), help="Records at a time.  [default: the cores it may use]")
@click.option("--all-sites", is_flag=True, help="Localize also where no infarction is found.")
@click.option("--windows", is_flag=True, help="Add the probability of each window (json and jsonl).")
@click.option(
    "--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Sample submission to fill in."
)
@click.option(
    "--sampling-rate", type=float, metavar="HZ", help="Of files that do not declare it.  [default: 500 of .npy]"
)
@click.option("--units", metavar="mV|uV|V", help="Of files that do not declare them.  [default: mV of .npy]")
@click.option("--leads", metavar="I,II,...", help="Channels of files that do not name them.  [default: the twelve]")
@click.option("--no-quality-gate", is_flag=True, help="Answer what the quality gate refuses, with a warning.")
@click.option(
    "--follow",
    is_flag=True,
    help="With -: a live feed of little-endian float32, a sample of each lead in turn; a line a second.",
)
@_session_options
def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    paths: tuple[str, ...],
    form: str,
    output: Path | None,
    threads: int | None,
    all_sites: bool,
    windows: bool,
    sample: Path | None,
    sampling_rate: float | None,
    units: str | None,
    leads: str | None,
    no_quality_gate: bool,
    follow: bool,
    models: str | None,
    provider: str,
) -> None:
    """Answer each recording in files, folders, .zip archives, or - (an .npy on standard input).

    Exit status 0: every record was read and answered; 1: some record failed or could not be analysed, the others are
    printed all the same; 2: wrong usage.
    """
    if windows and form not in ("json", "jsonl"):
        msg = "--windows goes with --format json or jsonl"
        raise click.UsageError(msg)
    if (form == "submission") != (sample is not None):
        msg = "--format submission and --sample FILE go together"
        raise click.UsageError(msg)
    if follow and (paths != ("-",) or form not in ("text", "jsonl") or windows):
        msg = "--follow goes with - alone and --format text or jsonl"
        raise click.UsageError(msg)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn of oddities in files; what matters is an error
    declared = _declared(sampling_rate, units, leads)
    from ecg_edge.scheduling import usable_cores

    with _one_line_errors():
        detector = _detector(models, provider, threads or usable_cores(), "warn" if no_quality_gate else "refuse")
        if follow:
            _follow(detector, declared, form, output, all_sites)
            return
        render = _renderer(form, detector, sample)
        records = [record for path in paths for record in _records(path, declared)]
        tally = _Tally(quiet=form != "submission")
        findings = tally.watch(detector.detect_many(records, all_sites=all_sites, windows=windows))
        with _progress(findings, len(records), elsewhere=output is not None or not sys.stdout.isatty()) as shown:
            write(render(shown), output)
    if tally.failed:
        click.echo(f"{tally.failed} of {len(records)} records could not be answered", err=True)
        sys.exit(1)


@main.command()
@_session_options
def info(models: str | None, provider: str) -> None:
    """Show the models, their thresholds with sensitivity and specificity, the provider and the versions."""
    from ecg_edge.cli.info import summary
    from ecg_edge.cli.rendering import printable

    with _one_line_errors():
        for line in summary(_detector(models, provider)):
            click.echo(printable(line))


@main.command()
@_session_options
def check(models: str | None, provider: str) -> None:
    """Test this installation, offline: hashes, golden recordings and their stored answers, versions, provider."""
    from ecg_edge.cli.rendering import printable
    from ecg_edge.selfcheck import self_check

    try:
        for line in self_check(_detector(models, provider)):
            click.echo(printable(line))
    except EcgEdgeError as error:
        click.echo(f"FAILED: {printable(str(error))}")
        sys.exit(1)


main.add_command(bench)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except EcgEdgeError as error:
        from ecg_edge.cli.rendering import printable

        click.echo(f"error: {printable(str(error))}", err=True)
        sys.exit(1)


def _detector(models: str | None, provider: str, threads: int = 1, quality_gate: "GatePolicy" = "refuse") -> "Detector":
    from ecg_edge.detector import Detector

    return Detector(models, provider=provider, threads=threads, quality_gate=quality_gate)


def _follow(detector: "Detector", declared: "Declared", form: str, output: Path | None, all_sites: bool) -> None:
    from ecg_edge.cli.follow import follow
    from ecg_edge.recording.leads import LEADS

    if sys.stdin is None:
        msg = "standard input is closed"
        raise click.UsageError(msg)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C is how a feed ends, not how it is broken off
    with suppress(KeyboardInterrupt):
        stream = detector.stream(
            sampling_rate=declared.sampling_rate or 500.0,
            leads=declared.leads or LEADS,
            units=declared.units or "mV",
            name="stdin",
        )
        write(_each_at_once(follow(stream, sys.stdin.buffer, form, all_sites=all_sites)), output)


def _each_at_once(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        sys.stdout.flush()  # before the next is waited for


def _declared(sampling_rate: float | None, units: str | None, leads: str | None) -> "Declared":
    from ecg_edge.readers import Declared

    try:
        return Declared(sampling_rate, units, tuple(leads.split(",")) if leads is not None else None)
    except EcgEdgeError as error:
        raise click.UsageError(str(error)) from error


def _records(path: str, declared: "Declared") -> Iterable["RecordFile"]:
    from ecg_edge.readers import RecordFile, find_records, read_stream

    if path == "-" and sys.stdin is None:
        msg = "standard input is closed"
        raise click.UsageError(msg)
    if path == "-":
        return [RecordFile("stdin", "-", partial(read_stream, sys.stdin.buffer, "stdin", declared))]
    return find_records(path, declared)


def _renderer(form: str, detector: "Detector", sample: Path | None) -> Callable[[Iterable["Finding"]], Iterator[str]]:
    from ecg_edge.cli import rendering as formats

    if sample is not None:
        complain = partial(click.echo, err=True)
        return partial(formats.submission, sample=formats.read_sample_submission(sample), complain=complain)
    if form == "csv":
        return partial(formats.csv_table, sites=detector.localization.spec.labels)
    return {"text": formats.text, "json": formats.json_array, "jsonl": formats.jsonl}[form]


class _Tally:
    """Counts the records without an answer that pass by; names them where the format has no place for them."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.failed = quiet, 0

    def watch(self, findings: Iterable["Finding"]) -> Iterator["Finding"]:
        """Pass the findings on."""
        from ecg_edge.cli.rendering import printable

        for finding in findings:
            if finding.probability is None:
                self.failed += 1
                why = finding.error or "; ".join(note.message for note in finding.reasons)
                if not self.quiet:
                    click.echo(f"{finding.status}: {printable(finding.record)}: {printable(why)}", err=True)
            yield finding


@contextmanager
def _progress(findings: Iterable["Finding"], count: int, *, elsewhere: bool) -> Iterator[Iterable["Finding"]]:
    if count < 2 or not sys.stderr.isatty() or not elsewhere:
        yield findings
        return
    with click.progressbar(findings, count, label="records", file=sys.stderr) as bar:
        yield bar
