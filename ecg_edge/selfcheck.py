"""Prove on this machine that the models are the ones that were shipped and answer as they did then."""

import hashlib
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from ecg_edge._version import __version__
from ecg_edge.detector import Detector
from ecg_edge.errors import EcgEdgeError
from ecg_edge.findings import Finding
from ecg_edge.model.manifest import MANIFEST, read_files
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.readers import read_recording

GOLDEN = "golden.json"


class SelfCheckError(EcgEdgeError):
    """An answer differs from the stored one."""


def self_check(detector: Detector) -> Iterator[str]:
    """Yield a line for each thing that was checked, and the verdict last.

    Raises:
        SelfCheckError: A golden recording is not the stored one, or its answer differs.
        ModelError: The stored answers are missing or differ from the manifest.
    """
    yield f"python {platform.python_version()}, numpy {np.__version__}, onnxruntime {onnxruntime.__version__}"
    yield f"ecg_edge {__version__}, provider {detector.provenance.provider}"
    for model in detector.provenance.models:
        yield f"model {model.name} {model.version}: sha256 {model.sha256[:12]}... as in the manifest"
    stored = read_files(detector.folder, "checks").get("golden")
    if stored is None:
        if detector.folder == shipped_models():
            msg = f"{detector.folder / MANIFEST} names no stored answers; install the package again"
            raise SelfCheckError(msg)
        yield "OK: the hashes are right; these models come without stored answers to compare"
        return
    try:
        yield from _compared(detector, json.loads(stored.content))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, EcgEdgeError):
            raise
        msg = f"{stored.path} holds no stored answers ({error!r})"
        raise SelfCheckError(msg) from error
    yield "OK: this installation answers as it was shipped"


def _compared(detector: Detector, golden: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each golden recording that is answered as it was."""
    for answer in golden["recordings"]:
        recording = read_recording(_checked_example(answer))
        difference = _difference(detector.detect(recording, all_sites=True), answer)
        # Other providers compute in other precisions: there only the decisions are promised.
        if detector.provenance.provider == "CPUExecutionProvider" and difference > golden["tolerance"]:
            msg = f"{answer['file']}: a probability differs by {difference:.1e}, more than {golden['tolerance']:.0e}"
            raise SelfCheckError(msg)
        yield f"golden recording {answer['file']}: same decisions, probabilities within {difference:.1e}"


def golden_answer(path: Path, finding: Finding) -> dict[str, Any]:
    """Return what is stored of the answer for an example recording; `finding` holds all sites."""
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "status": finding.status,
        "probability": finding.probability,
        "sites": {site.site: {"probability": site.probability, "found": site.found} for site in finding.sites},
    }


def _checked_example(answer: dict[str, Any]) -> Path:
    path = example_recordings() / Path(answer["file"]).name
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != answer["sha256"]:
        msg = f"{path} is missing or is not the recording that the stored answer is of"
        raise SelfCheckError(msg)
    return path


def _difference(finding: Finding, stored: dict[str, Any]) -> float:
    now = golden_answer(example_recordings() / stored["file"], finding)
    decisions = [
        (each["status"], {name: site["found"] for name, site in each["sites"].items()}) for each in (now, stored)
    ]
    if decisions[0] != decisions[1]:
        msg = f"{stored['file']}: decided {decisions[0]}, stored is {decisions[1]}"
        raise SelfCheckError(msg)
    pairs = [(now["probability"], stored["probability"])]
    pairs += [(site["probability"], stored["sites"][name]["probability"]) for name, site in now["sites"].items()]
    return max(float(abs(a - b)) for a, b in pairs)
