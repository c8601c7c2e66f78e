"""Fixtures for all tests."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import write_models

from ecg_edge import Detector, Recording

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


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """Answers the flat leads of most tests, which the quality gate would refuse."""
    return Detector(tiny_folder, quality_gate="warn")


@pytest.fixture(scope="session")
def gated(tiny_folder):
    return Detector(tiny_folder)


@pytest.fixture(scope="session")
def shipped():
    return Detector()


@pytest.fixture
def ecg():
    """Make a recording whose leads are flat at given millivolts; leads that are not named are at 0."""

    def make(samples=5000, name="made", **millivolts):
        from ecg_edge.recording import LEADS

        signal = np.zeros((12, samples), np.float32)
        for lead, value in millivolts.items():
            signal[LEADS.index(lead)] = value
        return Recording(signal, name=name)

    return make


@pytest.fixture
def noise():
    """Make a recording of white noise, 0.3 mV, whose limb leads agree with each other."""

    def make(samples=5000, seed=0):
        signal = np.random.default_rng(seed).normal(0, 0.3, (12, samples)).astype(np.float32)
        first, second = signal[:2]
        signal[2:6] = second - first, -(first + second) / 2, first - second / 2, second - first / 2
        return Recording(signal, name=f"noise{seed}")

    return make
