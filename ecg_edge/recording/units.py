"""Voltage units. They are stated by the file or the caller, never guessed."""

from ecg_edge.errors import UnitsError

IN_MILLIVOLTS = {"mV": 1.0, "uV": 1e-3, "nV": 1e-6, "V": 1e3}
_WORDS = {"milli": "mV", "micro": "uV", "nano": "nV", "": "V"}
# In lower case; `casefold` turns both signs for micro into the Greek letter.
_SPELLINGS = {
    **{unit.casefold(): unit for unit in IN_MILLIVOLTS},
    "\N{GREEK SMALL LETTER MU}v": "uV",
    **{f"{word}volt{plural}": unit for word, unit in _WORDS.items() for plural in ("", "s")},
}


def canonical_units(text: str) -> str:
    """Return the key of `IN_MILLIVOLTS` for a spelling, for example "uV" for "µV".

    Raises:
        UnitsError: It is not a voltage unit.
    """
    if text in IN_MILLIVOLTS:
        return text
    unit = _SPELLINGS.get(text.strip().casefold())
    if unit is None:
        raise UnitsError(text, tuple(IN_MILLIVOLTS))
    return unit
