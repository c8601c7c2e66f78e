"""Messages of the package as this door says them: they advise fields of the form, and each has a kind."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from ecg_edge import errors
from ecg_edge.advice import advise_fields
from ecg_edge.findings import Finding, Note

FIELDS = ("sampling_rate", "units", "leads", "gain")
"""What a form may state about its files."""
_OPTIONS = {field.replace("_", "-"): f'the field "{field}"' for field in FIELDS}


class LimitError(errors.UnreadableError):
    """An upload has more than it may have."""


Kind = Literal[
    "limit",
    "not_stated",
    "contradiction",
    "units",
    "missing_leads",
    "repeated_lead",
    "sampling_rate",
    "shape",
    "invalid",
    "not_installed",
    "memory",
    "unreadable",
    "none_readable",
]
"""Why a file is refused; the last one is of an archive without a recording that can be read."""
_KINDS: tuple[tuple[type[errors.EcgEdgeError], Kind], ...] = (
    (LimitError, "limit"),
    (errors.UndeclaredError, "not_stated"),
    (errors.ContradictionError, "contradiction"),
    (errors.UnitsError, "units"),
    (errors.MissingLeadsError, "missing_leads"),
    (errors.RepeatedLeadError, "repeated_lead"),
    (errors.SamplingRateError, "sampling_rate"),
    (errors.WrongShapeError, "shape"),
    (errors.InvalidRecordingError, "invalid"),
    (errors.MissingExtraError, "not_installed"),
    (errors.BrokenExtraError, "not_installed"),
    (errors.NoMemoryError, "memory"),
)


def word(error: Exception) -> str:
    """Return the message of an error for people and programs at the form."""
    return advise_fields(str(error), _OPTIONS)


def kind_of(error: errors.EcgEdgeError) -> Kind:
    """Return why a file is refused."""
    return next((kind for error_class, kind in _KINDS if isinstance(error, error_class)), "unreadable")


def name_fields(message: str, names: Mapping[str, str]) -> str:
    """Return a message that calls the fields of the form as the reader sees them.

    Args:
        message: As from `word`.
        names: By field.
    """
    for field, name in names.items():
        message = message.replace(_OPTIONS[field.replace("_", "-")], name)
    return message


def word_notes(finding: Finding) -> Finding:
    """Return a finding whose reasons and warnings advise fields of the form."""
    return replace(
        finding,
        reasons=tuple(map(_word_note, finding.reasons)),
        warnings=tuple(map(_word_note, finding.warnings)),
    )


def _word_note(note: Note) -> Note:
    return replace(note, message=advise_fields(note.message, _OPTIONS))
