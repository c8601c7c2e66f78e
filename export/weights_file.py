"""Files of trained weights. A killed training leaves no half-written file, and other settings are noticed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from export.errors import RunsError


def is_trained(path: Path, fingerprint: str) -> bool:
    """Return whether the file is there.

    Args:
        path: Of the weights.
        fingerprint: Hash of the settings and the records of the training.

    Raises:
        RunsError: The file is of another training.
    """
    if not path.exists():
        return False
    if torch.load(path, weights_only=True)["fingerprint"] != fingerprint:
        msg = f"{path} was trained with other settings or records: remove it, or choose another folder for the runs"
        raise RunsError(msg)
    return True


def save_weights(path: Path, fingerprint: str, weights: Mapping[Any, Any]) -> None:
    """Write the file beside its place, then put it there."""
    unfinished = path.with_suffix(".unfinished")
    torch.save({"fingerprint": fingerprint, "weights": weights}, unfinished)
    unfinished.replace(path)
