"""Input formats in words, for the documentation and the command line: what is stated, checked and refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from ecg_edge.errors import BrokenExtraError, MissingExtraError
from ecg_edge.extras import optional_library

_TITLES = ("format", "files", "extra", "must be stated", "checked", "refused")


@dataclass(frozen=True, slots=True)
class FormatDescription:
    """One format in words. The module of a format has a tuple of these as `DESCRIPTIONS`."""

    name: str
    files: str
    """Usual endings."""
    stated: str
    """What the file or the caller must state."""
    checked: str
    refused: str
    extra: str | None = None
    """The extra that it needs; None if it needs none."""
    library: str | None = None
    """The module of its library."""

    def describe_extra(self) -> str:
        """Return whether what the format needs is installed."""
        return describe_library(self.name, self.library, self.extra)


def describe_library(purpose: str, library: str | None, extra: str | None) -> str:
    """Return whether an optional library can be imported, with its version or what to do.

    Args:
        purpose: What needs it.
        library: Its module; None if none is needed.
        extra: The extra that installs it.
    """
    if library is None or extra is None:
        return "needs no extra"
    try:
        with optional_library(library, purpose, extra):
            module = import_module(library)
    except MissingExtraError:
        return f'extra {extra}: not installed; pip install "ecg_edge[{extra}]"'
    except BrokenExtraError as error:
        return f"extra {extra}: {error}"
    return f"extra {extra}: installed, {library} {getattr(module, '__version__', '')}".rstrip()


def make_table(descriptions: Iterable[FormatDescription]) -> str:
    """Return the formats as a table in Markdown, as `docs/input-formats.md` shows it."""
    rows = [_TITLES, ("---",) * len(_TITLES)]
    rows += [
        (one.name, one.files, f"`{one.extra}`" if one.extra else "", one.stated, one.checked, one.refused)
        for one in descriptions
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows).replace("|  |", "| |") + "\n"
