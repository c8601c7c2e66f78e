"""Train the network of one fold: early stopping on a part of its records, and going on after an interruption."""

import hashlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from export.baselines.original.plan import Plan
from export.baselines.original.windows import WindowScale, cut, draw_epoch, spread_starts
from export.dataset import Dataset
from export.original.checkpoint import OriginalNetwork
from export.stages import N_FOLDS, SEED
from export.weights_file import is_trained, save_weights


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One epoch of a training."""

    epoch: int
    training_loss: float
    """Binary cross-entropy of the windows of the epoch."""
    validation_loss: float
    """Of the windows of the records for validation."""
    validation_auroc: float
    """Of their mean probabilities; mean over the labels that have both classes, NaN if none has."""

    def __str__(self) -> str:
        """Return a line for people."""
        losses = f"loss {self.training_loss:.4f}, on validation {self.validation_loss:.4f}"
        return f"epoch {self.epoch}, {losses}, AUROC {self.validation_auroc:.4f}"


@dataclass(frozen=True, slots=True)
class Trained:
    """What the training of one fold leaves."""

    logits: NDArray[np.float32]
    """Of the records of the fold, shape (records, windows, labels)."""
    curve: tuple[CurvePoint, ...]

    @property
    def best(self) -> CurvePoint:
        """The epoch whose weights answer."""
        return min(self.curve, key=lambda point: point.validation_loss)


def train_fold(plan: Plan, dataset: Dataset, fold: int, runs: Path, report: Callable[[str], None]) -> Trained:
    """Train the network of one fold, or go on with it, on one core.

    Args:
        plan: What to train.
        dataset: All records.
        fold: The records of this fold are not learned from, but answered.
        runs: Folder for the file of the fold.
        report: Called with a line after each epoch.

    Raises:
        RunsError: The file of the fold was trained with other settings.
    """
    torch.set_num_threads(1)
    return _Training(plan, dataset, fold, runs / f"original_{plan.stage.name}_fold{fold}.pt", report).run()


class _Training:
    """The training of one fold. All that is random follows from the seed, the fold and the epoch."""

    def __init__(self, plan: Plan, dataset: Dataset, fold: int, path: Path, report: Callable[[str], None]) -> None:
        self.plan, self.fold, self.path, self.report = plan, fold, path, report
        self.signals, self.truth = dataset.signals, plan.stage.truth(dataset)
        self.own = dataset.folds(N_FOLDS, SEED) == fold
        known = plan.stage.select_scored(dataset) & ~self.own
        parts = dataset.folds(plan.settings.validation_parts, SEED + 1)
        self.taught, self.validated = (np.flatnonzero(known & part) for part in (parts != 0, parts == 0))
        self.scale = WindowScale.fit(self.signals[known])
        self.fingerprint = self._compute_fingerprint()

    def run(self) -> Trained:
        """Train, or go on, and return the answers."""
        state: dict[str, Any] = {"curve": []}
        if is_trained(self.path, self.fingerprint):
            state = torch.load(self.path, weights_only=True)["weights"]
        if "logits" not in state:
            for after_epoch in self._train(state):
                save_weights(self.path, self.fingerprint, after_epoch)
                state = after_epoch
            state = self._answer(state)
            save_weights(self.path, self.fingerprint, state)
        curve = tuple(CurvePoint(*point) for point in state["curve"])
        return Trained(state["logits"].numpy(), curve)

    def _train(self, state: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield all that is needed to go on after each epoch."""
        torch.manual_seed(self._draw_seed(0))
        network = OriginalNetwork(self.plan.architecture)
        _set_dropout(network, self.plan.settings.dropout)
        optimizer = torch.optim.Adam(network.parameters(), self.plan.settings.learning_rate)
        best: dict[str, Tensor] = {}
        curve: list[tuple[float, ...]] = state["curve"]
        if curve:
            network.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])
            best = state["best"]
        while not self._is_over(curve):
            epoch = len(curve) + 1
            loss = self._train_epoch(network, optimizer, epoch)
            point = CurvePoint(epoch, loss, *self._validate(network))
            self.report(f"{self.path.stem}: {point}")
            if not best or point.validation_loss < min(past[2] for past in curve):
                best = deepcopy(network.state_dict())
            curve = [*curve, astuple(point)]
            yield {"curve": curve, "network": network.state_dict(), "optimizer": optimizer.state_dict(), "best": best}

    def _is_over(self, curve: list[tuple[float, ...]]) -> bool:
        if not curve:
            return False
        best = int(np.argmin([point[2] for point in curve])) + 1
        return len(curve) >= self.plan.settings.epochs or len(curve) - best >= self.plan.settings.patience

    def _train_epoch(self, network: nn.Module, optimizer: torch.optim.Optimizer, epoch: int) -> float:
        settings, window = self.plan.settings, self.plan.architecture.window
        drawn = draw_epoch(self.taught, settings.windows, self.signals.shape[2] - window, self._draw_seed(epoch))
        torch.manual_seed(self._draw_seed(epoch))
        network.train()
        total = 0.0
        for rows, starts in drawn.batches(settings.batch):
            windows = torch.from_numpy(self.scale(cut(self.signals, rows, starts, window)))
            with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bfloat16"):
                logits = network(windows).float()
            loss = functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(self.truth[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(rows)
        return total / len(drawn.rows)

    def _validate(self, network: nn.Module) -> tuple[float, float]:
        """Return loss and AUROC of the records for validation."""
        logits, truth = self._compute_logits(network, self.validated), self.truth[self.validated]
        expected = torch.from_numpy(truth)[:, None].expand(-1, logits.shape[1], -1)
        loss = functional.binary_cross_entropy_with_logits(logits, expected)
        mean = logits.sigmoid().mean(dim=1).numpy()
        scored = np.flatnonzero((truth.min(axis=0) == 0) & (truth.max(axis=0) == 1))
        scores = [roc_auc_score(truth[:, label], mean[:, label]) for label in scored]
        return float(loss), float(np.mean(scores)) if scores else float("nan")

    def _answer(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return what is kept at the end: the answers of the best epoch's weights."""
        network = OriginalNetwork(self.plan.architecture)
        network.load_state_dict(state["best"])
        return {"curve": state["curve"], "logits": self._compute_logits(network, np.flatnonzero(self.own))}

    @torch.no_grad()
    def _compute_logits(self, network: nn.Module, rows: NDArray[np.int64]) -> Tensor:
        """Return the logits of evenly spread windows, shape (rows, windows, labels)."""
        network.eval()
        window = self.plan.architecture.window
        starts = spread_starts(self.signals.shape[2] - window, self.plan.settings.answered_windows)
        parts = []
        for row in rows:
            windows = cut(self.signals, np.full(len(starts), row), starts, window)
            parts.append(network(torch.from_numpy(self.scale(windows))))
        return torch.stack(parts)

    def _draw_seed(self, epoch: int) -> int:
        return int(np.random.default_rng([self.plan.settings.seed, self.fold, epoch]).integers(2**31))

    def _compute_fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self.plan.architecture, self.plan.settings, self.fold)).encode())
        for part in (self.signals, self.truth, self.taught, self.validated):
            digest.update(part.tobytes())
        return digest.hexdigest()


def _set_dropout(network: nn.Module, probability: float) -> None:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability
        elif isinstance(module, nn.MultiheadAttention):
            module.dropout = probability
