"""Fixtures that both rooms use."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Folder with the real records in the competition's layout."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real records are not at {SHARED_DATA}")
    folder = tmp_path_factory.mktemp("records")
    subprocess.run([sys.executable, SHARED_DATA / "unpack.py", folder], check=True)
    return folder
