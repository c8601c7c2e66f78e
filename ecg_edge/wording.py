"""Findings in words, for every output that people read."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ecg_edge.findings import DOUBTS, Finding, Note

REVIEW = "Unconfirmed: for review by a clinician"


def word_verdict(finding: Finding) -> str:
    """Return the statement of a finding in one line."""
    if finding.status == "error":
        return f"error: {printable(finding.error or '')}"
    if finding.status == "cannot_analyse":
        return "Cannot be analysed"
    if finding.status == "not_detected":
        return "No pattern of myocardial infarction found; this does not rule one out"
    return f"Pattern consistent with myocardial infarction, {_word_sites(finding)}; age undetermined"


def word_found(finding: Finding, site: str) -> str:
    """Return "found" with its word of caution, if there is one; nothing for a site that is not found."""
    if site not in finding.found_sites:
        return ""
    doubt = _list_doubts(finding).get(site)
    return f"found, {doubt}" if doubt else "found"


def _word_sites(finding: Finding) -> str:
    """Return the found sites: first those without a word of caution, then those with one."""
    doubts = _list_doubts(finding)
    parts = [", ".join(site for site in finding.found_sites if site not in doubts)]
    for doubt in DOUBTS.values():
        doubtful = ", ".join(site for site in finding.found_sites if doubts.get(site) == doubt)
        parts += [f"site {doubt}: {doubtful}"] if doubtful else []
    return "; ".join(part for part in parts if part) or "site undetermined"


def _list_doubts(finding: Finding) -> dict[str, str]:
    """Return the word of caution of each site that has one."""
    return {note.site: DOUBTS[note.code] for note in finding.warnings if note.code in DOUBTS and note.site}


def group_notes(notes: Sequence[Note]) -> Iterator[str]:
    """Yield a line for each kind of note: the first in full, the leads of the others."""
    for _, group in groupby(notes, key=lambda note: (note.code, note.site)):
        first, *others = group
        yield first.message + (f"; likewise {', '.join(str(note.lead) for note in others)}" if others else "")


def show_probability(probability: float) -> str:
    """Return a probability with three decimals."""
    # Rounding must not turn a very likely answer into a certain one.
    return "> 0.999" if probability > 0.999 else "< 0.001" if probability < 0.001 else f"{probability:.3f}"


def printable(name: str) -> str:
    """Return a name without characters that would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in name)
