"""The spec of a model file: written by the export, read by the runtime."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ecg_edge.model.operating_point import BALANCED, OperatingPoint

METADATA_KEY = "ecg_edge"
SCHEMA = 1
STAGES = ("infarction", "localization", "plausibility")
AVERAGES = ("probability", "logit")
TAILS = ("window", "dropped")
# Two hours at 500 Hz: one call must fit into the memory of a small device.
_MOST_SAMPLES_OF_A_CALL = 4_000_000
_MOST_NAMES = 100
_MOST_HZ = 100_000


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The contract's spec, one JSON object in the model's metadata."""

    name: str
    version: str
    stage: str
    """One of `STAGES`."""
    leads: tuple[str, ...]
    """Order of the leads in the input."""
    sampling_rate: float
    """Samples per second of the input."""
    unit: str
    """Unit of the input."""
    window: int
    """Samples of a window."""
    stride: int
    """Samples between regular windows."""
    labels: tuple[str, ...]
    """One for each class of the output."""
    thresholds: tuple[float, ...]
    """Probability from which a label counts as found, one for each label."""
    threshold_method: str
    """How the thresholds were chosen."""
    unproven: tuple[str, ...]
    """Labels with too few examples to learn or to measure."""
    windows_per_call: int
    """Most windows that one call should take, for bounded memory."""
    calibration: dict[str, Any]
    """How window logits became probabilities."""
    metrics: dict[str, Any]
    """Measured figures, each {"value", "low", "high", "n"} with a 95% interval."""
    training_data: str
    licence: str
    schema: int = field(default=SCHEMA, kw_only=True)
    average: str = field(default="probability", kw_only=True)
    """What is averaged over the windows of a recording: "probability" or "logit". The answer of a file that averages
    logits is the sigmoid of their mean. This file has a third output, `window_logit`."""
    tail: str = field(default="window", kw_only=True)
    """What happens to the samples after the last regular window, see `ecg_edge.model.windows`."""
    whole_length: int | None = field(default=None, kw_only=True)
    """A recording of exactly this many samples is handed to the file whole, in one call. A part of a longer recording
    must never have this length. None: all lengths are treated alike."""
    operating_points: dict[str, OperatingPoint] = field(default_factory=dict, kw_only=True)
    """By name. "balanced" is among them, with the thresholds above. Empty in files that have this point alone."""

    @property
    def points(self) -> dict[str, OperatingPoint]:
        """All operating points by name. "balanced", the default, is always there."""
        balanced = OperatingPoint(self.threshold_method, self.thresholds, self.unproven, self.metrics)
        return self.operating_points or {BALANCED: balanced}

    def __post_init__(self) -> None:
        """Refuse a spec that contradicts itself.

        Raises:
            ValueError: It does; the message says how.
        """
        if self.schema != SCHEMA:
            msg = f"its spec has schema {self.schema}, this version reads {SCHEMA}"
            raise ValueError(msg)
        lists = (self.leads, self.labels, self.unproven, self.thresholds)
        fault = "leads, labels, unproven labels or thresholds that are not a list"
        _refuse_first({fault: not all(isinstance(values, tuple) for values in lists)})
        _refuse_first(self._list_type_faults())
        _refuse_first(self._list_value_faults())
        self._check_operating_points()
        if self.whole_length is not None:
            self._check_whole_length(self.whole_length)

    def _list_type_faults(self) -> dict[str, bool]:
        names = (self.name, self.version, self.stage, self.unit, *self.leads, *self.labels, *self.unproven)
        texts = (self.threshold_method, self.training_data, self.licence)
        counts = [self.window, self.stride, self.windows_per_call]
        if self.whole_length is not None:
            counts.append(self.whole_length)
        return {
            "a name that is not printable text": not all(
                isinstance(name, str) and name.isprintable() for name in names
            ),
            "a description that is not text": not all(isinstance(text, str) for text in texts),
            "a count that is not a whole number": not all(type(count) is int for count in counts),
            "a sampling rate that is not a number": type(self.sampling_rate) not in {int, float},
            "metrics that are not an object": not isinstance(self.metrics, dict),
            "a calibration that is not an object": not isinstance(self.calibration, dict),
        }

    def _list_value_faults(self) -> dict[str, bool]:
        n_samples = max(self.window + self.windows_per_call * self.stride, self.whole_length or 0)
        return {
            f"the sampling rate {self.sampling_rate}, expected more than 0 and less than {_MOST_HZ}": not (
                0 < self.sampling_rate < _MOST_HZ
            ),
            f"the stage {self.stage!r}, expected one of {', '.join(STAGES)}": self.stage not in STAGES,
            f"the window {self.window}, expected 1 or more": self.window < 1,
            f"the stride {self.stride}, expected 1 to {self.window}, the window": not 0 < self.stride <= self.window,
            f"windows_per_call {self.windows_per_call}, expected 1 or more": self.windows_per_call < 1,
            f"a call of {n_samples} samples, expected at most {_MOST_SAMPLES_OF_A_CALL}": (
                n_samples > _MOST_SAMPLES_OF_A_CALL
            ),
            f"{len(self.leads)} leads, expected less than {_MOST_NAMES}": len(self.leads) >= _MOST_NAMES,
            f"{len(self.labels)} labels, expected 1 to {_MOST_NAMES - 1}": not 0 < len(self.labels) < _MOST_NAMES,
            "a label more than once": len(set(self.labels)) < len(self.labels),
            f"{len(self.thresholds)} thresholds for {len(self.labels)} labels": (
                len(self.thresholds) != len(self.labels)
            ),
            f"thresholds that are not between 0 and 1: {self.thresholds}": not all(
                isinstance(threshold, float) and 0 < threshold < 1 for threshold in self.thresholds
            ),
            f"the average {self.average!r}, expected one of {', '.join(AVERAGES)}": self.average not in AVERAGES,
            f"the tail {self.tail!r}, expected one of {', '.join(TAILS)}": self.tail not in TAILS,
        }

    def _check_operating_points(self) -> None:
        points = self.operating_points
        _refuse_first(
            {
                "operating points that are not an object": not isinstance(points, dict)
                or not all(isinstance(point, OperatingPoint) for point in points.values())
            }
        )
        _refuse_first({f"{len(points)} operating points, expected less than {_MOST_NAMES}": len(points) >= _MOST_NAMES})
        for name, point in points.items():
            _refuse_first(point.list_faults(name, self.labels))
        balanced = points.get(BALANCED)
        _refuse_first(
            {
                f"operating points without {BALANCED!r}": bool(points) and balanced is None,
                f"an operating point {BALANCED!r} with other thresholds or unproven labels than its own": (
                    balanced is not None
                    and (balanced.thresholds, balanced.unproven) != (self.thresholds, self.unproven)
                ),
            }
        )

    def _check_whole_length(self, whole: int) -> None:
        parts = range(self.window, self.window + self.windows_per_call * self.stride, self.stride)
        if whole - (self.tail == "dropped") in parts or whole == self.window:
            msg = f"its spec allows a part of a recording to have {whole} samples, the length of a whole recording"
            raise ValueError(msg)
        if whole < self.window or (self.tail == "window" and (whole - self.window) % self.stride):
            msg = f"its spec has the whole length {whole}, at whose end there is not a window"
            raise ValueError(msg)

    def to_json(self) -> str:
        """Return the JSON text for the metadata."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """Read the JSON text of the metadata; keys that this version does not know are ignored.

        Raises:
            ValueError: The text is not JSON, lacks a key or contradicts itself.
        """
        try:
            values = json.loads(text)
        except RecursionError as error:
            msg = "its spec is nested too deeply"
            raise ValueError(msg) from error
        if not isinstance(values, dict):
            msg = "its spec is not a JSON object"
            raise ValueError(msg)  # noqa: TRY004 - one kind of error for a bad spec
        known = {key.name for key in fields(cls)}
        values = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
        }
        points = values.get("operating_points")
        if isinstance(points, dict):
            values["operating_points"] = {name: OperatingPoint.from_values(point) for name, point in points.items()}
        try:
            return cls(**values)
        except TypeError as error:
            msg = f"its spec lacks a key: {error}"
            raise ValueError(msg) from error


def _refuse_first(faults: dict[str, bool]) -> None:
    for fault, is_so in faults.items():
        if is_so:
            msg = f"its spec has {fault}"
            raise ValueError(msg)
