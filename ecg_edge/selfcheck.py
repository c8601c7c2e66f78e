"""Checks on this machine that the models are the shipped ones and give the stored answers."""

import hashlib
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ecg_edge._version import __version__
from ecg_edge.detector import Detector
from ecg_edge.errors import EcgEdgeError
from ecg_edge.findings import Finding
from ecg_edge.model.description import describe_model
from ecg_edge.model.manifest import MANIFEST, CheckedFile, read_files, read_present_files
from ecg_edge.model.operating_point import BALANCED
from ecg_edge.model.runtime import onnxruntime
from ecg_edge.model.session import Model
from ecg_edge.model.vectors import answer_windows, build_input
from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.readers import read_recording

GOLDEN = "golden.json"
_WRITE_AGAIN = "write it again: python -m export describe FOLDER"


class SelfCheckError(EcgEdgeError):
    """An answer differs from the stored one, or a file is not the stored one."""


def self_check(detector: Detector) -> Iterator[str]:
    """Check versions, hashes, specs, test vectors and golden recordings; yield a line for each, and the result last.

    The stored answers are those of the operating point "balanced", so this point is checked whatever the detector's is.

    Raises:
        SelfCheckError: A golden recording has changed, an answer differs from the stored one, or a spec beside a model
            differs from the model's own.
        ModelError: A file of specs or of stored answers is missing or differs from the manifest.
    """
    yield f"python {platform.python_version()}, numpy {np.__version__}, onnxruntime {onnxruntime.__version__}"
    yield f"ecg_edge {__version__}, provider {detector.provenance.provider}"
    for model in detector.provenance.models:
        yield f"model {model.name} {model.version}: sha256 {model.sha256[:12]}... as in the manifest"
    yield from _check_specs(detector)
    yield from _check_vectors(detector)
    stored = read_files(detector.folder, "checks").get("golden")
    if stored is None:
        if detector.folder == shipped_models():
            msg = f"{detector.folder / MANIFEST} does not name stored answers; install the package again"
            raise SelfCheckError(msg)
        yield "OK: the hashes are right; these models have no stored answers to compare with"
        return
    with _refuse_other_content(stored, "stored answers"):
        yield from _compare(detector.at(BALANCED), json.loads(stored.content))
    yield "OK: this installation gives the stored answers"


@contextmanager
def _refuse_other_content(file: CheckedFile, what: str) -> Iterator[None]:
    try:
        yield
    except EcgEdgeError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        msg = f"{file.path} does not contain {what} ({error!r})"
        raise SelfCheckError(msg) from error


def _check_specs(detector: Detector) -> Iterator[str]:
    """Compare each spec beside a model with the model's metadata; yield a line for each."""
    files = read_files(detector.folder, "specs")
    for model in detector.models:
        file = files.get(model.spec.stage)
        if file is None:
            continue
        with _refuse_other_content(file, "a spec"):
            stated = json.loads(file.content)
        if stated != describe_model(model.metadata):
            msg = f"{file.path} does not say what the metadata of the model say; {_WRITE_AGAIN}"
            raise SelfCheckError(msg)
        yield f"spec {file.path.name}: as in the model"


def _check_vectors(detector: Detector) -> Iterator[str]:
    """Compare the answers to the test vectors, if the folder has them, with the stored ones; yield a line for each."""
    file = read_present_files(detector.folder, "ports").get("vectors")
    if file is None:
        return
    with _refuse_other_content(file, "test vectors"):
        vectors = json.loads(file.content)
        for model in detector.models:
            stored = vectors["models"].get(model.spec.stage)
            if stored is None or stored["sha256"] != model.provenance.sha256:
                msg = f"{file.path} was not made with this model of the stage {model.spec.stage}; {_WRITE_AGAIN}"
                raise SelfCheckError(msg)
            worst = np.max([_find_vector_difference(model, vectors, entry) for entry in vectors["inputs"]])
            # As for golden recordings, other providers compute with another precision.
            if detector.provenance.provider == "CPUExecutionProvider" and not worst <= vectors["tolerance"]:
                allowed = f"more than {vectors['tolerance']:.0e}"
                msg = f"{file.path}: an answer of the model {model.spec.name} differs by {worst:.1e}, {allowed}"
                raise SelfCheckError(msg)
            yield f"test vectors of {model.spec.name}: {len(vectors['inputs'])} inputs, answers within {worst:.1e}"


def _find_vector_difference(model: Model, vectors: dict[str, Any], entry: dict[str, Any]) -> float:
    """Return the largest difference of the answers to one input: of its windows and of their mean."""
    ecg = build_input(vectors, entry)
    if hashlib.sha256(ecg.astype("<f4").tobytes()).hexdigest() != entry["sha256"]:
        msg = f"the input {entry['name']} does not have the samples that its sha256 states"
        raise ValueError(msg)
    stored = vectors["models"][model.spec.stage]["answers"][entry["name"]]
    windows, mean = answer_windows(model, ecg)
    pairs = (windows, stored["windows"]), (mean, stored["mean"])
    differences = [np.abs(found - np.array(expected, float).reshape(found.shape)).ravel() for found, expected in pairs]
    return float(np.concatenate(differences).max(initial=0))


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
