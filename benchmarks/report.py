"""Time and size of the ECG on paper: `python -m benchmarks.report [DATA]`.

DATA is a folder of recordings; without it, the two example recordings are drawn. The time is that of drawing one record
and making its file, with its finding given. A row has the median and the largest value over the records.
"""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import click
import numpy as np

from ecg_edge.detector import Detector
from ecg_edge.errors import MissingExtraError
from ecg_edge.findings import Finding
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import find_records
from ecg_edge.recording import Recording
from ecg_edge.report import Choices, draw_report
from ecg_edge.report.choices import FORMATS, LAYOUTS


class Costs(NamedTuple):
    """What the reports of all records cost in one layout and format."""

    layout: str
    format: str
    milliseconds: list[float]
    """Median of each record."""
    kilobytes: list[float]


@click.command()
@click.argument("data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--records", type=click.IntRange(1), default=50, show_default=True, help="Records at most.")
@click.option("--repeat", type=click.IntRange(1), default=5, show_default=True, help="Samples of a time.")
def main(data: Path | None, records: int, repeat: int) -> None:
    """Print a table of times and sizes of reports, for the recordings in DATA."""
    files = list(find_records(data or example_recordings()))[:records]
    detector = Detector()
    recordings = [file.read() for file in files]
    answered = [(recording, detector.detect(recording, windows=True)) for recording in recordings]
    spec = detector.infarction.spec
    click.echo(f"{len(answered)} records, {repeat} samples of each\n")
    click.echo("| layout | format | time: median, largest | size: median, largest |")
    click.echo("|---|---|---|---|")
    for costs in _measure(answered, spec.window / spec.sampling_rate, repeat):
        times, sizes = np.array(costs.milliseconds), np.array(costs.kilobytes)
        click.echo(
            f"| {costs.layout} | {costs.format} | {np.median(times):.1f} ms, {times.max():.1f} ms "
            f"| {np.median(sizes):.0f} kB, {sizes.max():.0f} kB |"
        )


def _measure(answered: list[tuple[Recording, Finding]], window_s: float, repeat: int) -> Iterator[Costs]:
    for layout in LAYOUTS:
        for kind in FORMATS:
            costs = Costs(layout, kind, [], [])
            try:
                for recording, finding in answered:
                    times, size = _time(recording, finding, window_s, Choices(layout), kind, repeat)
                    costs.milliseconds.append(float(np.median(times)) * 1e3)
                    costs.kilobytes.append(size / 1e3)
            except MissingExtraError as error:
                click.echo(f"{layout} {kind} left out: {error}", err=True)
                continue
            yield costs


def _time(  # noqa: PLR0913, PLR0917 - one argument for each thing that is chosen
    recording: Recording, finding: Finding, window_s: float, choices: Choices, kind: str, repeat: int
) -> tuple[list[float], int]:
    """Return the seconds of each repetition, and the number of bytes."""
    times, size = [], 0
    for _ in range(repeat):
        start = perf_counter()
        size = len(draw_report(recording, finding, window_s, choices).to_bytes(kind))
        times.append(perf_counter() - start)
    return times, size


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.report")
