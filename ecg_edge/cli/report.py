"""The command `ecg-edge report`: one recording on millimetre paper."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.cli.listing import list_records
from ecg_edge.cli.options import (
    DAY_S,
    FiniteRange,
    Number,
    add_operating_point,
    add_session_options,
    declare,
    load_detector,
    one_line_errors,
)
from ecg_edge.cli.output import fail, write_bytes
from ecg_edge.cli.overwriting import refuse_overwriting
from ecg_edge.cli.unfinished import UnfinishedFiles
from ecg_edge.report.choices import FORMATS, GAINS, LAYOUTS, SPEEDS, Choices
from ecg_edge.wording import printable

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.findings import Finding
    from ecg_edge.quality.gate import GatePolicy
    from ecg_edge.readers import RecordFile
    from ecg_edge.report import Report


@click.command()
@click.argument("path", metavar="FILE")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here instead of standard output; the ending .svg, .html or .pdf says the format.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="Of the report.  [default: by the ending of the output, else svg]",
)
@click.option("--layout", type=click.Choice(list(LAYOUTS)), default="3x4", show_default=True, help="Rows and columns.")
@click.option(
    "--speed", type=click.Choice([str(speed) for speed in SPEEDS]), default="25", show_default=True, help="In mm/s."
)
@click.option(
    "--gain", type=click.Choice([str(gain) for gain in GAINS]), default="10", show_default=True, help="In mm/mV."
)
@click.option(
    "--start",
    type=FiniteRange(0, "s"),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Beginning of the picture, from the first sample.",
)
@click.option("--all-sites", is_flag=True, help="Give the sites even if no infarction is found.")
@click.option("--no-quality-gate", is_flag=True, help="Answer what the quality gate refuses, with a warning.")
@click.option(
    "--sampling-rate",
    type=Number("Hz"),
    metavar="HZ",
    help="Of a file that does not state it.  [default: 500 for .npy]",
)
@click.option("--units", metavar="mV|uV|V", help="Of a file that does not state them.  [default: mV for .npy]")
@click.option(
    "--leads",
    metavar="I,II,...",
    help="Channel names in file order; a name that is not a lead skips that channel.  [default: I to V6]",
)
@click.option(
    "--adc-gain",
    type=Number("steps"),
    metavar="STEPS",
    help="Converter steps per millivolt, of a file that is not calibrated.",
)
@click.option(
    "--max-duration",
    type=FiniteRange(0, "days", min_open=True),
    metavar="DAYS",
    default=31.0,
    show_default=True,
    help="Refuse longer recordings.",
)
@add_operating_point
@add_session_options
@click.pass_obj
def report(  # noqa: PLR0913, PLR0917 - one parameter an option
    unfinished: UnfinishedFiles | None,
    path: str,
    output: Path | None,
    kind: str | None,
    layout: str,
    speed: str,
    gain: str,
    start: float,
    all_sites: bool,
    no_quality_gate: bool,
    sampling_rate: float | None,
    units: str | None,
    leads: str | None,
    adc_gain: float | None,
    max_duration: float,
    operating_point: str | None,
    models: Path | None,
    provider: str,
) -> None:
    """Draw one recording with its finding on millimetre paper, as SVG, HTML or PDF.

    Exit status 0: the report was written with an answer. 1: the recording could not be read, or it could not be
    analysed and was drawn with the reasons. 2: wrong usage, or the output would overwrite an input.

    \b
    Examples:
      ecg-edge report recording.npy -o report.html
      ecg-edge report recording.npy -o report.pdf --layout 6x2 --speed 50
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    kind = kind or _choose_format(output)
    choices = Choices(layout, int(speed), int(gain), start)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn about harmless oddities in files
    declared = declare(sampling_rate, units, leads, adc_gain)
    policy: GatePolicy = "warn" if no_quality_gate else "refuse"
    with one_line_errors():
        record = _find_one(list_records([path], declared)[0], path)
        detector = load_detector(models, provider, 1, policy, max_duration * DAY_S, operating_point)
        refuse_overwriting(output, [record.source, *detector.folder.iterdir()])
        made = _draw(record, detector, choices, all_sites=all_sites)
        write_bytes(lambda: made.to_bytes(kind), output, unfinished)
    _tell_refusal(made.finding)


def _choose_format(output: Path | None) -> str:
    if output is None:
        return FORMATS[0]
    kind = output.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        endings = ", ".join(f".{name}" for name in FORMATS)
        msg = f"{printable(output.name)} ends with none of {endings}; name it so, or pass --format"
        raise click.UsageError(msg)
    return kind


def _find_one(records: list["RecordFile"], path: str) -> "RecordFile":
    """Return the only record of a path; end with status 2 if there are several."""
    if len(records) > 1:
        fail(f"{path} holds {len(records)} recordings, and a report has one; give the path of a single file", 2)
    return records[0]


def _draw(record: "RecordFile", detector: "Detector", choices: "Choices", *, all_sites: bool) -> "Report":
    from ecg_edge.errors import UndeclaredError
    from ecg_edge.report import report as draw

    try:
        recording = record.read()
    except UndeclaredError as error:
        # Here, --gain is the scale of the picture.
        fail(str(error).replace("--gain (", "--adc-gain ("))
    return draw(
        recording,
        detector,
        all_sites=all_sites,
        layout=choices.layout,
        speed=choices.speed,
        gain=choices.gain,
        start_s=choices.start_s,
    )


def _tell_refusal(finding: "Finding") -> None:
    """Say why a report has no probability, and exit with status 1; nothing if it has one."""
    if finding.probability is not None:
        return
    reasons = "; ".join(note.message for note in finding.reasons)
    click.echo(f"drawn without an answer: {printable(finding.record)}: {printable(reasons)}", err=True)
    sys.exit(1)
