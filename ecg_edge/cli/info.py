"""What `ecg-edge info` shows: the models and how well they were measured to do."""

import platform
from collections.abc import Iterator
from typing import Any

import onnxruntime

from ecg_edge.detector import Detector
from ecg_edge.model.spec import ModelSpec


def summary(detector: Detector) -> Iterator[str]:
    """Yield lines for people."""
    provenance = detector.provenance
    yield f"ecg_edge {provenance.ecg_edge}, onnxruntime {onnxruntime.__version__}, python {platform.python_version()}"
    yield f"provider {provenance.provider}"
    for model in (detector.infarction, detector.localization):
        yield ""
        yield from _model(model.spec, model.provenance.sha256)


def _model(spec: ModelSpec, sha256: str) -> Iterator[str]:
    yield f"{spec.name} {spec.version}, sha256 {sha256}"
    yield f"  input: {len(spec.leads)} leads, {spec.unit} at {spec.sampling_rate:g} Hz"
    yield f"  windows of {spec.window} samples every {spec.stride}"
    yield f"  thresholds: {spec.threshold_method}"
    yield f"  {'label':<15}{'threshold':>10}  {'sensitivity (95% CI)':<23}{'specificity (95% CI)':<23}n"
    for label, threshold in zip(spec.labels, spec.thresholds, strict=True):
        figures = spec.metrics.get(label)
        figures = figures if isinstance(figures, dict) else {}
        missing = "insufficient data" if label in spec.unproven else "not measured"
        cells = "".join(f"{_shown(figures.get(name), missing):<23}" for name in ("sensitivity", "specificity"))
        yield f"  {label:<15}{threshold:>10.3f}  {cells}{_of(figures.get('sensitivity'), 'n')}".rstrip()
    yield f"  trained on {spec.training_data}"


def _shown(figure: object, missing: str) -> str:
    value, low, high = (_of(figure, part) for part in ("value", "low", "high"))
    if not all(isinstance(each, float | int) for each in (value, low, high)):
        return missing
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _of(figure: object, part: str) -> Any:  # noqa: ANN401 - whatever the model says of itself
    return figure.get(part, "") if isinstance(figure, dict) else ""
