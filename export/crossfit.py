"""Train one stage: its teachers, a network for each fold with its logits for that fold, and the final network."""

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from export.choices import choose
from export.dataset import Dataset
from export.errors import RunsError
from export.network import Network
from export.stages import N_FOLDS, SEED, Stage
from export.teaching import TeacherAnswers, make_examples
from export.training import Examples, compute_window_logits, fit
from export.weights_file import is_trained, save_weights

FIRST_TEACHER_SEED = 1000
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Logits of the records, from networks that have not seen them."""

    names: tuple[str, ...]
    folds: NDArray[np.int64]
    """Fold of each record, shape (records,)."""
    logits: NDArray[np.float32]
    """Shape (candidate epochs, records, windows, labels)."""
    n_coded: int
    """Further records, without labels of the experts, that the networks could learn from."""

    @classmethod
    def read(cls, path: Path) -> "OutOfFold":
        """Read a file that `save` wrote.

        Raises:
            RunsError: The file does not exist.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(tuple(file["names"].tolist()), file["folds"], file["logits"], int(file["n_coded"]))
        except FileNotFoundError as error:
            msg = f"{path} does not exist: train the stage first"
            raise RunsError(msg) from error

    def save(self, path: Path) -> None:
        """Write a compressed .npz."""
        names, n_coded = np.array(self.names), np.array(self.n_coded)
        np.savez_compressed(path, names=names, folds=self.folds, logits=self.logits, n_coded=n_coded)


@dataclass(frozen=True, slots=True)
class _Job:
    """One network to fit."""

    name: str
    stage: Stage
    rows: NDArray[np.bool_]
    """Labelled records that it may learn from, shape (records,)."""
    answers: TeacherAnswers | None = None


