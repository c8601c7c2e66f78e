"""Findings in words, for every output that people read."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ecg_edge.findings import Finding, Note

REVIEW = "Unconfirmed: for review by a clinician"


def word_verdict(finding: Finding) -> str:
    """Return the statement of a finding in one line."""
    if finding.status == "error":
        return f"error: {printable(finding.error or '')}"
    if finding.status == "cannot_analyse":
        return "Cannot be analysed"
    if finding.status == "not_detected":
        return "No pattern of myocardial infarction found; this does not rule one out"
    unproven = {note.site for note in finding.warnings if note.code == "unproven_site"}
    sites = [f"{site} (unproven)" if site in unproven else site for site in finding.found_sites]
    where = ", ".join(sites) or "site undetermined"
    return f"Pattern consistent with myocardial infarction, {where}; age undetermined"


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
