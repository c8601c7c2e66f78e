"""`python -m benchmarks`: measure, and write JSON, a Markdown page and a chart."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

import ecg_edge.bench.suite
from benchmarks import suite
from benchmarks.markdown import render_page
from ecg_edge.bench.machine import describe_machine
from ecg_edge.bench.records import write_records
from ecg_edge.bench.report import Report, show_figure
from ecg_edge.bench.row import Row
from ecg_edge.bench.runner import find_benchmarks, run_benchmark
from ecg_edge.bench.setup import DAY_S, Setup
from ecg_edge.bench.suite.full_set import RECORDS
from ecg_edge.bench.timing import Effort
from ecg_edge.cli.options import FiniteRange
from ecg_edge.cores import usable_cores
from ecg_edge.errors import EcgEdgeError
from ecg_edge.readers import find_records

_BENCHMARKS = find_benchmarks(ecg_edge.bench.suite, suite)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(epilog=f"Names: {', '.join(_BENCHMARKS)}.")
@click.option(
    "--only", "names", type=click.Choice(list(_BENCHMARKS)), multiple=True, metavar="NAME", help="May be repeated."
)
@click.option("--data", type=_FOLDER, help=f"Folder of recordings.  [default: {RECORDS} made from the examples]")
@click.option("--models", type=_FOLDER, help="Folder with a manifest and models.")
@click.option("--provider", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Maximum records at a time.  [default: number of usable cores]")
@click.option("--repeat", type=click.IntRange(1), default=7, show_default=True, help="Maximum samples of a figure.")
@click.option(
    "--seconds", type=FiniteRange(0, "s"), default=60, show_default=True, help="Maximum seconds for a figure."
)
@click.option(
    "--longest", type=FiniteRange(10, "s"), default=DAY_S, show_default=True, help="Recording to make, in seconds."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(__file__).with_name("results") / "latest",
    help="Where to write, without a suffix.  [default: benchmarks/results/latest]",
)
def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    names: tuple[str, ...],
    data: Path | None,
    models: Path | None,
    provider: str,
    threads: int | None,
    repeat: int,
    seconds: float,
    longest: float,
    out: Path,
) -> None:
    """Measure the runtime: all benchmarks, or those that are named.

    A day of recording takes 2 GB of temporary files and a minute; --longest 3600 takes neither.
    """
    failed: list[str] = []
    try:
        with _prepare_folder(data) as (folder, records):
            effort = Effort(repeat, seconds)
            setup = Setup(folder, effort, provider, threads or usable_cores(), models, longest)
            where = describe_machine(setup, records)
            report = Report(where, tuple(_measure(names or tuple(_BENCHMARKS), setup, failed)))
    except EcgEdgeError as error:
        _say(f"error: {error}")
        sys.exit(1)
    if report.rows:
        _write(report, out)
    if failed or not report.rows:
        sys.exit(1)


@contextmanager
def _prepare_folder(data: Path | None) -> Iterator[tuple[Path, str]]:
    if data is not None:
        yield data, f"{sum(1 for _ in find_records(data))} in the folder {data.resolve().name!r}"
        return
    with tempfile.TemporaryDirectory() as made:
        write_records(Path(made), RECORDS)
        yield Path(made), f"{RECORDS} made from the package's two synthetic examples"


def _measure(names: tuple[str, ...], setup: Setup, failed: list[str]) -> Iterator[Row]:
    """Yield the rows of benchmarks; if one fails (the disk is full, for example), the others still run."""
    for name in dict.fromkeys(names):
        _say(name)
        try:
            for row in run_benchmark(name, _BENCHMARKS[name], setup):
                _say(f"  {row.name}: {show_figure(row.median)} {row.unit}")
                yield row
        except (EcgEdgeError, OSError) as error:
            failed.append(name)
            _say(f"error: {name}: {error}")
        except ModuleNotFoundError as error:
            _say(f'  left out: needs {error.name}; pip install -e ".[export]"')


def _write(report: Report, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    json_file, page_file, chart_file = (out.with_name(out.name + suffix) for suffix in (".json", ".md", ".svg"))
    json_file.write_text(report.to_json() + "\n", encoding="utf-8")
    drawn = _draw_chart(report, chart_file)
    lines = render_page(report, chart_file.name if drawn else None)
    page_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _say(f"written: {json_file}, {page_file.name}{f', {chart_file.name}' if drawn else ''}")


def _draw_chart(report: Report, path: Path) -> bool:
    try:
        from benchmarks.chart import draw
    except ModuleNotFoundError as error:
        _say(f'no chart: it needs {error.name}; pip install -e ".[bench]"')
        return False
    draw(report, path)
    return True


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
