"""Train one stage: a network for each fold with its logits for that fold, and the final network."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecg_edge.cores import usable_cores
from export.choices import choose
from export.dataset import Dataset
from export.errors import RunsError
from export.network import OUTPUT_BIAS, Network
from export.processes import make_pool
from export.stages import N_FOLDS, SEED, Stage
from export.teaching import Measured, make_examples, measure_dataset
from export.training import Examples, Teaching, compute_window_logits, fit
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
    """One network to fit, and the files of its teachers."""

    file: str
    stage: Stage
    rows: NDArray[np.bool_]
    """Labelled records that it may learn from, shape (records,)."""
    teachers: tuple[str, ...] = ()


def train_stage(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> None:
    """Train the folds of a stage, then its final network on all records.

    Writes into `runs`: `NAME_fold0.pt` ... (weights after each candidate epoch), `NAME_final.pt` (after the one that
    the folds chose) and `NAME_out_of_fold.npz`. If a stage has teachers, each network has its own, such as
    `NAME_fold0_teacher0.pt`. Files that exist are kept, so an interrupted training goes on where it stopped.

    Args:
        stage: What to train.
        dataset: All records.
        runs: Folder for the files, made if it does not exist.
        report: Called with one line of progress at a time; must be picklable.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    measured = measure_dataset(stage, dataset, report)
    out_of_fold = _train_folds(stage, dataset, measured, runs, report)
    out_of_fold.save(runs / f"{stage.name}_out_of_fold.npz")
    rows = stage.select_scored(dataset)
    epoch = stage.training.candidates[choose(out_of_fold.logits[:, rows], stage.truth(dataset)[rows]).epoch]
    n_records = len(dataset.names)
    report(f"{stage.name}: the folds chose epoch {epoch}; training on all {n_records} records")
    final = replace(stage, training=replace(stage.training, candidates=(epoch,)))
    everyone = np.ones(n_records, np.bool_)
    _train_taught([_Job(name_final_file(stage), final, everyone)], dataset, measured, runs, report)


def train_folds(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> OutOfFold:
    """Train the folds of a stage, and return the logits of the records that each fold has not seen.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    return _train_folds(stage, dataset, measure_dataset(stage, dataset, report), runs, report)


def _train_folds(stage: Stage, dataset: Dataset, measured: Measured, runs: Path, report: Report) -> OutOfFold:
    runs.mkdir(parents=True, exist_ok=True)
    folds = dataset.folds(N_FOLDS, SEED)
    jobs = [_Job(name_fold_file(stage, fold), stage, folds != fold) for fold in range(N_FOLDS)]
    _train_taught(jobs, dataset, measured, runs, report)
    return _answer_held_out_records(stage, dataset, folds, runs)


def name_fold_file(stage: Stage, fold: int) -> str:
    """Return the name of the weights file of a fold."""
    return f"{stage.name}_fold{fold}.pt"


def name_final_file(stage: Stage) -> str:
    """Return the name of the weights file of the network that is trained on all records."""
    return f"{stage.name}_final.pt"


def _train_taught(jobs: list[_Job], dataset: Dataset, measured: Measured, runs: Path, report: Report) -> None:
    """Train the teachers of each network on its own records, then the networks."""
    teachers = [
        [
            _Job(f"{Path(job.file).stem}_teacher{number}.pt", make_teacher(job.stage, number), job.rows)
            for number in range(job.stage.teachers)
        ]
        for job in jobs
    ]
    _train_all([teacher for of_job in teachers for teacher in of_job], dataset, measured, runs, report)
    taught = [
        replace(job, teachers=tuple(teacher.file for teacher in of_job))
        for job, of_job in zip(jobs, teachers, strict=True)
    ]
    _train_all(taught, dataset, measured, runs, report)


def make_teacher(stage: Stage, number: int) -> Stage:
    """Return the stage as a teacher learns it: with one member, because the mean of the teachers is taken."""
    training = replace(
        stage.training, candidates=(stage.training.epochs,), seed=stage.training.seed + FIRST_TEACHER_SEED + number
    )
    return replace(stage, network=replace(stage.network, members=1), training=training, teachers=0)


def load_network(stage: Stage, path: Path, epoch: int) -> Network:
    """Return the network of a weights file after a candidate epoch, ready for inference.

    Raises:
        RunsError: The file does not exist, or was trained with other settings.
    """
    try:
        weights = torch.load(path, weights_only=True)["weights"][stage.training.candidates[epoch]]
        network = Network(stage.network, len(stage.labels), len(weights[OUTPUT_BIAS]) - len(stage.labels))
        network.load_state_dict(weights)
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train the stage first"
        raise RunsError(msg) from error
    except (KeyError, RuntimeError) as error:
        msg = f"{path} was trained with other settings: train the stage again, into another folder for the runs"
        raise RunsError(msg) from error
    return network.eval()


def _train_all(jobs: list[_Job], dataset: Dataset, measured: Measured, runs: Path, report: Report) -> None:
    if not jobs:
        return
    # Networks this small train fastest one to a core; a GPU takes one after the other.
    workers = 1 if torch.cuda.is_available() else min(len(jobs), usable_cores())
    with make_pool(workers) as pool:
        for job in [pool.submit(_train, job, dataset, measured, runs, report) for job in jobs]:
            job.result()


def _train(job: _Job, dataset: Dataset, measured: Measured, runs: Path, report: Report) -> None:
    torch.set_num_threads(1)
    stage, path = job.stage, runs / job.file
    examples = make_examples(stage, dataset, measured, job.rows, dataset.folds(N_FOLDS, SEED))
    fingerprint = _compute_fingerprint(stage, examples)
    if is_trained(path, fingerprint):
        report(f"{path.stem}: done before")
        return
    teachers = [load_network(make_teacher(stage, number), runs / file, -1) for number, file in enumerate(job.teachers)]
    weights = {
        epoch: network.state_dict()
        for epoch, network in fit(
            stage.network,
            stage.training,
            examples,
            Teaching(teachers, stage.teacher_share),
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
    logits: list[NDArray[np.float32]] = []
    for epoch in range(len(stage.training.candidates)):
        by_fold = {
            fold: compute_window_logits(
                load_network(stage, runs / name_fold_file(stage, fold), epoch),
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
