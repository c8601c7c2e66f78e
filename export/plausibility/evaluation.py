"""Out-of-fold answers of the plausibility network, the thresholds chosen on them, and the table of what they find."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from ecg_edge.quality.monitor import QualityMonitor
from export.errors import RunsError
from export.network import Network
from export.plausibility.records import MAIN_DATABASE, RATE, SAMPLES, Records
from export.plausibility.spoiling import KINDS, Plan, plan_kind, plan_nothing, spoil
from export.plausibility.training import NETWORK, load_network, name_file
from export.stages import N_FOLDS, SEED

CASES: tuple[tuple[str, float | None], ...] = (
    *((kind, None) for kind in KINDS),
    ("stretched", 1.5),
    ("stretched", 2.0),
    ("squeezed", 1.5),
    ("squeezed", 2.0),
    ("squeezed", 5.0),
    ("too_small", 3.0),
    ("too_small", 10.0),
    ("too_large", 3.0),
    ("too_large", 10.0),
)
"""Kind and amount of each way in which the records are spoiled; None: drawn as in training."""
ANY, HITS = "any kind", "hits"
SHORT_S = 2
"""Seconds of the short recordings on which false alarms are counted too: one window."""
_MOST_ALARMS, _MOST_ALARMS_ELSEWHERE = 0.004, 0.01
# The exchange of two chest electrodes is hard to see and matters least.
_FEWER_ALARMS = {"precordials_exchanged": 0.3}
_AIM = 0.97
_AIMS = {"inverted": 0.98, "not_ecg": 0.992}
_THRESHOLDS = (0.02, 0.99)
_ARRAYS = ("folds", "databases", "refused", "plain", "short", "spoiled")
_BATCH = 64
_Z = 1.96
_FILE = "plausibility_out_of_fold.npz"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answers:
    """Mean window probabilities of records, left as they are and spoiled, from networks that have not seen them."""

    folds: NDArray[np.int64]
    """Fold of each record, shape (records,)."""
    databases: NDArray[np.str_]
    """Shape (records,)."""
    refused: NDArray[np.bool_]
    """Whether the rules of the quality gate refuse the record as it is, shape (records,)."""
    plain: NDArray[np.float64]
    """Of the records as they are, shape (records, kinds)."""
    short: NDArray[np.float64]
    """Of their first `SHORT_S` seconds, shape (records, kinds)."""
    spoiled: NDArray[np.float64]
    """Of the records spoiled in each of `CASES`, shape (cases, records, kinds)."""

    @classmethod
    def read(cls, runs: Path) -> "Answers":
        """Read what `save` wrote.

        Raises:
            RunsError: The file does not exist.
        """
        try:
            with np.load(runs / _FILE, allow_pickle=False) as file:
                return cls(*(file[name] for name in _ARRAYS))
        except FileNotFoundError as error:
            msg = f"{runs / _FILE} does not exist: train the plausibility network first"
            raise RunsError(msg) from error

    def save(self, runs: Path) -> None:
        """Write a compressed .npz into the folder of the runs."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        np.savez_compressed(runs / _FILE, **arrays)


