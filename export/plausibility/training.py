"""Fit the plausibility network: one for each fold of people, and the final one on all records."""

import hashlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from export.errors import RunsError
from export.network import Network, NetworkSettings
from export.plausibility.records import MAIN_DATABASE, Records
from export.plausibility.spoiling import KINDS, plan_lesson, spoil
from export.stages import N_FOLDS, SEED
from export.training import average_weights
from export.weights_file import is_trained, save_weights

NETWORK = NetworkSettings(
    window=1000,
    stride=500,
    convolutions=((16, 20, 10), (32, 9, 5)),
    heads=1,
    neighbours=4,
    feed_forward=32,
    hidden=64,
    dropout=0.05,
    baseline=13,
)


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the network is fitted."""

    steps: int = 3000
    batch: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    """Decay of the moving average of the weights, per step."""
    extra_draws: int = 1
    """How many times more often the records of the small databases are drawn."""
    seed: int = 0


TRAINING = TrainingSettings()
Report = Callable[[str], None]


def name_file(fold: int | None) -> str:
    """Return the name of the weights file of a fold, or of the final network."""
    return "plausibility_final.pt" if fold is None else f"plausibility_fold{fold}.pt"


def train(records: Records, runs: Path, report: Report, settings: TrainingSettings = TRAINING) -> None:
    """Train the network of each fold and the final one. Files that exist are kept.

    Raises:
        RunsError: A file in `runs` was trained with other settings or other records.
    """
    runs.mkdir(parents=True, exist_ok=True)
    folds = records.folds(N_FOLDS, SEED)
    for fold in (*range(N_FOLDS), None):
        path = runs / name_file(fold)
        fingerprint = _fingerprint(records, settings)
        if is_trained(path, fingerprint):
            continue
        rows = np.flatnonzero(folds != fold) if fold is not None else np.arange(len(folds))
        network = fit(records, rows, settings, lambda line, path=path: report(f"{path.stem}: {line}"))  # type: ignore[misc]
        save_weights(path, fingerprint, network.state_dict())


def load_network(path: Path) -> Network:
    """Return the network of a weights file, ready for inference.

    Raises:
        RunsError: The file does not exist, or was trained with other sizes.
    """
    network = Network(NETWORK, len(KINDS), 0)
    try:
        network.load_state_dict(torch.load(path, weights_only=True)["weights"])
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train the plausibility network first"
        raise RunsError(msg) from error
    except (KeyError, RuntimeError) as error:
        msg = f"{path} was trained with other settings: train it again, into another folder for the runs"
        raise RunsError(msg) from error
    return network.eval()


def fit(records: Records, rows: NDArray[np.int64], settings: TrainingSettings, report: Report) -> Network:
    """Fit one network to windows of some of the records, spoiled anew in each step."""
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    network = Network(NETWORK, len(KINDS), 0).train()
    averaged = deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=0.15
    )
    others = rows[np.array(records.databases)[rows] != MAIN_DATABASE]
    pool = np.concatenate([rows, *[others] * settings.extra_draws])
    total = 0.0
    for step in range(1, settings.steps + 1):
        ecg, target = _draw(records, pool, settings.batch, random)
        loss = _loss(network.member_logits(ecg, NETWORK.stride)[0, :, 0], target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average_weights(averaged, network, min(settings.averaging, step / (step + 10)))
        total += float(loss.detach())
        if step % 100 == 0:
            report(f"step {step}, loss {total / 100:.4f}")
            total = 0.0
    return averaged.eval()


@torch.no_grad()
def _draw(records: Records, rows: NDArray[np.int64], n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return windows (n, 12, window) and what was done to them (n, kinds)."""
    chosen = rows[torch.randint(0, len(rows), (n,), generator=random).numpy()]
    plan = plan_lesson(n, random)
    lengths = torch.from_numpy(records.lengths[chosen])
    # The window of a recording that is read fast must fit into it.
    room = (lengths - NETWORK.window * plan.factor * 1.08).clamp(min=0)
    starts = (torch.rand(n, generator=random) * room).floor()
    ecg = torch.from_numpy(records.microvolts[chosen].astype(np.float32) / 1000)
    return spoil(ecg, starts, plan, NETWORK.window, random, disturb=True), plan.target


def _loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy. If a signal is not an ECG, its other labels do not count."""
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    asked = torch.ones_like(target)
    asked[:, :-1] -= target[:, -1:]
    return (loss * asked).sum() / asked.sum() * len(KINDS)


def _fingerprint(records: Records, settings: TrainingSettings) -> str:
    content = repr((asdict(settings), asdict(NETWORK), KINDS, records.names)).encode()
    return hashlib.sha256(content).hexdigest()
