"""The command `ecg-edge evaluate`: measure the models on labelled records."""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.cli.options import (
    DAY_S,
    add_operating_point,
    add_reading_options,
    add_session_options,
    declare,
    load_detector,
    one_line_errors,
)
from ecg_edge.cli.output import end_on_write_errors, open_output
from ecg_edge.cli.overwriting import refuse_overwriting
from ecg_edge.cli.unfinished import UnfinishedFiles

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.evaluation.report import Report
    from ecg_edge.evaluation.selection import Columns
    from ecg_edge.quality.gate import GatePolicy
    from ecg_edge.readers import Declared

_FILE = click.Path(dir_okay=False, path_type=Path)
_TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=click.Path(exists=True))
@click.argument("labels", type=_TABLE, metavar="LABELS.csv")
@click.option("--record", metavar="COLUMN", help="Names of the records.  [default: record_name, name, filename ...]")
@click.option("--label", metavar="COLUMN", help="0 and 1, names of sites, or codes.  [default: a column for each site]")
@click.option("--positive", metavar="CODES", multiple=True, help="Codes that mean an infarction: IMI,AMI. Repeatable.")
@click.option("--patient", metavar="COLUMN", help="Resample by patient.  [default: by record]")
@click.option("--by", metavar="COLUMN", multiple=True, help="Also measure groups, such as sex or age. Repeatable.")
@click.option(
    "--about", type=_TABLE, metavar="TABLE.csv", help="A second table that has the columns of --patient, --by."
)
@click.option("--worst", type=click.IntRange(0), default=5, show_default=True, help="Mistakes to name for each label.")
@click.option(
    "--format",
    "rendering",
    type=click.Choice(["text", "json", "html"]),
    help="Of the report.  [default: by the ending of the output, .json or .html, else text]",
)
@click.option("--output", type=_FILE, help="Write here instead of standard output.")
@click.option("--figure", type=_FILE, help="Also write the figure of calibration, an SVG.")
@click.option("--threads", type=click.IntRange(1), help="Records at a time.  [default: number of usable cores]")
@add_reading_options
@add_operating_point
@click.option("--no-quality-gate", is_flag=True, help="Answer and measure what the quality gate refuses.")
@add_session_options
@click.pass_obj
def evaluate(  # noqa: PLR0913, PLR0917 - one parameter an option
    unfinished: UnfinishedFiles | None,
    folder: str,
    labels: Path,
    record: str | None,
    label: str | None,
    positive: tuple[str, ...],
    patient: str | None,
    by: tuple[str, ...],
    about: Path | None,
    worst: int,
    rendering: str | None,
    output: Path | None,
    figure: Path | None,
    threads: int | None,
    sampling_rate: float | None,
    units: str | None,
    leads: str | None,
    gain: float | None,
    max_duration: float,
    operating_point: str | None,
    no_quality_gate: bool,
    models: Path | None,
    provider: str,
) -> None:
    """Measure the models on your own records: FOLDER has the recordings, LABELS.csv what is known of them.

    Exit status 0: all labelled records were read. 1: one of them could not be read, or the labels cannot be used.
    2: wrong usage, or an output would overwrite an input.

    \b
    Examples:
      ecg-edge evaluate recordings/ labels.csv --label infarction --patient patient_id --by sex --by age
      ecg-edge evaluate recordings/ codes.csv --positive IMI,AMI,ASMI --format html --output report.html
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.cores import usable_cores
    from ecg_edge.evaluation.selection import Columns

    codes = tuple(code for text in positive for code in re.split(r"[\s,;]+", text) if code)
    _check_usage(positive, codes, output, figure)
    ending = "" if output is None else output.suffix.lower().lstrip(".")
    rendering = rendering or (ending if ending in {"json", "html"} else "text")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn about harmless oddities in files
    declared = declare(sampling_rate, units, leads, gain)
    columns = Columns(record, label, codes, patient, by)
    policy: GatePolicy = "warn" if no_quality_gate else "refuse"
    with one_line_errors():
        limit_s = max_duration * DAY_S
        detector = load_detector(models, provider, threads or usable_cores(), policy, limit_s, operating_point)
        measure = _prepare(detector, folder, labels, about, columns, declared, worst, (output, figure))
        report = _write(measure, rendering, output, figure, unfinished or UnfinishedFiles())
    if any(record.status == "error" for record in report.unanswered):
        click.echo("some labelled records could not be read; the report names them", err=True)
        sys.exit(1)


def _check_usage(positive: tuple[str, ...], codes: tuple[str, ...], output: Path | None, figure: Path | None) -> None:
    """Raise UsageError if options do not fit each other."""
    if positive and not codes:
        raise click.UsageError("--positive needs at least one code")
    if figure is not None and figure.suffix.lower() != ".svg":
        msg = f"--figure writes an SVG; give it a name that ends with .svg, not {figure.name}"
        raise click.UsageError(msg)
    if output is not None and figure is not None and output.resolve() == figure.resolve():
        raise click.UsageError("--output and --figure need two different files")


def _prepare(  # noqa: PLR0913, PLR0917 - what the options say
    detector: "Detector",
    folder: str,
    labels: Path,
    about: Path | None,
    columns: "Columns",
    declared: "Declared",
    n_worst: int,
    outputs: tuple[Path | None, ...],
) -> Callable[[], "Report"]:
    """Read the labels, and return a function that answers the records and measures the answers."""
    import numpy as np

    from ecg_edge.cli.listing import list_records, tell_apart
    from ecg_edge.cli.progress import show_records
    from ecg_edge.evaluation.label_table import read_table
    from ecg_edge.evaluation.report import evaluate as measure
    from ecg_edge.evaluation.selection import select_records

    tables = [labels, *([] if about is None else [about])]
    table, *more = map(read_table, tables)
    records = tell_apart(list_records([folder], declared, tables)[0])
    for output in outputs:
        refuse_overwriting(output, [*(record.source for record in records), *detector.folder.iterdir(), *tables])
    sites = detector.localization.spec.labels
    source, labelled, chosen = select_records(folder, table, columns, sites, records, *more)

    def answer_and_measure() -> "Report":
        # Sites count only with an infarction, by the label or by the answer.
        has_sites, ill = len(labelled.labels) > 1, labelled.truth[:, 0]
        parts = [(np.flatnonzero(ill), has_sites), (np.flatnonzero(~ill), False)]
        findings = chain.from_iterable(
            detector.detect_many([chosen[row] for row in rows], all_sites=all_sites) for rows, all_sites in parts
        )
        with show_records(findings, len(chosen), visible=True) as shown:
            answers = list(shown)
        order = np.argsort(np.concatenate([rows for rows, _ in parts]))
        return measure(source, labelled, [answers[place] for place in order], n_worst)

    return answer_and_measure


def _write(
    measure: Callable[[], "Report"],
    rendering: str,
    output: Path | None,
    figure: Path | None,
    unfinished: UnfinishedFiles,
) -> "Report":
    """Open the outputs, measure, and write the report and the figure; each file appears only when it is complete."""
    from ecg_edge.evaluation.reliability import draw_reliability

    encoding = None if rendering == "text" and sys.stdout.isatty() else "utf-8"
    with ExitStack() as stack:
        drawing = None
        if figure is not None:
            stack.enter_context(end_on_write_errors(figure))
            drawing = stack.enter_context(open_output(figure, unfinished, "utf-8"))
        stack.enter_context(end_on_write_errors(output))
        file = stack.enter_context(open_output(output, unfinished, encoding))
        report = measure()
        file.writelines(_render(report, rendering))
        if drawing is not None:
            with end_on_write_errors(figure):
                drawing.write(draw_reliability(report.calibration))
    return report


def _render(report: "Report", rendering: str) -> Iterator[str]:
    from ecg_edge.wording import printable

    if rendering == "json":
        import json

        from ecg_edge.evaluation.json_object import to_dict

        yield json.dumps(to_dict(report), indent=1, allow_nan=False) + "\n"
    elif rendering == "html":
        from ecg_edge.evaluation.html_page import render_html

        yield from render_html(report)
    else:
        from ecg_edge.evaluation.text import render_text

        yield from (f"{printable(line)}\n" for line in render_text(report))
