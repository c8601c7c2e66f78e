"""Decides: from window means and the quality report to the finding of a recording."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from ecg_edge.errors import UncomputableError
from ecg_edge.findings import Finding, Note, Provenance, SiteFinding, Timeline
from ecg_edge.model.aggregation import WindowMean
from ecg_edge.model.operating_point import OperatingPoint
from ecg_edge.model.spec import ModelSpec
from ecg_edge.quality import messages
from ecg_edge.quality.gate import GatePolicy
from ecg_edge.quality.report import QualityReport
from ecg_edge.quality.rules import RULES
from ecg_edge.uncertainty import note_uncertain_infarction, note_uncertain_site

MOST_S = 31 * 86400.0
"""Default for the longest recording in seconds that is answered."""


class Subject(NamedTuple):
    """The recording that a finding is about."""

    record: str
    source: str
    duration_s: float
    sampling_rate: float
    """Samples per second before resampling."""
    derived: tuple[str, ...] = ()
    """Leads that the recording stores empty, and that were derived from I and II."""
    notes: tuple[Note, ...] = ()
    """What the reader of the file warns of."""


class DecisionRule(NamedTuple):
    """Turns the window means and the quality report of a recording into its finding."""

    infarction: ModelSpec
    localization: ModelSpec
    provenance: Provenance
    gate: GatePolicy
    most_s: float = MOST_S
    """Longest recording in seconds that is answered."""

    @property
    def operating_point(self) -> str:
        """Name of the operating point whose thresholds decide."""
        return self.provenance.operating_point

    @property
    def _infarction_point(self) -> OperatingPoint:
        return self.infarction.points[self.operating_point]

    def refuse_long(self, subject: Subject) -> Finding | None:
        """Return the refusal of a recording that is longer than the limit; None otherwise."""
        if subject.duration_s <= self.most_s:
            return None
        return self._refuse(subject, [messages.note_too_long(subject.duration_s, self.most_s)])

    def refuse_short(self, subject: Subject, samples: int) -> Finding | None:
        """Return the refusal of a recording that is shorter than a window of each stage; None if it is long enough."""
        window = max(self.infarction.window, self.localization.window)
        if samples >= window:
            return None
        return self._refuse(subject, [messages.note_too_short(samples, window, self.infarction.sampling_rate)])

    def decide(
        self, subject: Subject, report: QualityReport, mean: WindowMean, timeline: Timeline | None = None
    ) -> Finding:
        """Return the finding of the first stage: cannot_analyse, detected or not_detected.

        Raises:
            UncomputableError: The model's answer is not finite.
        """
        reasons, warnings = list(report.reasons), list(report.warnings)
        missing = [note for note in warnings if note.code == "not_finite"]
        if reasons and self.gate == "refuse":
            return self._refuse(subject, reasons, missing)
        left_out = mean.windows - mean.counted
        if left_out:
            too_many = left_out > RULES["windows_left_out"].limit * mean.windows
            leads = _list_leads(warnings)
            note = messages.note_windows_left_out(mean.windows, left_out, mean.incomplete, report.unusable_s, leads)
            (reasons if too_many else warnings).append(note)
        if (reasons and self.gate == "refuse") or not mean.counted:
            return self._refuse(subject, reasons, missing)
        probabilities = mean.probability()
        if probabilities is None:
            raise UncomputableError
        probability, threshold = probabilities[0], self._infarction_point.thresholds[0]
        finding = Finding(
            subject.record,
            subject.source,
            "detected" if probability >= threshold else "not_detected",
            self.provenance,
            probability=probability,
            threshold=threshold,
            warnings=(*reasons, *warnings),
            duration_s=subject.duration_s,
            sampling_rate=subject.sampling_rate,
            timeline=timeline,
        )
        finding = replace(finding, warnings=(*finding.warnings, *subject.notes))
        return self.warn_of_derived_leads(self._warn_of_uncertain_infarction(finding), subject)

    def warn_of_derived_leads(self, finding: Finding, subject: Subject) -> Finding:
        """Return an answer with a warning if leads of the recording are empty and were derived."""
        if not subject.derived or finding.probability is None:
            return finding
        return replace(finding, warnings=(*finding.warnings, messages.note_derived_leads(subject.derived)))

    def _warn_of_uncertain_infarction(self, finding: Finding) -> Finding:
        if finding.status != "detected":
            return finding
        note = note_uncertain_infarction(self._infarction_point, self.infarction.labels[0])
        return finding if note is None else replace(finding, warnings=(note, *finding.warnings))

    def add_sites(self, finding: Finding, mean: WindowMean, timelines: Sequence[Timeline] = ()) -> Finding:
        """Return a finding with its sites, and a warning for each found site that is unproven or uncertain.

        Raises:
            UncomputableError: The model's answer is not finite.
        """
        left_out = mean.windows - mean.counted
        if left_out and all(note.code != "windows_left_out" for note in finding.warnings):
            leads = _list_leads(finding.warnings)
            note = messages.note_windows_left_out_of_sites(mean.windows, left_out, mean.incomplete, leads)
            finding = replace(finding, warnings=(*finding.warnings, note))
        if not mean.counted:
            return finding
        probabilities = mean.probability()
        if probabilities is None:
            raise UncomputableError
        point = self.localization.points[self.operating_point]
        labels = self.localization.labels
        sites = tuple(
            SiteFinding(*values) for values in zip_longest(labels, probabilities, point.thresholds, timelines)
        )
        finding = replace(finding, sites=sites)
        notes = [self._note_doubt(point, site) for site in finding.found_sites]
        return replace(finding, warnings=(*(note for note in notes if note is not None), *finding.warnings))

    def _note_doubt(self, point: OperatingPoint, site: str) -> Note | None:
        if site in point.unproven:
            return Note("unproven_site", f"{site} was learned from too few examples to be trusted", site=site)
        return note_uncertain_site(self._infarction_point, self.infarction.labels[0], point, site)

    def _refuse(self, subject: Subject, reasons: Sequence[Note], warnings: Sequence[Note] = ()) -> Finding:
        return Finding(
            subject.record,
            subject.source,
            "cannot_analyse",
            self.provenance,
            reasons=tuple(reasons),
            warnings=(*warnings, *subject.notes),
            duration_s=subject.duration_s,
            sampling_rate=subject.sampling_rate,
        )


def needs_localization(finding: Finding, *, all_sites: bool) -> bool:
    """Return whether the second stage must run."""
    return finding.status == "detected" or (all_sites and finding.status == "not_detected")


def _list_leads(notes: Sequence[Note]) -> list[str]:
    """Return the leads with missing samples."""
    return [note.lead for note in notes if note.code == "not_finite" and note.lead is not None]
