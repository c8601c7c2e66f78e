"""What every models folder has: the files, the manifest and the stored answers."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import onnx

from ecg_edge.detector import Detector
from ecg_edge.model import MANIFEST
from ecg_edge.readers import read_recording
from ecg_edge.selfcheck import GOLDEN, example_recordings, golden_answer


def serialized(model: onnx.ModelProto) -> bytes:
    """Return the bytes of a model, the same for the same model."""
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def write_models(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the model file of each stage and the manifest."""
    entries = {}
    for stage, content in contents.items():
        file = f"{stage}.onnx"
        (folder / file).write_bytes(content)
        entries[stage] = {"file": file, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    _write_json(folder / MANIFEST, {"schema": 1, "models": entries})


def write_golden(folder: Path) -> None:
    """Store what the models of a folder answer for the example recordings."""
    detector = Detector(folder)
    recordings = [
        golden_answer(path.name, detector.detect(read_recording(path), all_sites=True))
        for path in sorted(example_recordings().glob("*.npy"))
    ]
    _write_json(folder / GOLDEN, {"tolerance": 1e-5, "recordings": recordings})


def _write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
