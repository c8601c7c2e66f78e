"""How many out-of-fold decisions change when recordings are disturbed."""

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecg_edge.evaluation.bootstrap import Bootstrap, Figure, number_patients
from ecg_edge.evaluation.metrics import METRICS, compute_mean
from ecg_edge.evaluation.question import Question
from export.choices import choose_for_folds
from export.crossfit import load_network, name_fold_file
from export.dataset import SITES, Dataset
from export.disturbances import DISTURBANCES, Disturbance, Signal
from export.evaluation import LEARNABLE
from export.out_of_fold import read_out_of_fold
from export.reference import Exported
from export.stages import STAGES, Stage

UNDISTURBED = "undisturbed"
_SEED = 0
_BATCH = 16
_UNDER_DISTURBANCE = ("auroc", "sensitivity", "specificity")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a disturbance does to the answers."""

    disturbance: str
    figures: dict[str, Figure]
    """`changed`: share of the records whose decision on infarction changes; `auroc`, `sensitivity` and `specificity` of
    infarction on disturbed records; `sites_changed`: share of the decisions on learnable sites that change, on records
    with infarction."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a stage answers for its records."""

    probability: NDArray[np.float64]
    """Shape (records, labels)."""
    found: NDArray[np.bool_]
    """Shape (records, labels)."""


class HeldOut:
    """The records that a stage is measured on, each with the network of its fold and what the other folds chose.

    Args:
        stage: What was trained.
        dataset: All records.
        runs: Folder that `train_stage` has filled.

    Raises:
        RunsError: A file is missing, was trained with other settings, or is of other records.
    """

    def __init__(self, stage: Stage, dataset: Dataset, runs: Path) -> None:
        out_of_fold = read_out_of_fold(stage, dataset, runs)
        scored = stage.select_scored(dataset)
        self._choices = choose_for_folds(out_of_fold.logits, stage.truth(dataset), out_of_fold.folds, scored)
        self._networks = {
            fold: load_network(stage, runs / name_fold_file(stage, fold), choice.epoch)
            for fold, choice in self._choices.items()
        }
        self._stage, self._signals = stage, dataset.signals
        self._rows, self._folds = np.flatnonzero(scored), out_of_fold.folds[scored]

    def answer(self, disturb: Disturbance) -> Answered:
        """Answer the disturbed records, in the order of the dataset."""
        probability = np.empty((len(self._rows), len(self._stage.labels)))
        found = np.empty(probability.shape, np.bool_)
        for fold, choice in self._choices.items():
            exported, own = Exported(self._networks[fold], choice).eval(), np.flatnonzero(self._folds == fold)
            for batch in np.array_split(own, math.ceil(len(own) / _BATCH)):
                signals = [self._disturb(disturb, row) for row in self._rows[batch]]
                probability[batch] = self._answer_as_runtime(exported, np.stack(signals))
            found[own] = probability[own] >= choice.threshold
        return Answered(probability, found)

    def _disturb(self, disturb: Disturbance, row: int) -> Signal:
        # By record, so that both stages see the same.
        return disturb(self._signals[row], np.random.default_rng([_SEED, row]))

    @torch.no_grad()
    def _answer_as_runtime(self, exported: Exported, signals: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean of the window probabilities, with one more window if the regular ones leave out the end."""
        ecg, sizes = torch.from_numpy(signals), self._stage.network
        windows = exported(ecg)[1]
        if (signals.shape[2] - sizes.window) % sizes.stride:
            windows = torch.cat([windows, exported(ecg[..., -sizes.window :])[1]], dim=1)
        mean: NDArray[np.float64] = windows.double().mean(dim=1).numpy()
        return mean


def measure_robustness(dataset: Dataset, runs: Path, report: Callable[[str], None]) -> list[Effect]:
    """Disturb every record in every way of `DISTURBANCES`. The first effect is that of no disturbance.

    Args:
        dataset: All records.
        runs: Folder that `train_stage` has filled for both stages.
        report: Called with a line before each disturbance.

    Raises:
        RunsError: A file is missing, was trained with other settings, or is of other records.
    """
    torch.set_num_threads(1)  # with more, a busy machine is much slower, and an idle one is not faster
    infarction, localization = (HeldOut(stage, dataset, runs) for stage in STAGES.values())
    comparison = _Comparison(dataset, infarction.answer(_leave), localization.answer(_leave))
    effects = []
    for name, disturb in ({UNDISTURBED: _leave} | DISTURBANCES).items():
        report(f"answering disturbed recordings: {name}")
        effects.append(Effect(name, comparison.measure(infarction.answer(disturb), localization.answer(disturb))))
    return effects


def _leave(signal: Signal, _: np.random.Generator) -> Signal:
    return signal


class _Comparison:
    """Compares answers with those for undisturbed records.

    Args:
        dataset: All records.
        infarction: The first stage's answers for undisturbed records.
        localization: The second stage's, for those with infarction.
    """

    def __init__(self, dataset: Dataset, infarction: Answered, localization: Answered) -> None:
        self._infarction, self._localization = infarction, localization
        self._truth = dataset.infarction[:, 0] > 0
        self._learnable = [SITES.index(site) for site in LEARNABLE]
        self._patients = number_patients(dataset.patients)

    def measure(self, infarction: Answered, localization: Answered) -> dict[str, Figure]:
        """Return the figures of an `Effect`."""
        changed = (infarction.found != self._infarction.found)[:, 0]
        sites_changed = (localization.found != self._localization.found)[:, self._learnable]
        metrics = {name: METRICS[name] for name in _UNDER_DISTURBANCE}
        answered = infarction.probability[:, 0], infarction.found[:, 0]
        question = Question("infarction", metrics, self._truth, *answered, self._patients)
        of_metrics = {name: partial(question.compute, metric) for name, metric in metrics.items()}
        ill = Bootstrap(self._patients[self._truth], question.positives)
        return {
            **question.resample().measure({"changed": partial(compute_mean, changed), **of_metrics}),
            **ill.measure({"sites_changed": partial(compute_mean, sites_changed)}),
        }


def save_effects(effects: Iterable[Effect], path: Path) -> None:
    """Write a CSV with one row per disturbance."""
    rows = [_to_row(effect) for effect in effects]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _to_row(effect: Effect) -> dict[str, object]:
    row: dict[str, object] = {"disturbance": effect.disturbance}
    for name, figure in effect.figures.items():
        ends = {"": figure.value, "_low": figure.low, "_high": figure.high}
        row |= {f"{name}_n": figure.n} | {f"{name}{end}": f"{value:.4f}" for end, value in ends.items()}
    return row


def render_effects(effects: Iterable[Effect]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    for i, effect in enumerate(effects):
        if i == 0:
            names = (f"{name}, n {figure.n}" for name, figure in effect.figures.items())
            yield "| disturbance | " + " | ".join(names) + " |"
            yield "|---" * (len(effect.figures) + 1) + "|"
        yield f"| {effect.disturbance} | " + " | ".join(map(str, effect.figures.values())) + " |"
