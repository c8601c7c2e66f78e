"""The findings of a detector, and their JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ecg_edge.explanation import Explanation

SCHEMA = 1
Status = Literal["detected", "not_detected", "cannot_analyse", "error"]
DOUBTS = {"uncertain_site": "uncertain", "unproven_site": "unproven"}
"""The codes of the warnings that doubt a found site, and the word for each."""


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
    """Only if windows were requested."""

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
    """The lead that the note is about, if any."""
    site: str | None = None
    """The site that the note is about, if any."""
    start_s: float | None = None
    """Start of the first stretch that the note is about, in seconds from the first sample."""
    stop_s: float | None = None
    """End of that stretch, in seconds from the first sample."""


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
    operating_point: str = "balanced"
    """Name of the operating point whose thresholds decided."""


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
    """Of infarction: mean of the window probabilities, 0 to 1; None if there is no answer."""
    threshold: float | None = None
    """Probability from which the status is "detected"."""
    sites: tuple[SiteFinding, ...] = ()
    """All sites in the model's order; empty if the second stage did not run."""
    reasons: tuple[Note, ...] = ()
    """Why a recording cannot be analysed."""
    warnings: tuple[Note, ...] = ()
    """What the reader of the finding must know."""
    duration_s: float | None = None
    sampling_rate: float | None = None
    timeline: Timeline | None = None
    """Only if windows were requested."""
    explanation: Explanation | None = None
    """What carried the answer; only if it was requested and there is an answer."""
    error: str | None = None
    """What went wrong, if the status is "error"."""

    @property
    def found_sites(self) -> tuple[str, ...]:
        """Names of the sites over their thresholds; empty with status "detected" means "site undetermined".

        Without an infarction there are no sites, even if the second stage finds one likely.
        """
        return tuple(site.site for site in self.sites if site.found) if self.status == "detected" else ()

    @property
    def doubtful_sites(self) -> tuple[str, ...]:
        """Names of the found sites that a warning calls uncertain or unproven."""
        doubted = {note.site for note in self.warnings if note.code in DOUBTS}
        return tuple(site for site in self.found_sites if site in doubted)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of schema 1, without parts that were not requested or do not apply."""
        values = {"schema": SCHEMA, **_to_plain(self)}
        values["sites"] = [_to_plain(site) | {"found": site.found} for site in self.sites]
        values["reasons"] = [_to_plain(note) for note in self.reasons]
        values["warnings"] = [_to_plain(note) for note in self.warnings]
        del values["provenance"]
        return values | {"provenance": asdict(self.provenance)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Finding":
        """Return the finding of a JSON object that `to_dict` made; an explanation is left out.

        Raises:
            KeyError, TypeError: It is not such an object.
        """
        provenance = values["provenance"]
        models = tuple(ModelProvenance(**model) for model in provenance["models"])
        plain = ("record", "source", "status", "probability", "threshold", "duration_s", "sampling_rate", "error")
        return cls(
            **{name: values[name] for name in plain if name in values},
            provenance=Provenance(**{**provenance, "models": models}),
            sites=tuple(_make_site(site) for site in values["sites"]),
            reasons=tuple(Note(**note) for note in values["reasons"]),
            warnings=tuple(Note(**note) for note in values["warnings"]),
            timeline=_make_timeline(values.get("timeline")),
        )


def _make_site(values: Mapping[str, Any]) -> SiteFinding:
    timeline = _make_timeline(values.get("timeline"))
    return SiteFinding(values["site"], values["probability"], values["threshold"], timeline)


def _make_timeline(values: Mapping[str, Any] | None) -> Timeline | None:
    return None if values is None else Timeline(tuple(values["start_s"]), tuple(values["probability"]))


def _to_plain(part: "Finding | SiteFinding | Note") -> dict[str, Any]:
    """Return the fields that are not None; a timeline, which may be long, is not copied."""
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    timeline = values.get("timeline")
    if isinstance(timeline, Timeline):
        values["timeline"] = {"start_s": timeline.start_s, "probability": timeline.probability}
    explanation = values.get("explanation")
    if isinstance(explanation, Explanation):
        values["explanation"] = explanation.to_dict()
    return {key: value for key, value in values.items() if value is not None}