def train_stage(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> None:
    """Train the teachers and the folds of a stage, then its final network on all records.

    Writes into `runs`: `NAME_teacher0_without01.pt` ... if the stage has teachers, `NAME_fold0.pt` ... (weights after
    each candidate epoch), `NAME_final.pt` (after the one that the folds chose) and `NAME_out_of_fold.npz`. Files that
    exist are kept, so an interrupted training goes on where it stopped.

    Args:
        stage: What to train.
        dataset: All records.
        runs: Folder for the files, made if it does not exist.
        report: Called with one line of progress at a time; must be picklable.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    teachers = Teachers(stage, dataset, runs)
    out_of_fold = _train_folds(stage, dataset, runs, teachers, report)
    out_of_fold.save(runs / f"{stage.name}_out_of_fold.npz")
    rows = stage.select_scored(dataset)
    epoch = stage.training.candidates[choose(out_of_fold.logits[:, rows], stage.truth(dataset)[rows]).epoch]
    n_records = len(dataset.names)
    report(f"{stage.name}: the folds chose epoch {epoch}; training on all {n_records} records")
    final = replace(stage, training=replace(stage.training, candidates=(epoch,)))
    everyone = np.ones(n_records, np.bool_)
    _train_all([_Job(name_final_file(stage), final, everyone, teachers.answer(None))], dataset, runs, report)


def train_folds(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> OutOfFold:
    """Train the teachers and the folds of a stage, and return the logits of the records that each fold has not seen.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    return _train_folds(stage, dataset, runs, Teachers(stage, dataset, runs), report)


def _train_folds(stage: Stage, dataset: Dataset, runs: Path, teachers: "Teachers", report: Report) -> OutOfFold:
    runs.mkdir(parents=True, exist_ok=True)
    folds = dataset.folds(N_FOLDS, SEED)
    _train_all([_Job(name, changed, rows) for name, changed, rows in teachers.list_networks()], dataset, runs, report)
    jobs = [_Job(name_fold_file(stage, fold), stage, folds != fold, teachers.answer(fold)) for fold in range(N_FOLDS)]
    _train_all(jobs, dataset, runs, report)
    return _answer_held_out_records(stage, dataset, folds, runs)


def name_fold_file(stage: Stage, fold: int) -> str:
    """Return the name of the weights file of a fold."""
    return f"{stage.name}_fold{fold}.pt"


def name_final_file(stage: Stage) -> str:
    """Return the name of the weights file of the network that is trained on all records."""
    return f"{stage.name}_final.pt"


class Teachers:
    """Networks that have seen neither of two folds, for each pair of folds.

    A network of a fold learns from the answers to records of another fold that the pair of these two folds gives: its
    teacher has seen neither the record nor any record on which the network is measured.
    """

    def __init__(self, stage: Stage, dataset: Dataset, runs: Path) -> None:
        self._stage, self._dataset, self._runs = stage, dataset, runs
        self._folds = dataset.folds(N_FOLDS, SEED)
        self._pairs = list(combinations(range(N_FOLDS), 2))
        self._answered: dict[str, NDArray[np.float32]] = {}

    def list_networks(self) -> Iterator[tuple[str, Stage, NDArray[np.bool_]]]:
        """Yield the file of each network, the stage with its settings and the records that it learns from."""
        for number in range(self._stage.teachers):
            for pair in self._pairs:
                yield self._name(number, pair), self._make_stage(number), ~np.isin(self._folds, pair)

    def answer(self, held_out: int | None) -> TeacherAnswers | None:
        """Return the answers for the network that has not seen a fold, or for the final one; None without teachers."""
        if not self._stage.teachers:
            return None
        n_labelled, n_coded = len(self._dataset.names), len(self._dataset.coded.patients)
        answers = TeacherAnswers(*(np.zeros((n, len(self._stage.labels)), np.float32) for n in (n_labelled, n_coded)))
        used = [pair for pair in self._pairs if held_out in {None, *pair}]
        for fold in range(N_FOLDS):
            rows = self._folds == fold
            of_fold = [self._compute_logits(pair)[:n_labelled][rows] for pair in used if fold in pair]
            answers.labelled[rows] = np.mean(of_fold, axis=0)
        answers.coded[:] = np.mean([self._compute_logits(pair)[n_labelled:] for pair in used], axis=0)
        return answers

    def _compute_logits(self, pair: tuple[int, int]) -> NDArray[np.float32]:
        """Return the mean logits of the networks of a pair for all records, labelled ones first."""
        n_auxiliary = self._stage.auxiliary(self._dataset).shape[1]
        parts = []
        for number in range(self._stage.teachers):
            name = self._name(number, pair)
            if name not in self._answered:
                network = load_network(self._make_stage(number), self._runs / name, -1, n_auxiliary)
                signals = (self._dataset.signals, self._dataset.coded.signals)
                of_windows = [compute_window_logits(network, part) for part in signals if len(part)]
                self._answered[name] = np.concatenate([part.mean(axis=1) for part in of_windows])
            parts.append(self._answered[name])
        mean: NDArray[np.float32] = np.mean(parts, axis=0)
        return mean

    def _make_stage(self, number: int) -> Stage:
        """Return the stage as a teacher learns it: with one member, because the mean of the teachers is taken."""
        training = replace(self._stage.training, seed=self._stage.training.seed + FIRST_TEACHER_SEED + number)
        return replace(self._stage, network=replace(self._stage.network, members=1), training=training, teachers=0)

    def _name(self, number: int, pair: tuple[int, int]) -> str:
        return f"{self._stage.name}_teacher{number}_without{pair[0]}{pair[1]}.pt"


def load_network(stage: Stage, path: Path, epoch: int, n_auxiliary: int) -> Network:
    """Return the network of a weights file after a candidate epoch, ready for inference.

    Raises:
        RunsError: The file does not exist, or was trained with other settings.
    """
    network = Network(stage.network, len(stage.labels), n_auxiliary)
    try:
        weights = torch.load(path, weights_only=True)["weights"]
        network.load_state_dict(weights[stage.training.candidates[epoch]])
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train the stage first"
        raise RunsError(msg) from error
    except (KeyError, RuntimeError) as error:
        msg = f"{path} was trained with other settings: train the stage again, into another folder for the runs"
        raise RunsError(msg) from error
    return network.eval()


def _train_all(jobs: list[_Job], dataset: Dataset, runs: Path, report: Report) -> None:
    if not jobs:
        return
    # Networks this small train fastest one to a core; a GPU takes one after the other.
    workers = 1 if torch.cuda.is_available() else min(len(jobs), len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for job in [pool.submit(_train, job, dataset, runs, report) for job in jobs]:
            job.result()


def _train(job: _Job, dataset: Dataset, runs: Path, report: Report) -> None:
    torch.set_num_threads(1)
    stage, path = job.stage, runs / job.name
    examples = make_examples(stage, dataset, job.rows, dataset.folds(N_FOLDS, SEED), job.answers)
    fingerprint = _compute_fingerprint(stage, examples)
    if is_trained(path, fingerprint):
        report(f"{path.stem}: done before")
        return
    weights = {
        epoch: network.state_dict()
        for epoch, network in fit(
            stage.network,
            stage.training,
            examples,
            lambda epoch, loss: report(f"{path.stem}: epoch {epoch}, loss {loss:.4f}"),
        )
    }
    save_weights(path, fingerprint, weights)


def _compute_fingerprint(stage: Stage, examples: Examples) -> str:
    """Return a hash of the settings and the records of a training."""
    digest = hashlib.sha256(repr(stage).encode())
    for part in (examples.signals, examples.targets, examples.weight):
        digest.update(part.tobytes())
    return digest.hexdigest()


def _answer_held_out_records(stage: Stage, dataset: Dataset, folds: NDArray[np.int64], runs: Path) -> OutOfFold:
    n_auxiliary = stage.auxiliary(dataset).shape[1]
    logits: list[NDArray[np.float32]] = []
    for epoch in range(len(stage.training.candidates)):
        by_fold = {
            fold: compute_window_logits(
                load_network(stage, runs / name_fold_file(stage, fold), epoch, n_auxiliary),
                dataset.signals[folds == fold],
            )
            for fold in range(N_FOLDS)
        }
        whole = np.empty((len(folds), *by_fold[0].shape[1:]), np.float32)
        for fold, part in by_fold.items():
            whole[folds == fold] = part
        logits.append(whole)
    n_coded = len(dataset.coded.patients) if stage.coded_weight else 0
    return OutOfFold(dataset.names, folds, np.stack(logits), n_coded)
