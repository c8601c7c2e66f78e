"""Errors of the files of the original system."""

from pathlib import Path

from export.errors import ExportError


class OriginalError(ExportError):
    """A file of the original system that cannot be converted."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")


class CheckpointError(OriginalError):
    """A checkpoint that is not one of the two networks."""


class ScalerError(OriginalError):
    """A file that is not the scaler."""
