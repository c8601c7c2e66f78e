"""Find myocardial infarction in a 12-lead ECG and say where it sits."""

from typing import TYPE_CHECKING

from ecg_edge._version import __version__

__all__ = ["Detector", "EcgEdgeError", "Finding", "Recording", "__version__", "read_recording"]

if TYPE_CHECKING:
    from ecg_edge.detector import Detector
    from ecg_edge.errors import EcgEdgeError
    from ecg_edge.findings import Finding
    from ecg_edge.readers import read_recording
    from ecg_edge.recording import Recording

_HOMES = {
    "Detector": "detector",
    "EcgEdgeError": "errors",
    "Finding": "findings",
    "Recording": "recording",
    "read_recording": "readers",
}


def __getattr__(name: str) -> object:
    # Loaded on first use: `ecg-edge --help` must not wait for onnxruntime.
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
