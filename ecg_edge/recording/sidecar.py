"""The sidecar of an .npy: a small JSON beside it that states its sampling rate, units, leads and length."""

import json
import re
from dataclasses import asdict, dataclass

from ecg_edge.errors import EcgEdgeError, UnreadableError
from ecg_edge.recording.arguments import check_rate
from ecg_edge.recording.leads import find_arrangement
from ecg_edge.recording.units import canonical_units

SUFFIX = ".json"
MOST_BYTES = 2**16
_KEYS = ("sampling_rate", "units", "leads", "samples")
_EXPECTED = {
    "sampling_rate": "a number",
    "units": "a text",
    "leads": "a list of names",
    "samples": "a whole number",
}
# Text that is not JSON but begins like a sidecar is one that is damaged.
_BEGINNING = rf'\s*\{{\s*"(?:{"|".join(_KEYS)})"'


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar states; None for what it leaves out."""

    sampling_rate: float | None = None
    """Samples per second."""
    units: str | None = None
    leads: tuple[str, ...] | None = None
    """Name of each row."""
    samples: int | None = None
    """Number of samples of each lead, so that a sidecar of another array is noticed."""

    def to_json(self) -> str:
        """Return the text of the file."""
        return json.dumps(asdict(self)) + "\n"


def parse_sidecar(content: bytes, source: str) -> Sidecar | None:
    """Return what a sidecar states; None if the file is not a sidecar.

    A sidecar is a JSON object that has some of the four keys and no other key.

    Args:
        content: The first `MOST_BYTES` + 1 bytes of the file.
        source: Name of the file in error messages.

    Raises:
        UnreadableError: It is a sidecar, and it is damaged or states something impossible.
    """
    if len(content) > MOST_BYTES:
        return None
    text = content.decode("utf-8-sig", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        if re.match(_BEGINNING, text):
            raise UnreadableError(source, f"is not a valid sidecar of an .npy: {error}") from error
        return None
    if not isinstance(found, dict) or not found or not found.keys() <= set(_KEYS):
        return None
    return _check(found, source)


def _check(found: dict[str, object], source: str) -> Sidecar:
    rate, units, leads, samples = (found.get(key) for key in _KEYS)
    kinds = {
        "sampling_rate": isinstance(rate, int | float) and not isinstance(rate, bool),
        "units": isinstance(units, str),
        "leads": isinstance(leads, list) and all(isinstance(lead, str) for lead in leads),
        "samples": isinstance(samples, int) and not isinstance(samples, bool),
    }
    wrong = [key for key in found if not kinds[key]]
    if wrong:
        why = f"is not a valid sidecar of an .npy: {wrong[0]} is not {_EXPECTED[wrong[0]]}"
        raise UnreadableError(source, why)
    try:
        return Sidecar(
            None if rate is None else check_rate(rate),
            canonical_units(units) if isinstance(units, str) else None,
            _check_leads(leads) if isinstance(leads, list) else None,
            samples if isinstance(samples, int) else None,
        )
    except EcgEdgeError as error:
        raise UnreadableError(source, f"is not a valid sidecar of an .npy: {error}") from error


def _check_leads(leads: list[str]) -> tuple[str, ...]:
    find_arrangement(leads)
    return tuple(leads)
