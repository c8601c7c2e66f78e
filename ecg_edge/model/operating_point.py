"""The operating points of a model: for each, a threshold per label and what was measured with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

BALANCED = "balanced"
"""The point that every model has, and the default."""


class Share(NamedTuple):
    """A measured share of records with its 95% interval, each 0 to 1."""

    value: float
    low: float
    high: float

    def show(self) -> str:
        """Return the share and its interval as text."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How sure a model must be before it calls a label found."""

    goal: str
    """What the thresholds were chosen for."""
    thresholds: tuple[float, ...]
    """Probability from which a label counts as found, one for each label of the model."""
    unproven: tuple[str, ...] = ()
    """Labels with too few examples to choose a threshold for the goal; theirs is a fallback."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """For each label "sensitivity", "specificity", "positive_predictive_value" and "negative_predictive_value", each
    {"value", "low", "high", "n", "positives"} with a 95% interval; nothing for a label that was not measured. The
    predictive values of a site are those of all records, both models one after the other."""
    measured: str = ""
    """How the figures were measured."""

    @classmethod
    def from_values(cls, values: object) -> "OperatingPoint":
        """Read a JSON object; keys that this version does not know are ignored.

        Raises:
            ValueError: It is not an object, lacks a key or has a value of another type.
        """
        if not isinstance(values, dict):
            msg = "its spec has an operating point that is not an object"
            raise ValueError(msg)  # noqa: TRY004 - one kind of error for a bad spec
        known = {key.name for key in fields(cls)}
        fit: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
        }
        try:
            return cls(**fit)
        except TypeError as error:
            msg = f"its spec has an operating point that lacks a key: {error}"
            raise ValueError(msg) from error

    def share(self, label: str, name: str) -> Share | None:
        """Return a measured figure of a label, such as "sensitivity"; None if the model does not state it in full."""
        return read_share(self.metrics, label, name)

    def count(self, label: str, part: str) -> int | None:
        """Return how many records the sensitivity of a label was measured on; None if the model does not state it.

        Args:
            label: Such as "inferior".
            part: "n" for all records, "positives" for those with the label.
        """
        figures = self.metrics.get(label)
        figure = figures.get("sensitivity") if isinstance(figures, dict) else None
        count = figure.get(part) if isinstance(figure, dict) else None
        return count if type(count) is int else None

    def compute_predictive_value(self, label: str) -> Share | None:
        """Compute the share of the found records that have a label, where it is as frequent as it was when measured.

        Returns:
            None if the model does not state sensitivity, specificity and the number of records in full. 0 (0 to 1) if
            some values within their intervals do not define it, because no record would be found: it may be anything.
        """
        sensitivity, specificity = self.share(label, "sensitivity"), self.share(label, "specificity")
        n, positives = self.count(label, "n"), self.count(label, "positives")
        prevalence = positives / n if n and positives and 0 < positives < n else 0.0
        # Of absurd numbers of records, the quotient may be rounded to 0 or 1.
        if sensitivity is None or specificity is None or not 0 < prevalence < 1:
            return None
        return compute_predictive_values(sensitivity, specificity, prevalence)[0] or Share(0.0, 0.0, 1.0)

    def list_faults(self, name: object, labels: tuple[str, ...]) -> dict[str, bool]:
        """Return what can be wrong with a point, and whether it is.

        Args:
            name: Of the point.
            labels: Of the model.
        """
        where = f"the operating point {name!r} with"
        texts = (self.goal, self.measured)
        return {
            "an operating point whose name is not printable text": not _is_name(name),
            f"{where} a description that is not text": not all(isinstance(text, str) for text in texts),
            f"{where} thresholds that are not {len(labels)} numbers between 0 and 1": not _are_thresholds(
                self.thresholds, len(labels)
            ),
            f"{where} unproven labels that are not labels of the model": not (
                isinstance(self.unproven, tuple) and all(label in labels for label in self.unproven)
            ),
            f"{where} metrics that are not an object": not isinstance(self.metrics, dict),
        }


def read_share(metrics: Mapping[str, Any], label: str, name: str) -> Share | None:
    """Return a figure of a label with its interval; None if the figures do not have it in full.

    Args:
        metrics: Figures by label and name. A model file may hold anything here.
        label: Such as "inferior".
        name: Such as "sensitivity".
    """
    figures = metrics.get(label)
    figure = figures.get(name) if isinstance(figures, dict) else None
    values = [figure.get(part) for part in Share._fields] if isinstance(figure, dict) else []
    # Not a number fails every comparison.
    shares = [float(value) for value in values if isinstance(value, float | int) and 0 <= value <= 1]
    return Share(*shares) if len(shares) == len(Share._fields) else None


def compute_predictive_values(
    sensitivity: Share, specificity: Share, prevalence: float
) -> tuple[Share | None, Share | None]:
    """Return the positive and the negative predictive value.

    Both grow with sensitivity and with specificity. So the low end of each is that of both low ends, and the high end
    that of both high ends. Such an interval is a little wider than a 95% interval.

    Args:
        sensitivity: Share of the recordings with infarction that are detected.
        specificity: Share of the recordings without infarction that are not detected.
        prevalence: Share of the recordings that have an infarction, more than 0 and less than 1.

    Returns:
        Share of the detected recordings that have an infarction, and share of the others that have none. None for a
        share that some values within the intervals do not define, because no recording would be detected, or all.

    Raises:
        ValueError: The prevalence is out of range.
    """
    # Not a number fails every comparison.
    if not 0 < prevalence < 1:
        msg = f"the prevalence is {prevalence:g}, expected more than 0 and less than 1, such as 0.08"
        raise ValueError(msg)
    pairs: list[tuple[float, float]] = list(zip(sensitivity, specificity, strict=True))
    positive = [_divide(sens * prevalence, (1 - spec) * (1 - prevalence)) for sens, spec in pairs]
    negative = [_divide(spec * (1 - prevalence), (1 - sens) * prevalence) for sens, spec in pairs]
    return _share(positive), _share(negative)


def _divide(right: float, wrong: float) -> float | None:
    return right / (right + wrong) if right + wrong else None


def _share(values: list[float | None]) -> Share | None:
    defined = [value for value in values if value is not None]
    return Share(*defined) if len(defined) == len(values) else None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name != "" and name.isprintable()


def _are_thresholds(values: object, n: int) -> bool:
    return (
        isinstance(values, tuple)
        and len(values) == n
        and all(isinstance(threshold, float) and 0 < threshold < 1 for threshold in values)
    )
