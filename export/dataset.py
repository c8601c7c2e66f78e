"""A folder of labelled records in the competition's layout, as arrays."""

import ast
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.competition import SITE_COLUMNS
from export.errors import DatasetError
from export.subgroups import Subgroup, list_subgroups

SITES = tuple(SITE_COLUMNS)
_COLUMNS = tuple(SITE_COLUMNS.values())
_META = ("record_name", "patient_id", "age", "sex", "scp_codes", "infarction_stadium1", "pacemaker")
_STAGES = ("Stadium I", "Stadium II", "Stadium II-III", "Stadium III")
_RARE = 10


@dataclass(frozen=True, slots=True)
class CodedRecords:
    """Records that have PTB-XL's statements and no label of the experts. Row i of each array is of the same record."""

    signals: NDArray[np.float32]
    """Millivolts at 500 Hz, shape (records, 12, samples)."""
    auxiliary: NDArray[np.float32]
    """The same columns as those of the dataset, shape (records, targets)."""
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Records, labels and patients. Row i of each array belongs to the same record."""

    names: tuple[str, ...]
    signals: NDArray[np.float32]
    """Millivolts at 500 Hz, shape (records, 12, samples)."""
    sites: NDArray[np.float32]
    """0 or 1, shape (records, 6), in the order of `SITES`."""
    auxiliary: NDArray[np.float32]
    """Likelihoods of PTB-XL's statements, stages of infarction, sex and age, 0 to 1, shape (records, targets)."""
    patients: tuple[str, ...]
    minors: int
    """Records of people under 18."""
    paced: int
    """Records with a note of a pacemaker."""
    subgroups: tuple[Subgroup, ...]
    """In which figures are told apart."""
    coded: CodedRecords
    codes: tuple[frozenset[str], ...]
    """PTB-XL's codes of each record, with any likelihood."""

    @property
    def infarction(self) -> NDArray[np.float32]:
        """0 or 1, shape (records, 1)."""
        infarction: NDArray[np.float32] = self.sites.max(axis=1, keepdims=True)
        return infarction

    def folds(self, n_folds: int, seed: int) -> NDArray[np.int64]:
        """Return the fold of each record: no patient is in two folds, and the sites are spread evenly.

        Patients are dealt in random order, those with the rarest sites first. A patient goes to the fold that has the
        fewest records of the patient's sites.

        Returns:
            Fold numbers, shape (records,).
        """
        return _deal_folds(self.patients, np.hstack([self.sites, 1 - self.infarction]), n_folds, seed)


def read_dataset(folder: Path, more: Sequence[Path] = ()) -> Dataset:
    """Read `NAME.npy`, `train_gts_final.csv` and `train_meta.csv` of one folder, and the coded records of others.

    Args:
        folder: In the competition's layout.
        more: Folders of `NAME.npy` and one table with the columns of `train_meta.csv`.

    Raises:
        DatasetError: A file is missing, a record is in one table only, or the shapes of the records differ.
    """
    labels = {row["record_name"]: row for row in _read_rows(folder / "train_gts_final.csv", (*_COLUMNS, "record_name"))}
    meta = {row["record_name"]: row for row in _read_rows(folder / "train_meta.csv", _META)}
    if missing := set(labels) ^ set(meta):
        msg = f"train_gts_final.csv and train_meta.csv must have the same records; only one of them has {min(missing)}"
        raise DatasetError(msg)
    names = tuple(labels)
    about = [meta[name] for name in names]
    signals, codes = _read_signals(folder, names), _list_frequent_codes(about)
    return Dataset(
        names,
        signals,
        np.array([[float(labels[name][column]) for column in _COLUMNS] for name in names], np.float32),
        _make_auxiliary(about, codes),
        tuple(row["patient_id"] for row in about),
        sum(float(row["age"] or 18) < 18 for row in about),
        sum("pacemaker" in row["pacemaker"] for row in about),
        list_subgroups(about),
        _read_coded(more, codes, signals.shape[1:]),
        tuple(frozenset(_read_statements(row)) for row in about),
    )


