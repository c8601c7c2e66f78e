"""Time and memory by length of one recording, up to a day."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from ecg_edge.bench.child import run_module
from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import DAY_S, Setup
from ecg_edge.recording import Recording

_LENGTHS_S = {"1.6 s": 1.6, "10 s": 10.0, "1 min": 60.0, "10 min": 600.0, "1 h": 3600.0, "6 h": 21_600.0, "24 h": DAY_S}
_TILES = 20


def measure(setup: Setup) -> Iterator[Row]:
    """Yield a row for each length, each from a separate process, then the slope and the growth of memory."""
    rows = []
    for name, seconds in _LENGTHS_S.items():
        if seconds <= setup.longest_s:
            rows.append(_measure_length(setup, name, seconds))
            yield rows[-1]
    yield _fit_slope(rows)
    # From 10 minutes on, a recording needs more than one model call.
    for first in (row for row in rows[:-1] if row.name == "10 min"):
        ratio = rows[-1].details["allocated_mib"] / first.details["allocated_mib"]
        yield Row(f"memory, {rows[-1].name} / {first.name}", "x", (ratio,))


def _measure_length(setup: Setup, name: str, seconds: float) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "long.npy"
        _write(file, setup.recordings[:_TILES], seconds)
        effort = [str(setup.effort.repeat), str(setup.effort.seconds)]
        models = [str(setup.models)] if setup.models else []
        answer = run_module("benchmarks.one_length", str(file), setup.provider, *effort, *models)
    details = {"length_s": seconds, "allocated_mib": answer["allocated_mib"]}
    return Row(name, "s", tuple(answer["seconds"]), details)


def _write(path: Path, tiles: list[Recording], seconds: float) -> None:
    """Repeat recordings up to a length; in Fortran order that is one after the other in the file."""
    samples = round(seconds * tiles[0].sampling_rate)
    header = {"descr": "<f4", "fortran_order": True, "shape": (12, samples)}
    content = b"".join(recording.stretch(0, recording.samples).tobytes(order="F") for recording in tiles)
    remaining = 12 * 4 * samples
    with path.open("wb") as file:
        npy_format.write_array_header_1_0(file, header)
        while remaining:
            remaining -= file.write(content[:remaining])


def _fit_slope(rows: list[Row]) -> Row:
    lengths, medians = (
        np.log(values) for values in ([row.details["length_s"] for row in rows], [row.median for row in rows])
    )
    details = {"from_10_s": float(np.polyfit(lengths[1:], medians[1:], 1)[0])} if len(rows) > 2 else {}
    return Row("slope of log time against log length", "slope", (float(np.polyfit(lengths, medians, 1)[0]),), details)
