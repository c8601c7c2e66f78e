"""Voltage units. They are stated by the file or the caller, never guessed."""

from ecg_edge.errors import UnitsError
from ecg_edge.recording.spellings import read_as_written

IN_MILLIVOLTS = {"mV": 1.0, "uV": 1e-3, "nV": 1e-6, "V": 1e3}
_WORDS = {"milli": "mV", "micro": "uV", "nano": "nV", "": "V"}
# In lower case; `casefold` turns both signs for micro into the Greek letter.
_SPELLINGS = {
    **{unit.casefold(): unit for unit in IN_MILLIVOLTS},
    "\N{GREEK SMALL LETTER MU}v": "uV",
    "mkv": "uV",
    # A program that does not know the sign for micro leaves another one in its place.
    **dict.fromkeys((".v", "?v", "\N{REPLACEMENT CHARACTER}v"), "uV"),
    "мкв": "uV",
    "мв": "mV",
    "нв": "nV",
    "в": "V",
    **{f"{word}volt{plural}": unit for word, unit in _WORDS.items() for plural in ("", "s")},
}


def canonical_units(text: str) -> str:
    """Return the key of `IN_MILLIVOLTS` for a spelling, for example "uV" for "µV".

    Raises:
        UnitsError: It is not a voltage unit.
    """
    if text in IN_MILLIVOLTS:
        return text
    for spelling in read_as_written(text):
        if spelling in _SPELLINGS:
            return _SPELLINGS[spelling]
    raise UnitsError(text, tuple(IN_MILLIVOLTS))
