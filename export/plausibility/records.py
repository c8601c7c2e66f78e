"""Records of several databases as the plausibility network learns from them: no labels, only people and databases."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording import Recording
from ecg_edge.recording.resampling import resample
from export.errors import DatasetError

RATE = 500.0
MAIN_DATABASE = "ptb_xl"
SAMPLES = 5000
"""Samples that are kept of each record: ten seconds."""
_MICROVOLTS = 1000
_MOST_MV = 32.0


@dataclass(frozen=True, slots=True)
class Records:
    """Records and whom they are of. Row i of each array belongs to the same record."""

    names: tuple[str, ...]
    databases: tuple[str, ...]
    people: tuple[str, ...]
    """Patient, or the record itself where the source names no patient."""
    microvolts: NDArray[np.int16]
    """At 500 Hz, each lead less its median, zeros after the end of the record, shape (records, 12, SAMPLES)."""
    lengths: NDArray[np.int64]
    """Samples of each record, at most `SAMPLES`."""

    def signal(self, row: int) -> NDArray[np.float32]:
        """Return one record in millivolts, shape (12, its length)."""
        return self.microvolts[row, :, : self.lengths[row]].astype(np.float32) / np.float32(_MICROVOLTS)

    def folds(self, n_folds: int, seed: int) -> NDArray[np.int64]:
        """Return the fold of each record: no person is in two folds, and each database is spread evenly."""
        random = np.random.default_rng(seed)
        fold_of: dict[tuple[str, str], int] = {}
        for database in sorted(set(self.databases)):
            own = zip(self.databases, self.people, strict=True)
            people = sorted({person for of, person in own if of == database})
            for place, i in enumerate(random.permutation(len(people))):
                fold_of[database, people[i]] = place % n_folds
        return np.array([fold_of[key] for key in zip(self.databases, self.people, strict=True)])


def read_records(folders: Sequence[Path]) -> Records:
    """Read every `NAME.npy` of folders, with what the .csv files beside them say of it.

    The columns that count are `record_name`, `patient_id`, `database` (PTB-XL if there is none) and `sampling_rate`
    (500 Hz if there is none). A record that is in several folders is read once.

    Raises:
        DatasetError: A folder has no records, or a record does not have 12 leads.
    """
    paths: dict[str, tuple[Path, dict[str, str]]] = {}
    for folder in folders:
        about = _read_tables(folder)
        found = sorted(folder.glob("*.npy"))
        if not found:
            msg = f"{folder} has no .npy files"
            raise DatasetError(msg)
        paths.update({path.stem: (path, about.get(path.stem, {})) for path in found if path.stem not in paths})
    microvolts = np.zeros((len(paths), 12, SAMPLES), np.int16)
    lengths = np.zeros(len(paths), np.int64)
    for i, (path, row) in enumerate(paths.values()):
        signal = _read_signal(path, float(row.get("sampling_rate") or RATE))[:, :SAMPLES]
        lengths[i] = signal.shape[1]
        microvolts[i, :, : lengths[i]] = (signal.clip(-_MOST_MV, _MOST_MV) * _MICROVOLTS).round()
    rows = [row for _, row in paths.values()]
    return Records(
        tuple(paths),
        tuple(row.get("database") or MAIN_DATABASE for row in rows),
        tuple(row.get("patient_id") or name for name, row in zip(paths, rows, strict=True)),
        microvolts,
        lengths,
    )


def _read_tables(folder: Path) -> dict[str, dict[str, str]]:
    about: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if "record_name" in row:
                    about.setdefault(row["record_name"], {}).update(row)
    return about


def _read_signal(path: Path, rate: float) -> NDArray[np.float32]:
    """Return a record at 500 Hz, each lead less its median, shape (12, samples)."""
    signal = np.nan_to_num(np.load(path, allow_pickle=False).astype(np.float32))
    if signal.ndim != 2 or signal.shape[0] != 12:
        msg = f"{path.name} has shape {signal.shape}; expected (12, samples)"
        raise DatasetError(msg)
    if rate != RATE:
        recording = resample(Recording(signal, rate, name=path.stem), RATE)
        signal = recording.stretch(0, recording.samples)
    centred: NDArray[np.float32] = signal - np.median(signal, axis=1, keepdims=True)
    return centred
