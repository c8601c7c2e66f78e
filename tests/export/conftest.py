"""A small made dataset in the competition's layout: infarctions are those with a deep lead II."""

import csv

import numpy as np
import pytest

from export import crossfit
from export.dataset import read_dataset

COLUMNS = ("перегородочный", "передний", "боковой", "передне-боковой", "передне-перегородочный", "нижний", "норма")


def write_dataset(folder, n=60, samples=1200):
    random = np.random.default_rng(0)
    labels, meta = [], []
    for i in range(n):
        site = int(random.integers(0, 6)) if i % 2 else 6
        signal = random.normal(0, 0.05, (12, samples)).astype(np.float32)
        if site < 6:
            signal[1] -= 1
            signal[6 + site] -= 1
        np.save(folder / f"r{i:02}.npy", signal)
        labels.append({"record_name": f"r{i:02}"} | {column: int(j == site) for j, column in enumerate(COLUMNS)})
        meta.append(
            {
                "record_name": f"r{i:02}",
                "patient_id": f"p{i // 2 if i < 20 else i}",
                "age": "" if i % 7 == 0 else "17" if i == 9 else "60",
                "sex": "1",
                "scp_codes": "{'IMI': 100.0}" if site < 6 else "{'NORM': 0.0}",
                "infarction_stadium1": "",
                "pacemaker": "ja, pacemaker" if i == 3 else "",
            }
        )
    for name, rows in (("train_gts_final.csv", labels), ("train_meta.csv", meta)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture
def dataset_folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return write_dataset(folder)


@pytest.fixture
def dataset(dataset_folder):
    return read_dataset(dataset_folder)


@pytest.fixture
def one_process(monkeypatch):
    """Run the folds in this process: a pool costs seconds to start."""

    class Now:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def submit(self, function, *arguments):
            function(*arguments)
            return self

        def result(self):
            return None

    monkeypatch.setattr(crossfit, "make_pool", Now)
