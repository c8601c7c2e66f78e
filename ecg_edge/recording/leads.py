"""Recognise lead names in the spellings that files use, and put or derive the twelve leads in order."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import MissingLeadsError, RepeatedLeadError
from ecg_edge.recording.spellings import read_as_written

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_OF_LIMBS = {"i": "I", "ii": "II", "iii": "III", "1": "I", "2": "II", "3": "III"}
_AUGMENTED = {"avr": "aVR", "avl": "aVL", "avf": "aVF"}
# "I-II" is a bipolar channel and "-aVR" an inverted one: a hyphen may only follow a prefix directly, or stand before
# the name of the common reference.
_SPELLING = (
    r"(?P<prefix>(?:mdc_ecg_lead_|(?:ecg|ekg)?[ _.:]?lead|ecg|ekg|отв(?:едение)?|abl(?:eitung)?)?"
    r"(?:[ _.:]+|(?<=[a-z])-)?)"
    r"(?:(?P<limb>i{1,3})|d ?(?P<d>i{1,3}|[123])|(?P<number>[123])|(?P<augmented>av[rlf])|[vc] ?(?P<chest>[1-6]))[.:]?"
    r"(?:[-_ ](?:ref|wct|avg))?(?: ?[\[(/_] ?[munμ]?v[\])]?)?"
)
_CYRILLIC_A = "\N{CYRILLIC SMALL LETTER A}"
# Factors of I and II, by Einthoven's and Goldberger's relations.
_DERIVED = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}


def canonical_lead(name: str) -> str | None:
    """Return the name in `LEADS` of a lead in any common spelling; None for any other channel.

    `avr`, `MDC_ECG_LEAD_AVR`, `Lead I`, `ECG V1`, `DI`, `D2`, `C1`, `V1.`, `ECG I-Ref`, `V1-WCT`, `I (uV)`, `Abl. I`
    and `отв. I` are known. `-aVR`, `V3R`, `V7`, `MLII` and the Frank leads are different leads; `ECG 1` is a channel
    number, not a lead.
    """
    spellings = read_as_written(name) if len(name) < 100 else ()
    found = next(
        (found for text in spellings if (found := re.fullmatch(_SPELLING, text.replace(_CYRILLIC_A, "a")))), None
    )
    if found is None:
        return None
    if found["number"]:
        return _OF_LIMBS[found["number"]] if re.search("lead|отв|abl", found["prefix"]) else None
    if found["chest"]:
        return "V" + found["chest"]
    return _AUGMENTED[found["augmented"]] if found["augmented"] else _OF_LIMBS[found["limb"] or found["d"]]


class Arrangement(NamedTuple):
    """How the rows of a signal become the twelve leads."""

    rows: tuple[int | None, ...]
    """Row of each of `LEADS` in the signal; None if the lead is derived from I and II."""
    plain: bool
    """Whether the rows already are the twelve leads in order."""

    def apply(self, raw: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the twelve leads as contiguous float32, shape (12, samples).

        Args:
            raw: Shape (rows, samples).
        """
        if self.plain:
            return np.ascontiguousarray(raw, np.float32)
        leads = np.empty((len(LEADS), raw.shape[1]), np.float32)
        for lead, row in enumerate(self.rows):
            if row is not None:
                leads[lead] = raw[row]
        for lead, row in enumerate(self.rows):
            if row is None:
                of_first, of_second = _DERIVED[LEADS[lead]]
                leads[lead] = of_first * leads[0] + of_second * leads[1]
        return leads


_PLAIN = Arrangement(tuple(range(len(LEADS))), plain=True)


def find_arrangement(names: Sequence[str]) -> Arrangement:
    """Find the twelve leads among named rows, in any order; I, II and V1 to V6 are enough, other rows are skipped.

    Args:
        names: Name of each row of a signal, in any spelling that `canonical_lead` knows.

    Raises:
        MissingLeadsError: One of I, II and V1 to V6 is missing.
        RepeatedLeadError: Two rows are the same lead.
    """
    if tuple(names) == LEADS:
        return _PLAIN
    at: dict[str, int] = {}
    for row, name in enumerate(names):
        lead = canonical_lead(name)
        if lead in at:
            raise RepeatedLeadError(lead, (names[at[lead]], name))
        if lead is not None:
            at[lead] = row
    missing = [lead for lead in LEADS if lead not in at and lead not in _DERIVED]
    if missing:
        raise MissingLeadsError(missing, names)
    rows = tuple(at.get(lead) for lead in LEADS)
    return Arrangement(rows, plain=rows == _PLAIN.rows and len(names) == len(LEADS))
