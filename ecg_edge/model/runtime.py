"""onnxruntime, with its telemetry switched off unless the environment asks for it."""

import os

import onnxruntime

__all__ = ["onnxruntime"]

# The package sets the variable when it is imported. This is for a program that imported onnxruntime before the package.
if os.environ.get("ORT_DISABLE_TELEMETRY") != "0":
    onnxruntime.disable_telemetry_events()
