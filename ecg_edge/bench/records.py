"""Recordings for the benchmarks: copies of the package's examples, all different."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.package_data import example_recordings
from ecg_edge.readers import read_recording

# One record in five is an infarction, as in the data that the models were trained on: stage 2 runs on those.
ONE_IN = 5
_NOISE_MV = 0.005


def write_records(folder: Path, count: int) -> None:
    """Write `count` recordings of 10 s as .npy files: float32, Fortran order, as the records of the test set are."""
    normal, infarction = (read_example(name) for name in ("normal", "inferior_infarction"))
    for i in range(count):
        signal = infarction if i % ONE_IN == 0 else normal
        np.save(folder / f"{i:05}.npy", np.asfortranarray(_copy(signal, np.random.default_rng(i))))


def read_example(name: str) -> NDArray[np.float32]:
    """Return an example recording in millivolts, shape (12, 5000)."""
    recording = read_recording(find_example(name))
    return recording.stretch(0, recording.samples)


def find_example(name: str) -> Path:
    """Return the file of an example recording."""
    return example_recordings() / f"{name}.npy"


def _copy(signal: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Change the gain, and add noise that keeps the limb leads consistent with each other."""
    lead_1, lead_2, *chest = random.normal(0, _NOISE_MV, (8, signal.shape[1])).astype(np.float32)
    limb = [lead_1, lead_2, lead_2 - lead_1, -(lead_1 + lead_2) / 2, lead_1 - lead_2 / 2, lead_2 - lead_1 / 2]
    copied: NDArray[np.float32] = signal * np.float32(random.uniform(0.9, 1.1)) + np.stack([*limb, *chest])
    return copied
