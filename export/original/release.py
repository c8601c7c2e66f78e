"""Convert the files of the original system to a models folder."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.spec import ModelSpec
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import read_recording
from export.checks import TOLERANCE, Limits, check_model
from export.folder import serialize, write_golden, write_models
from export.original.checkpoint import OriginalNetwork, read_checkpoint
from export.original.comparison import compare
from export.original.graph import OPERATORS, to_onnx
from export.original.reference import Reference
from export.original.rules import ARCHITECTURES, Rule
from export.original.runtime_check import check_runtime
from export.original.scaler import Scaler, read_scaler
from export.original.weights import round_weights
from export.vectors import write_vectors

LIMITS = Limits(OPERATORS, most_bytes=120_000_000)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Original:
    """The files of the original system."""

    checkpoints: Mapping[str, Path]
    """The checkpoint of each stage."""
    scaler: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How to convert them."""

    rule: Rule
    form: str
    """Form of the stored weights: "float32", "float16" or "int8"."""
    records: Path | None = None
    """Recordings on which float16 or int8 is compared with float32."""


def convert(original: Original, settings: Settings, out: Path, say: Say) -> None:
    """Write the models and what belongs to them. No file is replaced before all are made and checked.

    Raises:
        OriginalError: A file is damaged, or is not of the original system.
        ExportCheckError: The answers of a model differ from the torch network.
    """
    scaler = read_scaler(original.scaler)
    networks = {stage: read_checkpoint(path, ARCHITECTURES[stage]) for stage, path in original.checkpoints.items()}
    contents = {}
    for stage, network in networks.items():
        say(f"{stage}: comparing with torch")
        contents[stage] = _make_checked_model(stage, original, network, scaler, settings)
        say(f"{stage}: equal within {TOLERANCE}; {len(contents[stage]) / 1e6:.1f} MB as {settings.form}")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        made = Path(folder)
        write_models(made, contents)
        write_golden(made)
        write_vectors(made)
        for line in _compare_with_float32(original, networks, scaler, settings, made):
            say(line)
        for path in made.iterdir():
            path.replace(out / path.name)


def _make_checked_model(
    stage: str, original: Original, network: OriginalNetwork, scaler: Scaler, settings: Settings
) -> bytes:
    spec = _make_spec(stage, original, settings)
    network = round_weights(network, spec.stride, settings.form)
    content = serialize(to_onnx(network, spec, scaler, settings.form))
    reference, signals = Reference(network, spec, scaler), _read_trial_signals()
    check_model(content, reference, spec, signals, LIMITS)
    check_runtime(content, reference, signals[0])
    return content


def _make_spec(stage: str, original: Original, settings: Settings) -> ModelSpec:
    path = original.checkpoints[stage]
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    version = f"original-{sha256[:12]}-{settings.rule.name}-{settings.form}"
    return settings.rule.spec(
        stage, version, f"data that the converter does not know of; checkpoint {path.name}, sha256 {sha256}"
    )


def _read_trial_signals() -> NDArray[np.float32]:
    """Return the example recordings and one of noise, shape (3, 12, 5000)."""
    examples = [read_recording(path).stretch(0, 5000) for path in sorted(example_recordings().glob("*.npy"))]
    noise = np.random.default_rng(0).normal(0, 0.3, (12, 5000)).astype(np.float32)
    return np.stack([*examples[:2], noise])


def _compare_with_float32(
    original: Original, networks: Mapping[str, OriginalNetwork], scaler: Scaler, settings: Settings, made: Path
) -> Iterator[str]:
    if settings.form == "float32":
        return
    if settings.records is None:
        yield f"pass --data FOLDER to see which answers {settings.form} changes for the recordings there"
        return
    plain = replace(settings, form="float32")
    contents = {
        stage: serialize(to_onnx(network, _make_spec(stage, original, plain), scaler))
        for stage, network in networks.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        write_models(Path(folder), contents)
        yield from map(str, compare(Path(folder), made, settings.records))
