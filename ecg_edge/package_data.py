"""What comes with the package: models and example recordings."""

import atexit
from functools import cache
from importlib.resources import files
from pathlib import Path


def shipped_models() -> Path:
    """Return the folder of the models that come with the package."""
    return _find_folder("onnx_models")


def example_recordings() -> Path:
    """Return the folder of the example recordings that come with the package."""
    return _find_folder("examples")


def _find_folder(name: str) -> Path:
    package = files("ecg_edge")
    if not isinstance(package, Path):
        return _unpack(name)
    installed = package / name
    # A checkout has the folders beside the package.
    return installed if installed.is_dir() else package.parent / name


@cache
def _unpack(name: str) -> Path:
    """Copy a folder out of the archive that the package is imported from, until the process ends."""
    from tempfile import TemporaryDirectory

    folder = TemporaryDirectory(prefix="ecg_edge-")
    atexit.register(folder.cleanup)
    for item in (files("ecg_edge") / name).iterdir():
        if item.is_file():
            (Path(folder.name) / item.name).write_bytes(item.read_bytes())
    return Path(folder.name)
