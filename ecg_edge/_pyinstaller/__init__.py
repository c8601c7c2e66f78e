"""Tells PyInstaller what a frozen program needs: the modules that are imported by name, the models and the examples."""

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """Return the folder of the hooks, for PyInstaller's entry point `pyinstaller40`."""
    return [str(Path(__file__).parent)]
