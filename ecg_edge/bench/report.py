"""The report of a run, for people and for programs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecg_edge.bench.machine import Environment
from ecg_edge.bench.row import Row

SCHEMA = 1
_BUSY = 0.3  # of the cores
_UNITS = {"s": "s", "ms": "ms", "mib": "MiB"}


@dataclass(frozen=True, slots=True)
class Report:
    """The environment and all rows of a run."""

    environment: Environment
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """Return JSON of schema 1, one row a line. Each row names its machine and versions."""
        where = {"machine": self.environment.machine, "versions": self.environment.versions}
        rows = ",\n".join(json.dumps(row.to_dict() | where) for row in self.rows)
        return (
            f'{{"schema": {SCHEMA},\n"environment": {json.dumps(self.environment.to_dict())},\n"rows": [\n{rows}\n]}}'
        )

    def describe(self) -> Iterator[str]:
        """Yield lines about the machine, the versions and the records."""
        environment = self.environment
        yield environment.machine
        yield environment.versions
        yield f"provider {environment.provider}, up to {environment.threads} records at a time"
        yield f"records: {environment.records}"
        load = environment.load_average
        if load is not None:
            busy = "; the machine was busy, so expect noise" if load > _BUSY * environment.cores else ""
            yield f"load average at the start: {load:.2f}{busy}"


def render_text(report: Report) -> Iterator[str]:
    """Yield lines for a terminal."""
    yield from report.describe()
    width = max(len(row.name) for row in report.rows)
    benchmark = ""
    for row in report.rows:
        if row.benchmark != benchmark:
            benchmark = row.benchmark
            yield ""
            yield f"{benchmark:<{width + 2}}{'median':>9} {'minimum':>9} {'IQR':>9} {'n':>5}"
        figures = " ".join(f"{show_figure(value):>9}" for value in (row.median, row.minimum, row.interquartile_range))
        yield f"  {row.name:<{width}}{figures} {len(row.samples):>5} {row.unit:<10}{show_details(row.details)}".rstrip()


def show_figure(value: float) -> str:
    """Return a number with three significant digits, never in powers of ten."""
    return (
        f"{value:.0f}" if abs(value) >= 100 or not value else f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.4f}"
    )


def show_details(details: Mapping[str, Any]) -> str:
    """Return the details that fit in a line; tables appear only in JSON."""
    return ", ".join(_show_detail(key, value) for key, value in details.items() if not isinstance(value, (dict, list)))


def _show_detail(key: str, value: object) -> str:
    name, _, last = key.rpartition("_")
    named, unit = (name, f" {_UNITS[last]}") if last in _UNITS else (key, "")
    return f"{named.replace('_', ' ')} {show_figure(value) if isinstance(value, float) else value}{unit}"
