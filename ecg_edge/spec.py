"""What a model file says of itself: written by the export, read by the runtime."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

METADATA_KEY = "ecg_edge"
SCHEMA = 1
STAGES = ("infarction", "localization")


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

    def __post_init__(self) -> None:
        """Refuse a spec that contradicts itself."""
        if self.schema != SCHEMA:
            msg = f"its spec has schema {self.schema}, this version reads {SCHEMA}"
            raise ValueError(msg)
        if self.stage not in STAGES or not 0 < self.stride <= self.window or self.windows_per_call < 1:
            msg = "its spec has a stage, window, stride or windows_per_call out of range"
            raise ValueError(msg)
        if not self.labels or len(self.labels) != len(self.thresholds):
            msg = "its spec does not have one threshold for each label"
            raise ValueError(msg)
        if not all(isinstance(each, float) and 0 < each < 1 for each in self.thresholds):
            msg = f"its spec has thresholds that are not between 0 and 1: {self.thresholds}"
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
        values = json.loads(text)
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
