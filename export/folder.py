"""The files of every models folder: models, their specs, manifest and stored answers."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from ecg_edge.detector import Detector
from ecg_edge.model.description import describe_model
from ecg_edge.model.manifest import MANIFEST
from ecg_edge.model.spec import METADATA_KEY
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import read_recording
from ecg_edge.selfcheck import GOLDEN, golden_answer


def serialize(model: onnx.ModelProto) -> bytes:
    """Return the bytes of a model, the same for the same model."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def write_models(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the model file of each stage, its spec and the manifest."""
    _write_manifest(folder, {"schema": 1})
    for stage, content in contents.items():
        add_model(folder, stage, content)


def add_model(folder: Path, stage: str, content: bytes) -> None:
    """Write one more model file and its spec, or others in their place, and their entries in the manifest."""
    add_file(folder, "models", stage, f"{stage}.onnx", content)
    write_spec(folder, stage, stage, content)


def write_spec(folder: Path, stage: str, name: str, content: bytes) -> None:
    """Write beside a model file what its metadata say, and add the file to the manifest.

    Args:
        folder: Folder of the manifest and the model.
        stage: Of the model.
        name: Of the model file, without its suffix.
        content: Bytes of the model.
    """
    metadata = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    text = json.dumps(describe_model(metadata[METADATA_KEY]), ensure_ascii=False, indent=1) + "\n"
    add_file(folder, "specs", stage, f"{name}.json", text.encode())


def write_golden(folder: Path) -> None:
    """Store the answers of a folder's models for the example recordings, and add the file to the manifest."""
    detector = Detector(folder)
    recordings = [
        golden_answer(path, detector.detect(read_recording(path), all_sites=True))
        for path in sorted(example_recordings().glob("*.npy"))
    ]
    content = json.dumps({"tolerance": 1e-5, "recordings": recordings}, indent=1).encode()
    add_file(folder, "checks", "golden", GOLDEN, content)


def add_file(folder: Path, section: str, key: str, file: str, content: bytes) -> None:
    """Write a file, or another in its place, and its entry in a section of the manifest."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest.setdefault(section, {})[key] = _write_file(folder, file, content)
    _write_manifest(folder, manifest)


def _write_file(folder: Path, file: str, content: bytes) -> dict[str, Any]:
    """Write a file and return its entry in the manifest."""
    (folder / file).write_bytes(content)
    return {"file": file, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
