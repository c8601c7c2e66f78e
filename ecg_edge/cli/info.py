"""The command `ecg-edge info`: the models and their measured accuracy."""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecg_edge.cli.options import add_session_options, load_detector, one_line_errors

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.model.spec import ModelSpec


@click.command()
@add_session_options
def info(models: Path | None, provider: str) -> None:
    """Show the models, their thresholds with sensitivity and specificity, the provider and the versions.

    \b
    Examples:
      ecg-edge info
      ecg-edge info --models my_models/
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.wording import printable

    with one_line_errors():
        for line in summarize(load_detector(models, provider)):
            click.echo(printable(line))


def summarize(detector: "Detector") -> Iterator[str]:
    """Yield lines for people."""
    from ecg_edge.model.runtime import onnxruntime

    provenance = detector.provenance
    yield f"ecg_edge {provenance.ecg_edge}, onnxruntime {onnxruntime.__version__}, python {platform.python_version()}"
    yield f"provider {provenance.provider}"
    for model in detector.models:
        yield ""
        yield from _describe(model.spec, model.provenance.sha256)


def _describe(spec: "ModelSpec", sha256: str) -> Iterator[str]:
    yield f"{spec.name} {spec.version}, sha256 {sha256}"
    yield f"  input: {len(spec.leads)} leads, {spec.unit} at {spec.sampling_rate:g} Hz"
    yield f"  windows of {spec.window} samples every {spec.stride}"
    yield f"  thresholds: {spec.threshold_method}"
    width = max(15, *(len(label) + 1 for label in spec.labels))
    yield f"  {'label':<{width}}{'threshold':>10}  {'sensitivity (95% CI)':<23}{'specificity (95% CI)':<23}n"
    for label, threshold in zip(spec.labels, spec.thresholds, strict=True):
        figures = spec.metrics.get(label)
        figures = figures if isinstance(figures, dict) else {}
        missing = "insufficient data" if label in spec.unproven else "not measured"
        cells = "".join(f"{_show(figures.get(name), missing):<23}" for name in ("sensitivity", "specificity"))
        yield f"  {label:<{width}}{threshold:>10.3f}  {cells}{_get(figures.get('sensitivity'), 'n')}".rstrip()
    yield f"  trained on {spec.training_data}"


def _show(figure: object, missing: str) -> str:
    value, low, high = (_get(figure, part) for part in ("value", "low", "high"))
    if not all(isinstance(number, float | int) for number in (value, low, high)):
        return missing
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _get(figure: object, part: str) -> Any:  # noqa: ANN401 - a model may state any value
    return figure.get(part, "") if isinstance(figure, dict) else ""
