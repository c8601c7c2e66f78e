"""Checks on this machine that the models are the shipped ones and give the stored answers."""

import hashlib
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ecg_edge._version import __version__
from ecg_edge.detector import Detector
from ecg_edge.errors import EcgEdgeError
from ecg_edge.findings import Finding
from ecg_edge.model.manifest import MANIFEST, read_files
from ecg_edge.model.operating_point import BALANCED
from ecg_edge.model.runtime import onnxruntime
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.readers import read_recording

GOLDEN = "golden.json"


class SelfCheckError(EcgEdgeError):
    """An answer differs from the stored one, or a file is not the stored one."""


def self_check(detector: Detector) -> Iterator[str]:
    """Check versions, hashes and golden recordings; yield a line for each, and the result last.

    The stored answers are those of the operating point "balanced", so this point is checked whatever the detector's is.

    Raises:
        SelfCheckError: A golden recording has changed, or its answer differs.
        ModelError: The file of stored answers is missing or differs from the manifest.
    """
    yield f"python {platform.python_version()}, numpy {np.__version__}, onnxruntime {onnxruntime.__version__}"
    yield f"ecg_edge {__version__}, provider {detector.provenance.provider}"
    for model in detector.provenance.models:
        yield f"model {model.name} {model.version}: sha256 {model.sha256[:12]}... as in the manifest"
    stored = read_files(detector.folder, "checks").get("golden")
    if stored is None:
        if detector.folder == shipped_models():
            msg = f"{detector.folder / MANIFEST} does not name stored answers; install the package again"
            raise SelfCheckError(msg)
        yield "OK: the hashes are right; these models have no stored answers to compare with"
        return
    try:
        yield from _compare(detector.at(BALANCED), json.loads(stored.content))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, EcgEdgeError):
            raise
        msg = f"{stored.path} does not contain stored answers ({error!r})"
        raise SelfCheckError(msg) from error
    yield "OK: this installation gives the stored answers"


def _compare(detector: Detector, golden: dict[str, Any]) -> Iterator[str]:
    """Compare the answer for each golden recording with the stored one; yield a line for each."""
    for answer in golden["recordings"]:
        recording = read_recording(_find_example(answer))
        difference = _find_difference(detector.detect(recording, all_sites=True), answer)
        # Other providers compute with another precision: there, only the decisions must agree.
        if detector.provenance.provider == "CPUExecutionProvider" and difference > golden["tolerance"]:
            msg = f"{answer['file']}: a probability differs by {difference:.1e}, more than {golden['tolerance']:.0e}"
            raise SelfCheckError(msg)
        yield f"golden recording {answer['file']}: same decisions, probabilities within {difference:.1e}"


def golden_answer(path: Path, finding: Finding) -> dict[str, Any]:
    """Return the answer for an example recording as it is stored; `finding` must have all sites."""
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "status": finding.status,
        "probability": finding.probability,
        "sites": {site.site: {"probability": site.probability, "found": site.found} for site in finding.sites},
    }


def _find_example(answer: dict[str, Any]) -> Path:
    path = example_recordings() / Path(answer["file"]).name
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != answer["sha256"]:
        msg = f"{path} is missing, or is not the recording of the stored answer; install the package again"
        raise SelfCheckError(msg)
    return path


def _find_difference(finding: Finding, stored: dict[str, Any]) -> float:
    now = golden_answer(example_recordings() / stored["file"], finding)
    decided, expected = _read_decisions(now), _read_decisions(stored)
    if decided != expected:
        msg = f"{stored['file']}: decided {decided}, expected {expected}"
        raise SelfCheckError(msg)
    pairs = [(now["probability"], stored["probability"])]
    pairs += [(site["probability"], stored["sites"][name]["probability"]) for name, site in now["sites"].items()]
    return max(float(abs(a - b)) for a, b in pairs)


def _read_decisions(answer: dict[str, Any]) -> tuple[str, dict[str, bool]]:
    return answer["status"], {name: site["found"] for name, site in answer["sites"].items()}
