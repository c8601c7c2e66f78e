"""What a report says in words."""

from collections.abc import Iterator
from typing import NamedTuple

from ecg_edge.findings import Finding
from ecg_edge.report.choices import Choices
from ecg_edge.report.excerpt import Excerpt
from ecg_edge.report.text import clean
from ecg_edge.wording import REVIEW, group_notes, show_probability, word_found, word_verdict

NO_MEANING = "Sites mean something only where an infarction is found."

_LONGEST_NAME = 200


class Site(NamedTuple):
    """A site as it is shown."""

    name: str
    probability: str
    threshold: str
    found: str
    """"found", with a word of caution if there is one; empty for a site that is not found."""


class Told(NamedTuple):
    """All that a report says, in the order in which it is read; every text is clean."""

    record: str
    statement: str
    answer: str
    """Probability and threshold; empty without an answer."""
    review: str
    sites: tuple[Site, ...]
    notes: tuple[str, ...]
    """Reasons and warnings, one a line."""
    recording: str
    """Duration, rate and units of the recording, and the part of it that is drawn."""
    settings: str
    """Speed, gain and filters."""
    provenance: str


def tell(finding: Finding, units: str, window_s: float, excerpt: Excerpt, choices: Choices) -> Told:
    """Return all texts of a report.

    Args:
        finding: The answer.
        units: Of the samples as they were read.
        window_s: Length of a window of the first model.
        excerpt: What is drawn.
        choices: How it is drawn.
    """
    return Told(
        _cap(clean(finding.record)) or "recording",
        word_verdict(finding),
        _word_answer(finding, window_s),
        REVIEW,
        tuple(_list_sites(finding)),
        tuple(clean(note) for note in _list_notes(finding)),
        f"{finding.duration_s or 0:.1f} s at {finding.sampling_rate or 0:g} Hz, samples in {units}; "
        f"drawn from {excerpt.start_s:.1f} to {excerpt.stop_s:.1f} s",
        f"{choices.speed} mm/s, {choices.gain} mm/mV, filters: none, baseline: each lead is drawn less its median",
        clean(_word_provenance(finding)),
    )


def describe(told: Told, choices: Choices) -> str:
    """Return the picture in words, for those who cannot see it."""
    sites = [f"{site.name} {site.probability} (threshold {site.threshold})" for site in told.sites]
    parts = [
        f"12-lead ECG on millimetre paper, layout {choices.layout}, {told.settings}.",
        f"{told.recording}.",
        f"{told.statement}.",
        *([f"{told.answer}."] if told.answer else []),
        *([f"Sites: {', '.join(sites)}."] if sites else []),
        *(f"{note}." for note in told.notes),
        f"{told.review}.",
    ]
    return " ".join(parts)


def _list_sites(finding: Finding) -> list[Site]:
    """Return the sites of a finding; every text is clean."""
    return [
        Site(
            clean(site.site),
            show_probability(site.probability),
            f"{site.threshold:.3f}",
            word_found(finding, site.site),
        )
        for site in finding.sites
    ]


def _word_answer(finding: Finding, window_s: float) -> str:
    if finding.probability is None or finding.threshold is None:
        return ""
    count = len(finding.timeline.start_s) if finding.timeline else 0
    windows = f" (mean of {count} windows of {window_s:g} s, each drawn at its middle)" if count else ""
    threshold = f"threshold {finding.threshold:.3f} ({clean(finding.provenance.operating_point)})"
    return f"Probability of infarction {show_probability(finding.probability)}{windows}, {threshold}"


def _list_notes(finding: Finding) -> Iterator[str]:
    if finding.sites and finding.status == "not_detected":
        yield NO_MEANING
    yield from (f"Reason: {note}" for note in group_notes(finding.reasons))
    yield from (f"Warning: {note}" for note in group_notes(finding.warnings))


def _cap(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _word_provenance(finding: Finding) -> str:
    provenance = finding.provenance
    models = "; ".join(f"{model.name} {model.version} sha256 {model.sha256}" for model in provenance.models)
    return f"Record {_cap(finding.record)}. ecg_edge {provenance.ecg_edge}, {provenance.provider}; models: {models}"
