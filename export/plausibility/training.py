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

from ecg_edge.cores import usable_cores
from export.errors import RunsError
from export.network import Network, NetworkSettings
from export.plausibility.records import MAIN_DATABASE, Records
from export.plausibility.spoiling import KINDS, NOT_ECG, Plan, plan_lesson, spoil
from export.plausibility.waves import WAVES, measure_waves, to_targets
from export.processes import make_pool
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
N_AUXILIARY = 12 * len(WAVES)
"""Outputs for training only: the waves of each lead."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the network is fitted."""

    steps: int = 9000
    batch: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    averaging: float = 0.995
    """Decay of the moving average of the weights, per step."""
    extra_draws: int = 1
    """How many times more often the records of the small databases are drawn."""
    waves_weight: float = 6.0
    """Weight of the waves in the loss; 0: they are not learned."""
    seed: int = 0


TRAINING = TrainingSettings()
Report = Callable[[str], None]


def name_file(fold: int | None) -> str:
    """Return the name of the weights file of a fold, or of the final network."""
    return "plausibility_final.pt" if fold is None else f"plausibility_fold{fold}.pt"


def train(records: Records, runs: Path, report: Report, settings: TrainingSettings = TRAINING) -> None:
    """Train the network of each fold and the final one, one on each core. Files that exist are kept.

    Args:
        records: What to learn from.
        runs: Folder for the files, made if it does not exist.
        report: Called with one line of progress at a time; must be picklable.
        settings: How.

    Raises:
        RunsError: A file in `runs` was trained with other settings or other records.
    """
    runs.mkdir(parents=True, exist_ok=True)
    fingerprint = _fingerprint(records, settings)
    missing = [fold for fold in (*range(N_FOLDS), None) if not is_trained(runs / name_file(fold), fingerprint)]
    if not missing:
        return
    folds, waves = records.folds(N_FOLDS, SEED), measure_waves(records)
    with make_pool(min(len(missing), usable_cores())) as pool:
        jobs = []
        for fold in missing:
            rows = np.flatnonzero(folds != fold) if fold is not None else np.arange(len(folds))
            path = runs / name_file(fold)
            jobs.append(pool.submit(_train, path, fingerprint, records, waves, rows, settings, report))
        for job in jobs:
            job.result()


def _train(  # noqa: PLR0913, PLR0917 - what another process needs
    path: Path,
    fingerprint: str,
    records: Records,
    waves: NDArray[np.float32],
    rows: NDArray[np.int64],
    settings: TrainingSettings,
    report: Report,
) -> None:
    torch.set_num_threads(1)
    network = fit(records, waves, rows, settings, lambda line: report(f"{path.stem}: {line}"))
    save_weights(path, fingerprint, network.state_dict())


def load_network(path: Path) -> Network:
    """Return the network of a weights file, ready for inference.

    Raises:
        RunsError: The file does not exist, or was trained with other sizes.
    """
    network = Network(NETWORK, len(KINDS), N_AUXILIARY)
    try:
        network.load_state_dict(torch.load(path, weights_only=True)["weights"])
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train the plausibility network first"
        raise RunsError(msg) from error
    except (KeyError, RuntimeError) as error:
        msg = f"{path} was trained with other settings: train it again, into another folder for the runs"
        raise RunsError(msg) from error
    return network.eval()


def fit(
    records: Records,
    waves: NDArray[np.float32],
    rows: NDArray[np.int64],
    settings: TrainingSettings,
    report: Report,
) -> Network:
    """Fit one network to windows of some of the records, spoiled anew in each step.

    Args:
        records: All records.
        waves: Their waves, as of `measure_waves`.
        rows: Which of them the network learns from.
        settings: How.
        report: Called with a line after each hundred steps.
    """
    torch.manual_seed(settings.seed)
    random = torch.Generator().manual_seed(settings.seed)
    network = Network(NETWORK, len(KINDS), N_AUXILIARY).train()
    averaged = deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=0.15
    )
    others = rows[np.array(records.databases)[rows] != MAIN_DATABASE]
    pool = np.concatenate([rows, *[others] * settings.extra_draws])
    total = 0.0
    for step in range(1, settings.steps + 1):
        chosen = pool[torch.randint(0, len(pool), (settings.batch,), generator=random).numpy()]
        plan = plan_lesson(len(chosen), random)
        logits = network.member_logits(_draw(records, chosen, plan, random), NETWORK.stride)[0, :, 0]
        loss = _compare_kinds(logits[:, : len(KINDS)], plan.target)
        loss = loss + settings.waves_weight * compare_waves(logits[:, len(KINDS) :], waves[chosen], plan)
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
def _draw(records: Records, chosen: NDArray[np.int64], plan: Plan, random: torch.Generator) -> Tensor:
    """Return a window of each chosen record, spoiled as planned, shape (chosen, 12, window)."""
    lengths = torch.from_numpy(records.lengths[chosen])
    # The window of a recording that is read fast must fit into it.
    room = (lengths - NETWORK.window * plan.factor * 1.08).clamp(min=0)
    starts = (torch.rand(len(chosen), generator=random) * room).floor()
    ecg = torch.from_numpy(records.microvolts[chosen].astype(np.float32) / 1000)
    return spoil(ecg, starts, plan, NETWORK.window, random, disturb=True)


def _compare_kinds(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy. If a signal is not an ECG, its other labels do not count."""
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    asked = torch.ones_like(target)
    asked[:, :-1] -= target[:, -1:]
    return (loss * asked).sum() / asked.sum() * len(KINDS)


def compare_waves(logits: Tensor, waves: NDArray[np.float32], plan: Plan) -> Tensor:
    """Binary cross-entropy of the waves as the exchange of leads leaves them, at the true gain.

    Waves are not asked for where there are none: in a record without beats, and in a signal that is not an ECG.

    Args:
        logits: Shape (records, 12 leads x waves).
        waves: Of the records as they are, millivolts, shape (records, 12, waves).
        plan: What was done to the records.
    """
    known = torch.from_numpy(np.isfinite(waves).all(axis=(1, 2))) & (plan.target[:, NOT_ECG] == 0)
    target = to_targets(plan.matrix @ torch.from_numpy(np.nan_to_num(waves))).flatten(1)
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=1)
    return (loss * known).sum() / known.sum().clamp(min=1)


def _fingerprint(records: Records, settings: TrainingSettings) -> str:
    content = repr((asdict(settings), asdict(NETWORK), KINDS, records.names)).encode()
    return hashlib.sha256(content).hexdigest()
