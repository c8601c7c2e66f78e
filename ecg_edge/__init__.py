"""Find myocardial infarction in a 12-lead ECG and say where it sits."""

import os
from typing import TYPE_CHECKING

from ecg_edge._version import __version__

__all__ = [
    "Detector",
    "EcgEdgeError",
    "Finding",
    "Recording",
    "__version__",
    "errors",
    "explanation",
    "findings",
    "read_recording",
    "readers",
    "recording",
    "report",
    "stream",
]

# From version 1.29 on, onnxruntime keeps a device id and events in the home folder and sends them. It reads this
# variable when it is imported. ORT_DISABLE_TELEMETRY=0 leaves its telemetry on.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from ecg_edge import errors, explanation, findings, readers, recording, stream
    from ecg_edge.detector import Detector
    from ecg_edge.errors import EcgEdgeError
    from ecg_edge.findings import Finding
    from ecg_edge.readers import read_recording
    from ecg_edge.recording import Recording
    from ecg_edge.report import report

_HOMES = {
    "Detector": "detector",
    "EcgEdgeError": "errors",
    "Finding": "findings",
    "Recording": "recording",
    "read_recording": "readers",
}
_MODULES = ("errors", "explanation", "findings", "readers", "recording", "report", "stream")


def __getattr__(name: str) -> object:
    # Loaded on first use: `ecg-edge --help` must not wait for onnxruntime.
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
