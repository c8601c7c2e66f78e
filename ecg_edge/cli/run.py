"""The command `ecg-edge run`: parse, call, print."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.cli.answers import Wanted, answer_records, describe_settings
from ecg_edge.cli.listing import list_records, tell_apart
from ecg_edge.cli.options import (
    DAY_S,
    add_operating_point,
    add_reading_options,
    add_session_options,
    declare,
    load_detector,
    one_line_errors,
)
from ecg_edge.cli.overwriting import refuse_overwriting
from ecg_edge.cli.unfinished import UnfinishedFiles

if TYPE_CHECKING:
    from ecg_edge.quality.gate import GatePolicy

_RENDERINGS = ("text", "json", "jsonl", "csv", "submission")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--format", "rendering", type=click.Choice(_RENDERINGS), default="text", show_default=True, help="Of the answers."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of standard output."
)
@click.option(
    "--resume", is_flag=True, help="Go on where a killed run with --resume stopped (--format jsonl and --output)."
)
@click.option("--threads", type=click.IntRange(1), help="Records at a time.  [default: number of usable cores]")
@click.option("--all-sites", is_flag=True, help="Give the sites even if no infarction is found.")
@click.option("--windows", is_flag=True, help="Add the probability of each window (json and jsonl).")
@click.option(
    "--explain", is_flag=True, help="Add which leads and which time carried the answer (text, json and jsonl)."
)
@click.option(
    "--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Sample submission to fill in."
)
@add_reading_options
@add_operating_point
@click.option("--strict", is_flag=True, help="Exit with status 1 if a file is passed over that may hold a recording.")
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
    resume: bool,
    threads: int | None,
    all_sites: bool,
    windows: bool,
    explain: bool,
    sample: Path | None,
    sampling_rate: float | None,
    units: str | None,
    leads: str | None,
    gain: float | None,
    max_duration: float,
    operating_point: str | None,
    strict: bool,
    no_quality_gate: bool,
    follow: bool,
    models: Path | None,
    provider: str,
) -> None:
    """Answer each recording in files, folders, .zip archives, or - (an .npy on standard input).

    Exit status 0: every record was read and answered. 1: a record failed or could not be analysed; the others are
    printed all the same. 2: wrong usage, or the output would overwrite an input.

    Files that look like recordings and are not read are named on standard error.

    \b
    Examples:
      ecg-edge run recording.npy
      ecg-edge run recordings/ --format csv --output findings.csv
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.cores import usable_cores

    wanted = Wanted(rendering, output, all_sites, windows, explain, sample, resume)
    _check_usage(wanted, paths, follow)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn about harmless oddities in files
    declared = declare(sampling_rate, units, leads, gain)
    policy: GatePolicy = "warn" if no_quality_gate else "refuse"
    with one_line_errors():
        limit_s = max_duration * DAY_S
        detector = load_detector(models, provider, threads or usable_cores(), policy, limit_s, operating_point)
        if follow:
            from ecg_edge.cli.follow import answer_feed

            refuse_overwriting(output, ["-"])
            failed = answer_feed(detector, declared, wanted, unfinished)
            what, n_passed_over = "the feed", 0
        else:
            records, n_passed_over = list_records(paths, declared)
            if sample is None:
                records = tell_apart(records)
            files = [*detector.folder.iterdir(), *filter(None, [sample])]
            refuse_overwriting(output, [*(record.source for record in records), *files])
            settings = describe_settings(detector, declared, wanted, no_quality_gate, max_duration)
            failed = answer_records(detector, records, settings, wanted, unfinished)
            what = f"{failed} of {len(records)} records"
    if failed:
        click.echo(f"{what} could not be answered", err=True)
        sys.exit(1)
    if strict and n_passed_over:
        sys.exit(1)


def _check_usage(wanted: Wanted, paths: tuple[str, ...], follow: bool) -> None:
    """Raise UsageError if options do not fit each other, or standard input is closed."""
    rendering, output = wanted.rendering, wanted.output
    if wanted.windows and rendering not in ("json", "jsonl"):
        raise click.UsageError("--windows needs --format json or jsonl")
    if wanted.explain and follow:
        raise click.UsageError("--explain does not work with --follow: only a whole recording can be explained")
    if wanted.explain and rendering not in ("text", "json", "jsonl"):
        raise click.UsageError("--explain needs --format text, json or jsonl")
    if (rendering == "submission") != (wanted.sample is not None):
        raise click.UsageError("--format submission and --sample FILE need each other")
    if follow and (paths != ("-",) or rendering not in ("text", "jsonl") or wanted.windows):
        raise click.UsageError("--follow needs - as the only path, and --format text or jsonl")
    if "-" in paths and sys.stdin is None:
        raise click.UsageError("standard input is closed")
    if wanted.resume and (rendering != "jsonl" or output is None):
        raise click.UsageError("--resume needs --format jsonl and --output FILE")
    if wanted.resume and "-" in paths:
        raise click.UsageError("--resume cannot read standard input a second time; give the path of a file")
