"""Train one stage: a network for each fold, its logits for the records of that fold, and the final network."""

import hashlib
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from export.choices import choose
from export.dataset import Dataset
from export.errors import RunsError
from export.network import Network
from export.stages import N_FOLDS, SEED, Stage
from export.training import Examples, compute_window_logits, fit

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Logits of the records, from networks that have not seen them."""

    names: tuple[str, ...]
    folds: NDArray[np.int64]
    """Fold of each record, shape (records,)."""
    logits: NDArray[np.float32]
    """Shape (candidate epochs, records, windows, labels)."""

    @classmethod
    def read(cls, path: Path) -> "OutOfFold":
        """Read a file that `save` wrote.

        Raises:
            RunsError: The file does not exist.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(tuple(file["names"].tolist()), file["folds"], file["logits"])
        except FileNotFoundError as error:
            msg = f"{path} does not exist: train the stage first"
            raise RunsError(msg) from error

    def save(self, path: Path) -> None:
        """Write a compressed .npz."""
        np.savez_compressed(path, names=np.array(self.names), folds=self.folds, logits=self.logits)


def train_stage(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> None:
    """Train the folds of a stage, then its final network on all records.

    Writes into `runs`: `NAME_fold0.pt` ... (weights after each candidate epoch), `NAME_final.pt` (after the one that
    the folds chose) and `NAME_out_of_fold.npz`. Files that exist are kept, so an interrupted training goes on where it
    stopped.

    Args:
        stage: What to train.
        dataset: All records.
        runs: Folder for the files, made if it does not exist.
        report: Called with one line of progress at a time; must be picklable.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    out_of_fold = train_folds(stage, dataset, runs, report)
    out_of_fold.save(runs / f"{stage.name}_out_of_fold.npz")
    rows = stage.select_scored(dataset)
    epoch = stage.training.candidates[choose(out_of_fold.logits[:, rows], stage.truth(dataset)[rows]).epoch]
    n_records = len(dataset.names)
    report(f"{stage.name}: the folds chose epoch {epoch}; training on all {n_records} records")
    final = replace(stage, training=replace(stage.training, candidates=(epoch,)))
    _train_on(final, dataset, np.ones(n_records, np.bool_), runs / name_final_file(stage), report)


def train_folds(stage: Stage, dataset: Dataset, runs: Path, report: Report) -> OutOfFold:
    """Train the folds of a stage, and return the logits of the records that each of them has not seen.

    Raises:
        RunsError: A file in `runs` was trained with other settings.
    """
    runs.mkdir(parents=True, exist_ok=True)
    folds = dataset.folds(N_FOLDS, SEED)
    # Networks this small train fastest one to a core; a GPU takes one after the other.
    workers = 1 if torch.cuda.is_available() else min(N_FOLDS, len(os.sched_getaffinity(0)))
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawning) as pool:
        jobs = [
            pool.submit(_train_on, stage, dataset, folds != fold, runs / name_fold_file(stage, fold), report)
            for fold in range(N_FOLDS)
        ]
        for job in jobs:
            job.result()
    return _answer_held_out_records(stage, dataset, folds, runs)


def name_fold_file(stage: Stage, fold: int) -> str:
    """Return the name of the weights file of a fold."""
    return f"{stage.name}_fold{fold}.pt"


def name_final_file(stage: Stage) -> str:
    """Return the name of the weights file of the network that is trained on all records."""
    return f"{stage.name}_final.pt"


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


def _train_on(stage: Stage, dataset: Dataset, rows: NDArray[np.bool_], path: Path, report: Report) -> None:
    examples = _select_examples(stage, dataset, rows)
    fingerprint = _compute_fingerprint(stage, examples)
    if path.exists():
        if torch.load(path, weights_only=True)["fingerprint"] != fingerprint:
            msg = f"{path} was trained with other settings or records: remove it, or choose another folder for the runs"
            raise RunsError(msg)
        report(f"{path.stem}: done before")
        return
    torch.set_num_threads(1)
    weights = {
        epoch: network.state_dict()
        for epoch, network in fit(
            stage.network,
            stage.training,
            examples,
            lambda epoch, loss: report(f"{path.stem}: epoch {epoch}, loss {loss:.4f}"),
        )
    }
    unfinished = path.with_suffix(".unfinished")
    torch.save({"fingerprint": fingerprint, "weights": weights}, unfinished)
    unfinished.replace(path)


def _select_examples(stage: Stage, dataset: Dataset, rows: NDArray[np.bool_]) -> Examples:
    taught = rows & stage.select_taught(dataset)
    targets = np.hstack([stage.truth(dataset), stage.auxiliary(dataset)])
    return Examples(dataset.signals[taught], targets[taught], len(stage.labels), stage.weight(dataset)[taught])


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
    return OutOfFold(dataset.names, folds, np.stack(logits))
