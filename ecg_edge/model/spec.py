"""What a model file says of itself: written by the export, read by the runtime."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

METADATA_KEY = "ecg_edge"
SCHEMA = 1
STAGES = ("infarction", "localization")
AVERAGES = ("probability", "logit")
TAILS = ("window", "dropped")
# Two hours at 500 Hz: what one call takes must fit into the memory of a small device.
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
    """What is averaged over the windows of a recording: their probabilities, or their logits, and then the sigmoid of
    the mean is the answer. A file that averages logits has them as a third output, `window_logit`."""
    tail: str = field(default="window", kw_only=True)
    """What becomes of the samples after the last regular window, see `ecg_edge.model.windows`."""
    whole_length: int | None = field(default=None, kw_only=True)
    """A recording of exactly so many samples is answered in a way of its own: the file wants it whole, in one call, and
    a part of a longer one must never have that length. None: no length is special."""

    def __post_init__(self) -> None:
        """Refuse a spec that contradicts itself."""
        if self.schema != SCHEMA:
            msg = f"its spec has schema {self.schema}, this version reads {SCHEMA}"
            raise ValueError(msg)
        self._check_types()
        if self.stage not in STAGES or not 0 < self.stride <= self.window or self.windows_per_call < 1:
            msg = "its spec has a stage, window, stride or windows_per_call out of range"
            raise ValueError(msg)
        if not self.labels or len(self.labels) != len(self.thresholds):
            msg = "its spec does not have one threshold for each label"
            raise ValueError(msg)
        if not all(isinstance(each, float) and 0 < each < 1 for each in self.thresholds):
            msg = f"its spec has thresholds that are not between 0 and 1: {self.thresholds}"
            raise ValueError(msg)
        if self.average not in AVERAGES or self.tail not in TAILS:
            msg = f"its spec has the average {self.average!r} and the tail {self.tail!r}, unknown to this version"
            raise ValueError(msg)
        if self.whole_length is not None:
            self._check_whole_length(self.whole_length)

    def _check_types(self) -> None:
        names = (self.name, self.version, self.stage, self.unit, *self.leads, *self.labels, *self.unproven)
        texts = (self.threshold_method, self.training_data, self.licence)
        counts = (self.window, self.stride, self.windows_per_call, *filter(None, [self.whole_length]))
        sound = {
            "a name that is no text": all(isinstance(each, str) and each.isprintable() for each in names),
            "a description that is no text": all(isinstance(each, str) for each in texts),
            "lists that are none": all(isinstance(each, tuple) for each in (self.leads, self.labels, self.unproven)),
            "names more than once, or too many": len({*self.labels})
            == len(self.labels)
            < _MOST_NAMES
            > len(self.leads),
            "a count that is no whole number": all(type(each) is int for each in counts),
            "no sampling rate": type(self.sampling_rate) in {int, float} and 0 < self.sampling_rate < _MOST_HZ,
            "figures or a calibration that are none": isinstance(self.metrics, dict)
            and isinstance(self.calibration, dict),
        }
        for what, is_so in sound.items():
            if not is_so:
                msg = f"its spec has {what}"
                raise ValueError(msg)
        if max(self.window + self.windows_per_call * self.stride, self.whole_length or 0) > _MOST_SAMPLES_OF_A_CALL:
            msg = f"its spec wants more than {_MOST_SAMPLES_OF_A_CALL} samples in one call"
            raise ValueError(msg)

    def _check_whole_length(self, whole: int) -> None:
        parts = range(self.window, self.window + self.windows_per_call * self.stride, self.stride)
        if whole - (self.tail == "dropped") in parts or whole == self.window:
            msg = f"its spec lets a call on a part of a recording have the {whole} samples of a whole one"
            raise ValueError(msg)
        if whole < self.window or (self.tail == "window" and (whole - self.window) % self.stride):
            msg = f"its spec wants recordings of {whole} samples whole, which have no window at their end"
            raise ValueError(msg)

    def to_json(self) -> str:
        """Return the JSON text for the metadata."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """Read the JSON text of the metadata; keys unknown to this version are passed over.

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
        known = {each.name for each in fields(cls)}
        values = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
        }
        try:
            return cls(**values)
        except TypeError as error:
            msg = f"its spec lacks a key: {error}"
            raise ValueError(msg) from error
