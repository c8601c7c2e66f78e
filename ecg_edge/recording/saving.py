"""Write a recording as .npy with its sidecar, in parts so that a day needs little memory."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.sidecar import MOST_BYTES, SUFFIX, Sidecar, parse_sidecar

_BLOCK = 2**16


def write_npy(
    path: str | os.PathLike[str], samples: int, rate: float, read: Callable[[int, int], NDArray[np.float32]]
) -> None:
    """Write the twelve leads in millivolts to an .npy, and rate, units, leads and length to the .json beside it.

    Both files get their names when they are complete, the sidecar first.

    Args:
        path: Of the .npy.
        samples: Number of samples of each lead.
        rate: Samples per second.
        read: Returns the samples from a start to a stop, shape (12, stop - start).

    Raises:
        ValueError: The path has another ending, or the .json beside it is something else.
        OSError: A file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".npy":
        msg = f"{path}: a recording is saved as .npy, found the ending {path.suffix or 'nothing'!r}"
        raise ValueError(msg)
    beside = path.with_suffix(SUFFIX)
    if beside.exists() and not _is_sidecar(beside):
        msg = f"{beside}: is there already and is not a sidecar; move it, or save the recording under another name"
        raise ValueError(msg)
    unfinished = [file.with_name(f".{os.getpid()}.unfinished{file.suffix}") for file in (beside, path)]
    try:
        unfinished[0].write_text(Sidecar(rate, "mV", LEADS, samples).to_json(), encoding="utf-8")
        _write_array(unfinished[1], samples, read)
        for made, file in zip(unfinished, (beside, path), strict=True):
            made.replace(file)
    finally:
        for made in unfinished:
            made.unlink(missing_ok=True)


def _is_sidecar(path: Path) -> bool:
    with path.open("rb") as file:
        return parse_sidecar(file.read(MOST_BYTES + 1), str(path)) is not None


def _write_array(path: Path, samples: int, read: Callable[[int, int], NDArray[np.float32]]) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (len(LEADS), samples)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        begin = file.tell()
        for start in range(0, samples, _BLOCK):
            block = read(start, min(start + _BLOCK, samples)).astype("<f4")
            for lead, row in enumerate(block):
                file.seek(begin + (lead * samples + start) * block.itemsize)
                file.write(row.tobytes())
