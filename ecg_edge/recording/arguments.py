"""Checks of what a caller passes as a signal, as lead names and as a sampling rate."""

import sys
from collections.abc import Iterable
from math import inf, nan

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InvalidRecordingError


def check_signal(signal: object) -> NDArray[np.generic]:
    """Return a signal as an array.

    Raises:
        InvalidRecordingError: It is masked, a table, or a list of rows of different lengths.
    """
    # Importing numpy.ma to check for masked arrays takes longer than answering a recording.
    # Another thread may be importing it just now, and then it has no classes yet.
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    if masked is not None and isinstance(signal, masked):
        raise InvalidRecordingError("the signal is a masked array; fill or remove its missing samples")
    if hasattr(signal, "to_numpy") and hasattr(signal, "columns"):
        msg = f"the signal is a {type(signal).__name__}; pass frame.to_numpy().T with leads=tuple(frame.columns)"
        raise InvalidRecordingError(msg)
    try:
        return np.asanyarray(signal)
    except ValueError as error:
        msg = f"the signal is not an array of shape (leads, samples): {error}"
        raise InvalidRecordingError(msg) from error


def check_leads(leads: Iterable[str]) -> tuple[str, ...]:
    """Return lead names as a tuple.

    Raises:
        InvalidRecordingError: They are one text.
    """
    if isinstance(leads, str):
        msg = f'leads is the text {leads!r}, expected one name for each row; pass a tuple such as ("I", "II", ...)'
        raise InvalidRecordingError(msg)
    return tuple(leads)


def check_rate(rate: object) -> float:
    """Return a sampling rate as a number.

    Raises:
        InvalidRecordingError: It is not a positive, finite number.
    """
    try:
        number = nan if isinstance(rate, str | bytes) else float(rate)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = nan
    if not 0 < number < inf:
        found = f"the text {rate!r}" if isinstance(rate, str | bytes) else str(rate)
        msg = f"the sampling rate must be a positive number of Hz, found {found}"
        raise InvalidRecordingError(msg)
    return number