def _read_coded(folders: Sequence[Path], codes: list[str], shape: tuple[int, ...]) -> CodedRecords:
    signals, auxiliary = [np.empty((0, *shape), np.float32)], [_make_auxiliary([], codes)]
    patients: list[str] = []
    for folder in folders:
        about = _read_rows(_find_table(folder), _META)
        signals.append(_read_signals(folder, tuple(row["record_name"] for row in about)))
        if signals[-1].shape[1:] != shape:
            msg = f"the records in {folder} have shape {signals[-1].shape[1:]}, those of the dataset {shape}"
            raise DatasetError(msg)
        auxiliary.append(_make_auxiliary(about, codes))
        patients += [row["patient_id"] for row in about]
    return CodedRecords(np.concatenate(signals), np.concatenate(auxiliary), tuple(patients))


def _find_table(folder: Path) -> Path:
    """Return the only table of the folder that has the columns of `train_meta.csv`."""
    tables = [path for path in sorted(folder.glob("*.csv")) if set(_META) <= _read_columns(path)]
    if len(tables) != 1:
        msg = f"{folder} must have one .csv with the columns {', '.join(_META)}; found {len(tables)}"
        raise DatasetError(msg)
    return tables[0]


def _read_columns(path: Path) -> set[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return set(next(csv.reader(file), []))


def _read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise DatasetError(msg) from error
    if not rows or (missing := set(columns) - set(rows[0])):
        msg = f"{path} has no rows" if not rows else f"{path}: missing columns: {', '.join(sorted(missing))}"
        raise DatasetError(msg)
    return rows


def _read_signals(folder: Path, names: tuple[str, ...]) -> NDArray[np.float32]:
    signals = np.empty((0, 12, 0), np.float32)
    for i, name in enumerate(names):
        try:
            signal = np.load(folder / f"{name}.npy", allow_pickle=False)
        except OSError as error:
            msg = f"cannot read the record {name}: {error}"
            raise DatasetError(msg) from error
        if i == 0:
            signals = np.empty((len(names), *signal.shape), np.float32)
        if signal.shape != signals.shape[1:] or signal.shape[0] != 12:
            msg = f"{name} has shape {signal.shape}; all records must have the same shape (12, samples)"
            raise DatasetError(msg)
        signals[i] = signal
    return signals


def _read_statements(row: dict[str, str]) -> dict[str, float]:
    statements: dict[str, float] = ast.literal_eval(row["scp_codes"] or "{}")
    return statements


def _list_frequent_codes(about: list[dict[str, str]]) -> list[str]:
    counts = Counter(code for row in about for code in _read_statements(row))
    return sorted(code for code, n in counts.items() if n >= _RARE)


def _make_auxiliary(about: list[dict[str, str]], codes: list[str]) -> NDArray[np.float32]:
    """Return a column for each statement (its likelihood), for each stage of infarction, the sex and the age."""
    columns = []
    for row in about:
        record = _read_statements(row)
        # A likelihood of 0 in the source means that it is not given.
        likelihoods = [(record[code] or 100) / 100 if code in record else 0 for code in codes]
        stages = [float(row["infarction_stadium1"] == stage) for stage in _STAGES]
        age = min(float(row["age"] or 60), 100) / 100
        columns.append([*likelihoods, *stages, float(row["sex"] or 0.5), age])
    return np.array(columns, np.float32).reshape(len(about), len(codes) + len(_STAGES) + 2)


def _deal_folds(patients: tuple[str, ...], labels: NDArray[np.float32], n_folds: int, seed: int) -> NDArray[np.int64]:
    ids, of_record = np.unique(np.array(patients), return_inverse=True)
    has = np.zeros((len(ids), labels.shape[1]))
    np.add.at(has, of_record, labels)
    rarity = np.where(has > 0, labels.sum(axis=0), np.inf).min(axis=1)
    shuffled = np.random.default_rng(seed).permutation(len(ids))
    fold_of_patient = np.empty(len(ids), np.int64)
    filled = np.zeros((n_folds, labels.shape[1]))
    for patient in shuffled[np.argsort(rarity[shuffled], kind="stable")]:
        load = (filled * (has[patient] > 0) / labels.sum(axis=0).clip(1)).sum(axis=1)
        fold = np.lexsort((filled.sum(axis=1), load))[0]
        fold_of_patient[patient] = fold
        filled[fold] += has[patient]
    return fold_of_patient[of_record]
