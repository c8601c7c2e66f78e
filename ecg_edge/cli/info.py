"""The command `ecg-edge info`: the models and their measured accuracy."""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecg_edge.cli.options import SHARE, Number, add_session_options, load_detector, one_line_errors

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.model.operating_point import OperatingPoint
    from ecg_edge.model.spec import ModelSpec


@click.command()
@click.option(
    "--prevalence",
    type=Number(SHARE),
    metavar="SHARE",
    help="Also show the predictive values if this share of the recordings, such as 0.08, has an infarction.",
)
@add_session_options
def info(prevalence: float | None, models: Path | None, provider: str) -> None:
    """Show the models, their operating points with sensitivity and specificity, the provider and the versions.

    \b
    Examples:
      ecg-edge info --prevalence 0.08
      ecg-edge info --models my_models/
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.wording import printable

    # Not a number fails every comparison.
    if prevalence is not None and not 0 < prevalence < 1:
        msg = f"--prevalence is {prevalence:g}, expected more than 0 and less than 1, such as 0.08 for 8%"
        if 1 <= prevalence < 100:
            msg += f"; for {prevalence:g}% write {prevalence / 100:g}"
        raise click.UsageError(msg)
    with one_line_errors():
        for line in summarize(load_detector(models, provider), prevalence):
            click.echo(printable(line))


def summarize(detector: "Detector", prevalence: float | None = None) -> Iterator[str]:
    """Yield lines for people.

    Args:
        detector: Has the models.
        prevalence: Share of the recordings with infarction, to add predictive values; more than 0 and less than 1.
    """
    from ecg_edge.model.runtime import onnxruntime

    provenance = detector.provenance
    yield f"ecg_edge {provenance.ecg_edge}, onnxruntime {onnxruntime.__version__}, python {platform.python_version()}"
    yield f"provider {provenance.provider}"
    yield f"operating points: {', '.join(detector.operating_points)}"
    for model in detector.models:
        yield ""
        yield from _describe(model.spec, model.provenance.sha256)
        if prevalence is not None and model is detector.infarction:
            yield from _predict(model.spec, prevalence)


def _describe(spec: "ModelSpec", sha256: str) -> Iterator[str]:
    yield f"{spec.name} {spec.version}, sha256 {sha256}"
    yield f"  input: {len(spec.leads)} leads, {spec.unit} at {spec.sampling_rate:g} Hz"
    yield f"  windows of {spec.window} samples every {spec.stride}"
    for name, point in spec.points.items():
        # The operating point of a detector does not change what the third model finds.
        yield f"  {'thresholds' if spec.stage == 'plausibility' else name}: {point.goal}"
        yield from _list_figures(point, spec.labels)
    measured = dict.fromkeys(point.measured for point in spec.points.values() if point.measured)
    yield from (f"  figures: {how}" for how in measured)
    yield f"  trained on {spec.training_data}"


def _list_figures(point: "OperatingPoint", labels: tuple[str, ...]) -> Iterator[str]:
    width = max(15, *(len(label) + 1 for label in labels))
    columns = ("sensitivity", "specificity")
    headings = "".join(f"{f'{column} (95% CI)':<25}" for column in columns)
    yield f"    {'label':<{width}}{'threshold':>10}  {headings}{'n':<7}positive"
    for label, threshold in zip(labels, point.thresholds, strict=True):
        missing = "insufficient data" if label in point.unproven else "not measured"
        shares = [point.share(label, column) for column in columns]
        cells = "".join(f"{missing if share is None else share.show():<25}" for share in shares)
        counts = [point.count(label, part) for part in ("n", "positives")]
        n, positives = ("" if count is None else str(count) for count in counts)
        yield f"    {label:<{width}}{threshold:>10.3f}  {cells}{n:<7}{positives}".rstrip()


def _predict(spec: "ModelSpec", prevalence: float) -> Iterator[str]:
    from ecg_edge.model.operating_point import compute_predictive_values

    yield f"  if {prevalence:g} of the recordings have an infarction:"
    yield f"    {'operating point':<18}{'positive predictive value':<29}negative predictive value"
    for name, point in spec.points.items():
        shares = [point.share(spec.labels[0], part) for part in ("sensitivity", "specificity")]
        sensitivity, specificity = shares
        if sensitivity is None or specificity is None:
            yield f"    {name:<18}not measured"
            continue
        values = compute_predictive_values(sensitivity, specificity, prevalence)
        positive, negative = ("undefined" if value is None else value.show() for value in values)
        yield f"    {name:<18}{positive:<29}{negative}"
    yield "    Each interval combines the ends of the intervals of sensitivity and specificity. Recordings of other"
    yield "    devices and patients than those measured may give other values."
