"""The command `ecg-edge` itself, and its self-test."""

import sys
from pathlib import Path

import click

from ecg_edge._version import __version__
from ecg_edge.cli.bench import bench
from ecg_edge.cli.evaluate import evaluate
from ecg_edge.cli.formats import formats
from ecg_edge.cli.info import info
from ecg_edge.cli.options import add_session_options, load_detector
from ecg_edge.cli.report import report
from ecg_edge.cli.run import run
from ecg_edge.cli.serve import serve
from ecg_edge.errors import EcgEdgeError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="ecg_edge")
def main() -> None:
    """Find myocardial infarction in 12-lead ECGs and say where it sits. For review by a clinician.

    \b
    Examples:
      ecg-edge run recording.npy
      ecg-edge run recordings/ --format csv --output findings.csv
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark


@main.command()
@add_session_options
def check(models: Path | None, provider: str) -> None:
    """Test this installation offline: hashes, golden recordings with their stored answers, versions, provider.

    \b
    Examples:
      ecg-edge check
      ecg-edge check --models my_models/
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.selfcheck import self_check
    from ecg_edge.wording import printable

    try:
        for line in self_check(load_detector(models, provider)):
            click.echo(printable(line))
    except EcgEdgeError as error:
        click.echo(f"FAILED: {printable(str(error))}")
        sys.exit(1)


for command in (run, evaluate, report, serve, formats, info, bench):
    main.add_command(command)
