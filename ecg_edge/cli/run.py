"""The command `ecg-edge run`: parse, call, print."""

import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.cli.options import add_session_options, declare, load_detector, one_line_errors
from ecg_edge.cli.output import write
from ecg_edge.cli.overwriting import refuse_overwriting
from ecg_edge.cli.unfinished import UnfinishedFiles

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.findings import Finding
    from ecg_edge.readers import Declared, RecordFile

_RENDERINGS = ("text", "json", "jsonl", "csv", "submission")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format", "rendering", type=click.Choice(_RENDERINGS), default="text", show_default=True, help="Of the answers."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of standard output."
)
@click.option("--threads", type=click.IntRange(1), help="Records at a time.  [default: number of usable cores]")
@click.option("--all-sites", is_flag=True, help="Give the sites even if no infarction is found.")
@click.option("--windows", is_flag=True, help="Add the probability of each window (json and jsonl).")
@click.option(
    "--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Sample submission to fill in."
)
@click.option(
    "--sampling-rate", type=float, metavar="HZ", help="Of files that do not state it.  [default: 500 for .npy]"
)
@click.option("--units", metavar="mV|uV|V", help="Of files that do not state them.  [default: mV for .npy]")
@click.option(
    "--leads",
    metavar="I,II,...",
    help="Channel names in file order; a name that is not a lead skips that channel.  [default: I to V6]",
)
@click.option("--no-quality-gate", is_flag=True, help="Answer what the quality gate refuses, with a warning.")
@click.option(
    "--follow",
    is_flag=True,
    help="With -: read a live feed of little-endian float32, one sample of each lead in turn; print a line a second.",
)
@add_session_options
@click.pass_obj
def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    unfinished: UnfinishedFiles | None,
    paths: tuple[str, ...],
    rendering: str,
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
    models: Path | None,
    provider: str,
) -> None:
    """Answer each recording in files, folders, .zip archives, or - (an .npy on standard input).

    Exit status 0: every record was read and answered. 1: a record failed or could not be analysed; the others are
    printed all the same. 2: wrong usage.

    \b
    Examples:
      ecg-edge run recording.npy
      ecg-edge run recordings/ --format csv --output findings.csv
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.cli.progress import show_records, show_samples
    from ecg_edge.scheduling import usable_cores

    if windows and rendering not in ("json", "jsonl"):
        msg = "--windows needs --format json or jsonl"
        raise click.UsageError(msg)
    if (rendering == "submission") != (sample is not None):
        msg = "--format submission and --sample FILE need each other"
        raise click.UsageError(msg)
    if follow and (paths != ("-",) or rendering not in ("text", "jsonl") or windows):
        msg = "--follow needs - as the only path, and --format text or jsonl"
        raise click.UsageError(msg)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn about harmless oddities in files
    declared = declare(sampling_rate, units, leads)
    with one_line_errors():
        detector = load_detector(models, provider, threads or usable_cores(), "warn" if no_quality_gate else "refuse")
        if follow:
            refuse_overwriting(output, ["-"])
            with suppress(KeyboardInterrupt):
                write(_follow_feed(detector, declared, rendering, all_sites), output, unfinished)
            return
        render = _choose_renderer(rendering, detector, sample)
        records = [record for path in paths for record in _list_records(path, declared)]
        files = [*detector.folder.iterdir(), *filter(None, [sample])]
        refuse_overwriting(output, [*(record.source for record in records), *files])
        tally = _Tally(quiet=rendering != "submission")
        encoding = None if rendering == "text" and sys.stdout.isatty() else "utf-8"
        elsewhere = output is not None or not sys.stdout.isatty()
        with show_samples(records) as watched:
            findings = tally.watch(detector.detect_many(watched, all_sites=all_sites, windows=windows))
            with show_records(findings, len(records), visible=elsewhere) as shown:
                write(render(shown), output, unfinished, encoding=encoding)
    if tally.failed:
        click.echo(f"{tally.failed} of {len(records)} records could not be answered", err=True)
        sys.exit(1)


def _follow_feed(detector: "Detector", declared: "Declared", rendering: str, all_sites: bool) -> Iterator[str]:
    from ecg_edge.cli.follow import follow
    from ecg_edge.recording.leads import LEADS

    if sys.stdin is None:
        msg = "standard input is closed"
        raise click.UsageError(msg)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends a feed normally
    stream = detector.stream(
        sampling_rate=declared.sampling_rate or 500.0,
        leads=declared.leads or LEADS,
        units=declared.units or "mV",
        name="stdin",
    )
    return _flush_each(follow(stream, sys.stdin.buffer, rendering, all_sites=all_sites))


def _flush_each(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        sys.stdout.flush()  # before waiting for the next one


def _list_records(path: str, declared: "Declared") -> Iterable["RecordFile"]:
    from ecg_edge.readers import RecordFile, find_records, read_stream

    if path == "-" and sys.stdin is None:
        msg = "standard input is closed"
        raise click.UsageError(msg)
    if path == "-":
        return [RecordFile("stdin", "-", partial(read_stream, sys.stdin.buffer, "stdin", declared))]
    return find_records(path, declared)


def _choose_renderer(
    rendering: str, detector: "Detector", sample: Path | None
) -> Callable[[Iterable["Finding"]], Iterator[str]]:
    from ecg_edge.cli import rendering as renderings
    from ecg_edge.cli import submission

    if sample is not None:
        complain = partial(click.echo, err=True)
        return partial(submission.fill_in, sample=submission.read_sample(sample), complain=complain)
    if rendering == "csv":
        return partial(renderings.csv_table, sites=detector.localization.spec.labels)
    return {"text": renderings.text, "json": renderings.json_array, "jsonl": renderings.jsonl}[rendering]


class _Tally:
    """Counts the records without an answer, and names them if the rendering does not."""

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