@torch.no_grad()
def answer_held_out(records: Records, runs: Path, report: Report) -> Answers:
    """Ask the network of each fold about the records of that fold, as they are and spoiled in each way.

    The records are not disturbed as in training. Those of other databases were made by other devices.
    """
    folds = records.folds(N_FOLDS, SEED)
    n = len(folds)
    plain, short = np.full((2, n, len(KINDS)), np.nan)
    spoiled = np.full((len(CASES), n, len(KINDS)), np.nan)
    for fold in range(N_FOLDS):
        report(f"fold {fold}: answering its records")
        network = load_network(runs / name_file(fold))
        random = torch.Generator().manual_seed(SEED + 1 + fold)
        rows = np.flatnonzero(folds == fold)
        for some in np.array_split(rows, -(-len(rows) // _BATCH)):
            nothing = plan_nothing(len(some), random)
            plain[some] = _answer(network, records, some, nothing, random)
            short[some] = _answer(network, records, some, nothing, random, SHORT_S * int(RATE))
            for case, (kind, amount) in enumerate(CASES):
                plan = plan_kind(kind, len(some), random, amount)
                spoiled[case, some] = _answer(network, records, some, plan, random)
    return Answers(folds, np.array(records.databases), _find_refused(records), plain, short, spoiled)


def _find_refused(records: Records) -> NDArray[np.bool_]:
    refused = np.zeros(len(records.names), np.bool_)
    for row in range(len(refused)):
        monitor = QualityMonitor()
        monitor.push(records.signal(row))
        refused[row] = bool(monitor.report().reasons)
    return refused


def _answer(  # noqa: PLR0913, PLR0917 - what an answer depends on
    network: Network, records: Records, rows: NDArray[np.int64], plan: Plan, random: Generator, most: int = SAMPLES
) -> NDArray[np.float64]:
    """Return the mean window probabilities of records of any length, shape (rows, kinds)."""
    ecg = torch.from_numpy(records.microvolts[rows].astype(np.float32) / 1000)
    ecg = spoil(ecg, torch.zeros(len(rows)), plan, most, random, disturb=False)
    windows = torch.sigmoid(network(ecg)).double().numpy()
    lengths = np.minimum(records.lengths[rows] / plan.factor.numpy(), most)
    n_windows = np.maximum(1, 1 + (lengths - NETWORK.window).astype(np.int64) // NETWORK.stride)
    kept = np.arange(windows.shape[1]) < n_windows[:, None]
    mean: NDArray[np.float64] = (windows * kept[..., None]).sum(axis=1) / n_windows[:, None]
    return mean


def choose_thresholds(answers: Answers, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the threshold of each kind: few plain records reach it, most spoiled ones do.

    Few comes first: at most `_MOST_ALARMS` of the plain records of PTB-XL, and `_MOST_ALARMS_ELSEWHERE` of the others,
    reach a threshold. Of the thresholds that keep this, it is the highest at which `_AIM` of the spoiled records are
    found. If none of them finds that share, it is the lowest.

    Args:
        answers: Out-of-fold answers.
        rows: The records to choose on, shape (records,). Those that the rules refuse do not count.
    """
    main, counted = answers.databases == MAIN_DATABASE, rows & ~answers.refused
    aims = [_AIMS.get(kind, _AIM) for kind in KINDS]
    own = [answers.spoiled[CASES.index((kind, None)), counted, i] for i, kind in enumerate(KINDS)]
    chosen = [np.quantile(found, 1 - aim) for found, aim in zip(own, aims, strict=True)]
    for group, most in ((main, _MOST_ALARMS), (~main, _MOST_ALARMS_ELSEWHERE)):
        if (counted & group).any():
            shares = [_FEWER_ALARMS.get(kind, 1.0) * most for kind in KINDS]
            chosen = [
                max(one, limit)
                for one, limit in zip(chosen, _find_limits(answers.plain[counted & group], shares), strict=True)
            ]
    clipped: NDArray[np.float64] = np.clip(np.array(chosen), *_THRESHOLDS)
    return clipped


def _find_limits(plain: NDArray[np.float64], shares: list[float]) -> Iterator[float]:
    """Yield, for each kind, a threshold a little above the answers of all but a share of the records."""
    for of_kind, share in zip(np.sort(plain, axis=0)[::-1].T, shares, strict=True):
        above = of_kind[int(share * len(of_kind))]
        yield float(above + 0.02 * (1 - above))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a share of records."""

    group: str
    kind: str
    found: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the share (Wilson)."""
        share, n = self.found / self.n, self.n
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_dict(self) -> dict[str, float]:
        """Return the share, its interval and n, as they stand in a spec."""
        low, high = self.interval
        return {"value": round(self.found / self.n, 4), "low": round(low, 4), "high": round(high, 4), "n": self.n}

    def __str__(self) -> str:
        """Return the share with its interval."""
        low, high = self.interval
        return f"{self.found / self.n:.1%} ({low:.1%} to {high:.1%}), {self.found} of {self.n}"


def decide_across(answers: Answers, probability: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which kinds are found with thresholds that were chosen on the *other* folds, shape (records, kinds)."""
    found = np.zeros(probability.shape, np.bool_)
    for fold in np.unique(answers.folds):
        own = answers.folds == fold
        found[own] = probability[own] >= choose_thresholds(answers, ~own)
    return found


def count_rows(answers: Answers) -> Iterator[Row]:
    """Yield the false alarms of each kind and of all together, then the hits of each way of spoiling."""
    main, counted = answers.databases == MAIN_DATABASE, ~answers.refused
    for group, rows, probability in (
        ("PTB-XL", main & counted, answers.plain),
        ("other databases", ~main & counted, answers.plain),
        (f"all, first {SHORT_S} s", counted, answers.short),
    ):
        found = decide_across(answers, probability)[rows]
        for kind, of_kind in zip(KINDS, found.T, strict=True):
            yield Row(group, kind, int(of_kind.sum()), len(found))
        yield Row(group, ANY, int(found.any(axis=1).sum()), len(found))
    for (kind, amount), probability in zip(CASES, answers.spoiled, strict=True):
        found = decide_across(answers, probability)[:, KINDS.index(kind)]
        yield Row(HITS, name_case(kind, amount), int(found.sum()), len(found))


def name_case(kind: str, amount: float | None) -> str:
    """Return how the table calls a way of spoiling."""
    return kind if amount is None else f"{kind}, {amount:g} times"


def render_table(answers: Answers) -> Iterator[str]:
    """Yield the lines of two Markdown tables: false alarms, and hits."""
    rows = list(count_rows(answers))
    cells = {(row.group, row.kind): str(row) for row in rows}
    groups = list(dict.fromkeys(row.group for row in rows if row.group != HITS))
    yield f"| false alarms | {' | '.join(groups)} |"
    yield "|---" * (len(groups) + 1) + "|"
    for kind in (*KINDS, ANY):
        yield f"| {kind} | {' | '.join(cells[group, kind] for group in groups)} |"
    yield ""
    yield "| spoiled | found |"
    yield "|---|---|"
    for kind, amount in CASES:
        yield f"| {name_case(kind, amount)} | {cells[HITS, name_case(kind, amount)]} |"
