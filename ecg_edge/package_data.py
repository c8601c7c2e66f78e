"""What comes with the package: models and example recordings."""

import atexit
from functools import cache
from pathlib import Path


def shipped_models() -> Path:
    """Return the folder of the models that come with the package."""
    return _find_folder("onnx_models")


def example_recordings() -> Path:
    """Return the folder of the example recordings that come with the package."""
    return _find_folder("examples")


def _find_folder(name: str) -> Path:
    package = Path(__file__).parent
    # A checkout has the folders beside the package.
    for folder in (package / name, package.parent / name):
        if folder.is_dir():
            return folder
    return _unpack(name)


@cache
def _unpack(name: str) -> Path:
    """Copy a folder out of the archive that the package is imported from, until the process ends."""
    # Only here: the import costs as much as an answer.
    from importlib.resources import files
    from tempfile import TemporaryDirectory

    folder = TemporaryDirectory(prefix="ecg_edge-")
    atexit.register(folder.cleanup)
    for item in (files("ecg_edge") / name).iterdir():
        if item.is_file():
            (Path(folder.name) / item.name).write_bytes(item.read_bytes())
    return Path(folder.name)
