"""From window means and the quality report to the finding of a recording."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Literal, NamedTuple

from ecg_edge.errors import UncomputableError
from ecg_edge.findings import Finding, Note, Provenance, SiteFinding, Timeline
from ecg_edge.model.aggregation import WindowMean
from ecg_edge.model.spec import ModelSpec
from ecg_edge.quality import messages as notes
from ecg_edge.quality.monitor import QualityMonitor
from ecg_edge.quality.rules import RULES

QualityGate = Literal["refuse", "warn"]
"""What becomes of a recording that a quality rule refuses: no answer, or an answer with the reason as a warning."""


class Subject(NamedTuple):
    """What a finding is about."""

    record: str
    source: str
    duration_s: float
    sampling_rate: float


class Judge(NamedTuple):
    """Turns what was measured of a recording into its finding."""

    infarction: ModelSpec
    localization: ModelSpec
    provenance: Provenance
    gate: QualityGate

    def too_short(self, subject: Subject, samples: int) -> Finding | None:
        """Return the refusal of samples that are too few for a window of each stage, none if they are enough."""
        window = max(self.infarction.window, self.localization.window)
        if samples >= window:
            return None
        return self._refused(subject, [notes.too_short(samples, window, self.infarction.sampling_rate)])

    def first_stage(
        self, subject: Subject, quality: QualityMonitor, mean: WindowMean, timeline: Timeline | None = None
    ) -> Finding:
        """Return the finding without sites: refused, detected or not detected.

        Raises:
            UncomputableError: The model's answer is not a number.
        """
        report = quality.report()
        reasons, warnings = list(report.reasons), list(report.warnings)
        if reasons and self.gate == "refuse":
            return self._refused(subject, reasons)
        if left_out := mean.windows - mean.counted:
            too_many = left_out > RULES["windows_left_out"].limit * mean.windows
            note = notes.windows_left_out(left_out, mean.windows, report.unusable_s)
            (reasons if too_many else warnings).append(note)
        if (reasons and self.gate == "refuse") or not mean.counted:
            return self._refused(subject, reasons)
        if (probabilities := mean.probability()) is None:
            raise UncomputableError
        probability, threshold = probabilities[0], self.infarction.thresholds[0]
        return Finding(
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

    def with_sites(self, finding: Finding, mean: WindowMean, timelines: Sequence[Timeline] = ()) -> Finding:
        """Return a finding with its sites and a warning for each that was found but is unproven.

        Raises:
            UncomputableError: The model's answer is not a number.
        """
        left_out = mean.windows - mean.counted
        if left_out and all(note.code != "windows_left_out" for note in finding.warnings):
            note = notes.windows_left_out_of_sites(left_out, mean.windows)
            finding = replace(finding, warnings=(*finding.warnings, note))
        if not mean.counted:
            return finding
        if (probabilities := mean.probability()) is None:
            raise UncomputableError
        spec = self.localization
        sites = tuple(
            SiteFinding(*part) for part in zip_longest(spec.labels, probabilities, spec.thresholds, timelines)
        )
        unproven = tuple(
            Note("unproven_site", f"{site.site} was learned from too few examples to be trusted", site=site.site)
            for site in sites
            if finding.status == "detected" and site.found and site.site in spec.unproven
        )
        return replace(finding, sites=sites, warnings=unproven + finding.warnings)

    def _refused(self, subject: Subject, reasons: Sequence[Note]) -> Finding:
        return Finding(
            subject.record,
            subject.source,
            "cannot_analyse",
            self.provenance,
            reasons=tuple(reasons),
            duration_s=subject.duration_s,
            sampling_rate=subject.sampling_rate,
        )


def to_be_located(finding: Finding, *, all_sites: bool) -> bool:
    """Return whether the second stage has something to say of a finding."""
    return finding.status == "detected" or (all_sites and finding.status == "not_detected")
