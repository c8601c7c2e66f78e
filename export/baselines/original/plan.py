"""How the networks of the original system are trained here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from export.errors import ExportError
from export.original.checkpoint import Architecture
from export.original.rules import ARCHITECTURES
from export.stages import STAGES, Stage

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a network is trained."""

    windows: int = 2
    """Random windows of each record in an epoch."""
    epochs: int = 8
    """The most epochs."""
    patience: int = 2
    """Epochs without a lower loss of validation after which the training ends."""
    batch: int = 32
    """Windows of a step."""
    learning_rate: float = 1e-4
    dropout: float = 0.0
    """Of the transformer layer. The original has 0.1, with which a step takes 2.5 times as long on a CPU."""
    precision: Precision = "bfloat16"
    """Of the products in a step of the training; weights, losses and answers are float32 always."""
    validation_parts: int = 10
    """One of so many parts of the records that are learned from is for validation."""
    answered_windows: int = 7
    """Windows of a record that are answered, evenly spread from its start to its end."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a precision that is not known."""
        if self.precision not in get_args(Precision):
            msg = f"precision must be one of {', '.join(get_args(Precision))}"
            raise ValueError(msg)


SETTINGS = {"infarction": Settings(), "localization": Settings(windows=4, epochs=12, patience=3)}


def change_settings(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """Return other settings.

    Raises:
        ExportError: A name is unknown, or a value does not fit it.
    """
    known = {field.name: field.type for field in fields(Settings)}
    for name, text in changes.items():
        if name not in known:
            msg = f"unknown setting {name!r}; known are {', '.join(known)}"
            raise ExportError(msg)
        try:
            settings = replace(settings, **{name: type(getattr(settings, name))(text)})
        except ValueError as error:
            msg = f"{name}={text}: {error}"
            raise ExportError(msg) from error
    return settings


@dataclass(frozen=True, slots=True)
class Plan:
    """One stage to train."""

    stage: Stage
    architecture: Architecture
    settings: Settings

    @classmethod
    def of_stage(cls, name: str, changes: Mapping[str, str]) -> "Plan":
        """Return the plan of a stage with some settings changed."""
        return cls(STAGES[name], ARCHITECTURES[name], change_settings(SETTINGS[name], changes))
