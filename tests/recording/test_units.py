"""Voltage units in the spellings and encodings of devices."""

import pytest

from ecg_edge.errors import UnitsError
from ecg_edge.recording.units import canonical_units

MICRO, MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"


def misread(text, encoding):
    """Return a text that was written in an encoding and read as Latin-1."""
    return text.encode(encoding).decode("latin-1")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        *((text, "uV") for text in ("uV", "UV", f"{MICRO}V", f"{MU}V", "microvolt", "mkV", "мкВ", " uV ", "uV\0\0")),
        *((text, "uV") for text in (".V", "?V", "\N{REPLACEMENT CHARACTER}V")),
        *((misread(f"{sign}V", "utf-8"), "uV") for sign in (MICRO, MU)),
        *((misread("мкВ", encoding), "uV") for encoding in ("utf-8", "cp1251", "cp866")),
        (misread(f"{MICRO}V", "cp437"), "uV"),
        *((text, "mV") for text in ("mV", "millivolts", "мВ", misread("мВ", "cp1251"), misread("мВ", "utf-8"))),
        *((text, "V") for text in ("V", "volt", "\N{CYRILLIC CAPITAL LETTER VE}")),
    ],
)
def test_a_unit_is_known_in_each_spelling(text, unit):
    assert canonical_units(text) == unit


@pytest.mark.parametrize("text", ["", "mmHg", "%", "counts", "V/s", "mA", "\N{CYRILLIC SMALL LETTER KA}"])
def test_other_units_are_refused(text):
    with pytest.raises(UnitsError):
        canonical_units(text)
