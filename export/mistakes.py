"""The worst mistakes of the folds, drawn, looked at by eye and sorted into groups."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from export.errors import ExportError

TABLE = Path(__file__).with_name("mistakes.csv")
KINDS = {"missed": "Missed infarctions", "false alarm": "False alarms"}
_COLUMNS = ("version", "record", "kind", "probability", "group", "doubted")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One record that was answered wrongly."""

    record: str
    kind: str
    """One of `KINDS`."""
    probability: float
    """Of infarction, out of fold."""
    group: str
    """What its ECG shows."""
    doubted: bool
    """Whether the reader doubts the label."""


def read_mistakes(version: str, path: Path = TABLE) -> list[Mistake]:
    """Return the mistakes of a version of the models; none if nobody has looked at them.

    Raises:
        ExportError: The file is not a table of mistakes.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        chosen = [row for row in rows if row["version"] == version]
        return [
            Mistake(row["record"], row["kind"], float(row["probability"]), row["group"], bool(int(row["doubted"])))
            for row in chosen
        ]
    except (OSError, KeyError, ValueError) as error:
        msg = f"{path} must be a table with the columns {', '.join(_COLUMNS)}: {error}"
        raise ExportError(msg) from error


def render_mistakes(mistakes: list[Mistake]) -> Iterator[str]:
    """Yield the lines of the Markdown tables: how many mistakes of each kind show what."""
    if not mistakes:
        yield "Nobody has looked at the mistakes of this version yet."
        yield ""
    for kind, title in KINDS.items():
        counts = Counter(mistake.group for mistake in mistakes if mistake.kind == kind)
        if counts:
            yield f"| {title}: the {counts.total()} worst, by what the ECG shows | records |"
            yield "|---|---|"
            yield from (f"| {group} | {n} |" for group, n in counts.most_common())
            yield ""
