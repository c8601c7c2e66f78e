"""What the detector answers, and its JSON."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

SCHEMA = 1
Status = Literal["detected", "not_detected", "cannot_analyse", "error"]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Probability of each window along the recording."""

    start_s: tuple[float, ...]
    """Start of each window in seconds, ascending."""
    probability: tuple[float, ...]
    """0 to 1, one for each window."""


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """One site of infarction and how sure the model is of it."""

    site: str
    """Name as in the model's labels, e.g. "inferior"."""
    probability: float
    """Mean of the window probabilities, 0 to 1."""
    threshold: float
    """Probability from which the site counts as found."""
    timeline: Timeline | None = None
    """Only where windows were asked for."""

    @property
    def found(self) -> bool:
        """Whether the site counts as found."""
        return self.probability >= self.threshold


@dataclass(frozen=True, slots=True)
class Note:
    """A coded reason or warning."""

    code: str
    """Stable name for programs."""
    message: str
    """For people."""
    lead: str | None = None
    """The lead it is about, if one."""
    site: str | None = None
    """The site it is about, if one."""
    start_s: float | None = None
    """Where the first stretch that it is about starts, in seconds from the first sample."""
    stop_s: float | None = None
    """Where that stretch ends."""


@dataclass(frozen=True, slots=True)
class ModelProvenance:
    """Which model file answered."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What produced a finding."""

    ecg_edge: str
    """Version of the package."""
    provider: str
    """onnxruntime's execution provider that the sessions really use."""
    models: tuple[ModelProvenance, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer for one recording."""

    record: str
    """Name of the recording."""
    source: str
    """Where it came from."""
    status: Status
    provenance: Provenance
    probability: float | None = None
    """Of infarction: mean of the window probabilities, 0 to 1; none where there is no answer."""
    threshold: float | None = None
    """Probability from which the status is "detected"."""
    sites: tuple[SiteFinding, ...] = ()
    """All sites in the model's order where the second stage ran, else empty."""
    reasons: tuple[Note, ...] = ()
    """Why a recording cannot be analysed."""
    warnings: tuple[Note, ...] = ()
    """What the reader of the answer must know."""
    duration_s: float | None = None
    sampling_rate: float | None = None
    timeline: Timeline | None = None
    """Only where windows were asked for."""
    error: str | None = None
    """What went wrong, where the status is "error"."""

    @property
    def found_sites(self) -> tuple[str, ...]:
        """Names of the sites over their thresholds; empty with status "detected" means "site undetermined".

        Without an infarction there are no sites, even if the second stage finds one likely.
        """
        return tuple(site.site for site in self.sites if site.found) if self.status == "detected" else ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of schema 1: parts that were not asked for or do not apply are left out."""
        values = {"schema": SCHEMA, **_plain(self)}
        values["sites"] = [_plain(site) | {"found": site.found} for site in self.sites]
        values["reasons"] = [_plain(note) for note in self.reasons]
        values["warnings"] = [_plain(note) for note in self.warnings]
        del values["provenance"]
        return values | {"provenance": asdict(self.provenance)}


def _plain(part: "Finding | SiteFinding | Note") -> dict[str, Any]:
    """Return the fields that are not None; a timeline, which may be long, is not copied."""
    values = {key.name: getattr(part, key.name) for key in fields(part)}
    if isinstance(timeline := values.get("timeline"), Timeline):
        values["timeline"] = {"start_s": timeline.start_s, "probability": timeline.probability}
    return {key: value for key, value in values.items() if value is not None}
