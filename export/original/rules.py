"""Positions and averaging of the windows: as the original system is described, or as its notebook does it."""

from dataclasses import dataclass

from ecg_edge.model.spec import ModelSpec
from ecg_edge.recording import LEADS
from export.dataset import SITES
from export.original.checkpoint import BINARY, LOCALIZATION
from export.original.scaler import SAMPLES

ARCHITECTURES = {"infarction": BINARY, "localization": LOCALIZATION}
LABELS = {"infarction": ("infarction",), "localization": SITES}
THRESHOLDS = {"infarction": 0.275, "localization": 0.10}


@dataclass(frozen=True, slots=True)
class Rule:
    """Windows and averaging of both stages."""

    name: str
    strides: dict[str, int]
    average: str
    """As in the spec."""
    tail: str
    """As in the spec."""
    windows_per_call: int
    """So few that no part of a recording has `SAMPLES` samples, and that a call needs less than 150 MB."""
    threshold_method: str

    def spec(self, stage: str, version: str, training_data: str) -> ModelSpec:
        """Return the spec of a stage."""
        labels = LABELS[stage]
        return ModelSpec(
            name=stage,
            version=version,
            stage=stage,
            leads=LEADS,
            sampling_rate=500.0,
            unit="mV",
            window=ARCHITECTURES[stage].window,
            stride=self.strides[stage],
            labels=labels,
            thresholds=(THRESHOLDS[stage],) * len(labels),
            threshold_method=self.threshold_method,
            unproven=("lateral",) if "lateral" in labels else (),
            windows_per_call=self.windows_per_call,
            calibration={"method": f"none; a window's probability is the sigmoid of its logit; mean {self.average}"},
            metrics={},
            training_data=training_data,
            licence="not known to the converter: that of the checkpoints",
            average=self.average,
            tail=self.tail,
            whole_length=SAMPLES,
        )


DESCRIBED = Rule(
    "described",
    {"infarction": 100, "localization": 50},
    average="probability",
    tail="window",
    windows_per_call=42,
    threshold_method="the original notebook's, where they are applied to averaged logits; "
    "none is known that was chosen for averaged probabilities",
)
# 5000 samples give 6 windows at 0, 700 ... 3500 and 7 at 0, 686 ... 4116.
NOTEBOOK = Rule(
    "notebook",
    {"infarction": 700, "localization": 686},
    average="logit",
    tail="dropped",
    windows_per_call=12,
    threshold_method="the original notebook's",
)
RULES = {rule.name: rule for rule in (DESCRIBED, NOTEBOOK)}
