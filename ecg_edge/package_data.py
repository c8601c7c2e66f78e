"""What comes with the package: models and example recordings."""

from importlib.resources import files
from pathlib import Path


def shipped_models() -> Path:
    """Return the folder of the models that come with the package."""
    return _folder("onnx_models")


def example_recordings() -> Path:
    """Return the folder of the example recordings that come with the package."""
    return _folder("examples")


def _folder(name: str) -> Path:
    package = Path(str(files("ecg_edge")))
    installed = package / name
    # A checkout has the folders beside the package.
    return installed if installed.is_dir() else package.parent / name
