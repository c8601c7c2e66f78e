"""Show what changed between two runs beyond noise: `python benchmarks/compare.py BASE.json NEW.json`."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ecg_edge.cli.options import FiniteRange

_FEWEST = 3
_DRAWS = 2000
_PERCENT = 95
# Two runs of the same code on an idle machine differ by up to this much.
_SAME = 0.03
_SPEED, _SIZE = ("faster", "slower"), ("smaller", "larger")
_WORDS = {"ms": _SPEED, "s": _SPEED, "records/s": _SPEED, "MiB": _SIZE, "KiB": _SIZE}
_EXACT = ("KiB",)  # the size of a file has no noise
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Change:
    """One row in both runs."""

    name: str
    base: float
    new: float
    unit: str
    low: float
    """Lower end of the 95% interval of the ratio of new to base."""
    high: float
    """Upper end."""
    verdict: str
    """"faster", "slower", "smaller", "larger", "better", "worse", "no change" or "too few samples"."""

    @property
    def percent(self) -> float:
        """Return the change from base to new in percent."""
        return 100 * (self.new / self.base - 1)

    @property
    def worsened(self) -> bool:
        """Whether it got worse beyond noise."""
        return self.verdict in ("slower", "larger", "worse")

    def __str__(self) -> str:
        """Return a line for people."""
        return (
            f"{self.verdict:<16}{self.percent:+8.1f}% ({100 * (self.low - 1):+.1f} to {100 * (self.high - 1):+.1f})  "
            f"{self.base:.4g} -> {self.new:.4g} {self.unit}  {self.name}"
        )


@click.command()
@click.argument("base", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--fail-over", type=FiniteRange(0, "%"), metavar="PERCENT", help="Exit 1 if a row got worse by more.")
def main(base: Path, new: Path, fail_over: float | None) -> None:
    """Say which rows of NEW differ from BASE beyond noise.

    A row differs if the 95% bootstrap interval of the ratio of its medians excludes 1 and the ratio is off by more than
    3%. Rows with fewer than three samples are not judged.
    """
    reports = [_read(path) for path in (base, new)]
    differences = list(_list_differences(*reports))
    for line in differences:
        click.echo(f"CAUTION: {line}")
    if differences and fail_over is not None:
        click.echo("error: --fail-over cannot judge runs that differ in more than the code", err=True)
        sys.exit(1)
    changes = list(compare(*reports))
    for change in changes:
        click.echo(change)
    for line in _count_unmatched(*reports):
        click.echo(line)
    if fail_over is not None and any(change.worsened and abs(change.percent) > fail_over for change in changes):
        sys.exit(1)


def compare(base: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Yield the rows of the same name in two reports."""
    old, rows = _index_rows(base), _index_rows(new)
    for name in (name for name in old if name in rows):
        yield _compare_rows(name, old[name], rows[name])


def _compare_rows(name: str, base: dict[str, Any], new: dict[str, Any]) -> Change:
    first, second = (np.array(row["samples"], float) for row in (base, new))
    low, high = _compute_interval(first, second)
    verdict = _judge(base, float(new["median"] / base["median"]), (low, high), min(len(first), len(second)))
    return Change(name, base["median"], new["median"], base["unit"], low, high, verdict)


def _compute_interval(base: NDArray[np.float64], new: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bootstrap interval of the ratio of medians."""
    random = np.random.default_rng(0)
    base_medians, new_medians = (
        np.median(random.choice(samples, (_DRAWS, len(samples))), axis=1) for samples in (base, new)
    )
    tail = (100 - _PERCENT) / 2
    low, high = np.percentile(new_medians / base_medians, [tail, 100 - tail])
    return float(low), float(high)


def _judge(row: dict[str, Any], ratio: float, interval: tuple[float, float], fewest: int) -> str:
    exact = row["unit"] in _EXACT
    if ratio == 1 or (not exact and (interval[0] <= 1 <= interval[1] or abs(ratio - 1) <= _SAME)):
        return "no change"
    if fewest < _FEWEST and not exact:
        return "too few samples"
    better, worse = _WORDS.get(row["unit"], ("better", "worse"))
    return better if (ratio > 1) == row["higher_is_better"] else worse


def _read(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_bytes())
    return report


def _index_rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{row['benchmark']}: {row['name']}": row for row in report["rows"]}


def _list_differences(base: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in ("processor", "cores", "memory_mib", "system", "gpu", "provider", "threads", "records"):
        before, after = (report["environment"][key] for report in (base, new))
        if before != after:
            yield f"{key} was {before}, is {after}: the figures do not show what the code did"


def _count_unmatched(base: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    old, rows = _index_rows(base), _index_rows(new)
    for word, names in (("gone", old.keys() - rows.keys()), ("added", rows.keys() - old.keys())):
        counts = Counter(name.partition(":")[0] for name in names)
        yield from (f"{word}: {count} rows of {benchmark}" for benchmark, count in sorted(counts.items()))


if __name__ == "__main__":
    main()
