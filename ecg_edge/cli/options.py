"""What the commands share: options, one-line errors, the detector and progress."""

import math
import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ecg_edge.errors import EcgEdgeError, OperatingPointError

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.quality.gate import GatePolicy
    from ecg_edge.readers import Declared

DAY_S = 86400


SHARE = "share"
"""The unit of a share, which some write as a percentage."""
_WRITTEN = r"\s*([-+]?\d+(?:[.,]\d+)?)\s*([^\W\d_]*|%)\s*"


class Number(click.types.FloatParamType):
    """A number. The error of one that is written with its unit, or with a decimal comma, says how to write it.

    Args:
        unit: Such as "Hz", or `SHARE`.
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Return the number, or end with wrong usage."""
        advice = _correct_number(value, self.unit) if isinstance(value, str) else None
        if advice is not None:
            self.fail(f"{value!r} is not a number alone; write {advice}", param, ctx)
        return float(super().convert(value, param, ctx))


def _correct_number(text: str, unit: str) -> str | None:
    """Return how to write a number that is written with its unit or a decimal comma; None if it is neither."""
    parts = re.fullmatch(_WRITTEN, text)
    if parts is None:
        return None
    number, ending = parts.groups()
    # 1,000 may be a thousand.
    if re.fullmatch(r"[-+]?[1-9]\d*,\d{3}", number) or not (ending or "," in number):
        return None
    number = number.replace(",", ".")
    if ending == "%" and unit == SHARE:
        return f"{float(number) / 100:g}"
    return number if ending.casefold() in {"", unit.casefold()} else None


class FiniteRange(Number, click.FloatRange):
    """A number in a range; NaN and infinity are in none."""

    def __init__(self, lowest: float, unit: str, *, min_open: bool = False) -> None:
        Number.__init__(self, unit)
        click.FloatRange.__init__(self, lowest, min_open=min_open)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Return the number, or end with wrong usage."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


Task = TypeVar("Task")


def add_session_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which models run where."""
    for option in (
        click.option(
            "--models",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Folder with a manifest and models.  [default: the shipped models]",
        ),
        click.option(
            "--provider",
            type=click.Choice(["cpu", "cuda"]),
            default="cpu",
            show_default=True,
            help="Where the models run.",
        ),
    ):
        command = option(command)
    return command


def add_reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how files are read."""
    options = (
        click.option(
            "--sampling-rate",
            type=Number("Hz"),
            metavar="HZ",
            help="Of files that do not state it.  [default: 500 for .npy]",
        ),
        click.option("--units", metavar="mV|uV|V", help="Of files that do not state them.  [default: mV for .npy]"),
        click.option(
            "--leads",
            metavar="I,II,...",
            help="Channel names in file order; a name that is not a lead skips that channel.  [default: I to V6]",
        ),
        click.option(
            "--gain",
            type=Number("steps"),
            metavar="STEPS",
            help="Converter steps per millivolt, of files that are not calibrated.",
        ),
        click.option(
            "--max-duration",
            type=FiniteRange(0, "days", min_open=True),
            metavar="DAYS",
            default=31.0,
            show_default=True,
            help="Refuse longer recordings.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def add_operating_point(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option that says at which operating point the models decide."""
    return click.option(
        "--operating-point",
        metavar="NAME",
        help="Thresholds that decide: balanced, or such as sensitive and specific; `ecg-edge info` lists them.  "
        "[default: balanced]",
    )(command)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print an error of this package in one line and exit with status 1."""
    try:
        yield
    except EcgEdgeError as error:
        from ecg_edge.wording import printable

        click.echo(f"error: {printable(str(error))}", err=True)
        sys.exit(1)


def load_detector(  # noqa: PLR0913, PLR0917 - the settings of a detector
    models: Path | None,
    provider: str,
    threads: int = 1,
    quality_gate: "GatePolicy" = "refuse",
    max_duration_s: float | None = None,
    operating_point: str | None = None,
) -> "Detector":
    """Load a detector; onnxruntime is imported only here.

    Raises:
        UsageError: The models do not have the operating point.
    """
    from ecg_edge.decision import MOST_S
    from ecg_edge.detector import Detector

    limit_s = MOST_S if max_duration_s is None else max_duration_s
    detector = Detector(models, provider=provider, threads=threads, quality_gate=quality_gate, max_duration_s=limit_s)
    if operating_point is None:
        return detector
    try:
        return detector.at(operating_point)
    except OperatingPointError as error:
        from ecg_edge.wording import printable

        raise click.UsageError(printable(str(error))) from error


def declare(sampling_rate: float | None, units: str | None, leads: str | None, gain: float | None) -> "Declared":
    """Return what the options declare about files.

    Raises:
        UsageError: An option has an invalid value.
    """
    from ecg_edge.readers import Declared

    try:
        return Declared(sampling_rate, units, tuple(leads.split(",")) if leads is not None else None, gain)
    except EcgEdgeError as error:
        raise click.UsageError(str(error)) from error


def track_progress(tasks: Collection[Task], label: str) -> Iterator[Task]:
    """Yield tasks and show on a terminal, on standard error, how many of them are done."""
    if not sys.stderr.isatty():
        yield from tasks
        return
    with click.progressbar(tasks, len(tasks), label=label, file=sys.stderr) as bar:
        yield from bar
