"""Records whose answers by the tiny models are known, and tables of labels."""

import csv

import numpy as np

from ecg_edge.recording import LEADS


def write_record(path, samples=1000, **millivolts):
    """Write leads that are flat at some millivolts; the others are at 0."""
    signal = np.zeros((12, samples), np.float32)
    for lead, value in millivolts.items():
        signal[LEADS.index(lead)] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, signal)


def write_labels(path, rows, delimiter=",", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path
