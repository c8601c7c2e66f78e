"""The files of every models folder: models, manifest and stored answers."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from ecg_edge.detector import Detector
from ecg_edge.model.manifest import MANIFEST
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import read_recording
from ecg_edge.selfcheck import GOLDEN, golden_answer


def serialize(model: onnx.ModelProto) -> bytes:
    """Return the bytes of a model, the same for the same model."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def write_models(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the model file of each stage and the manifest."""
    entries = {stage: _write_file(folder, f"{stage}.onnx", content) for stage, content in contents.items()}
    _write_manifest(folder, {"schema": 1, "models": entries})


def add_model(folder: Path, stage: str, content: bytes) -> None:
    """Write one more model file, or another in its place, and its entry in the manifest."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["models"][stage] = _write_file(folder, f"{stage}.onnx", content)
    _write_manifest(folder, manifest)


def write_golden(folder: Path) -> None:
    """Store the answers of a folder's models for the example recordings, and add the file to the manifest."""
    detector = Detector(folder)
    recordings = [
        golden_answer(path, detector.detect(read_recording(path), all_sites=True))
        for path in sorted(example_recordings().glob("*.npy"))
    ]
    content = json.dumps({"tolerance": 1e-5, "recordings": recordings}, indent=1).encode()
    manifest = json.loads((folder / MANIFEST).read_bytes())
    _write_manifest(folder, manifest | {"checks": {"golden": _write_file(folder, GOLDEN, content)}})


def _write_file(folder: Path, file: str, content: bytes) -> dict[str, Any]:
    """Write a file and return its entry in the manifest."""
    (folder / file).write_bytes(content)
    return {"file": file, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
