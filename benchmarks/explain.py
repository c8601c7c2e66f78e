"""Whether explanations point to the leads of the found site: `python -m benchmarks.explain RECORDS`.

RECORDS is a folder of recordings. Those with exactly one found site are explained with each way of taking leads away.
The leads of the site should lower its probability most. Labels take no part: the question is what the network looks at.

With `--fold`, RECORDS is the labelled folder that `python -m export train` takes, and only the records of one fold are
answered: `--models tests/export/fold0 --fold 0` takes networks that have not seen them. With `--covariance`, RECORDS is
such a folder too. Needs the export's requirements.
"""

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from ecg_edge import Detector, Recording
from ecg_edge.bench.timing import Effort, interleave_calls, list_wall_times
from ecg_edge.explanation import LEAD_GROUPS
from ecg_edge.model.aggregation import mean_probability
from ecg_edge.model.inference import window_scores
from ecg_edge.occlusion import PARTS, choose_direction, list_replacements
from ecg_edge.readers import find_records
from ecg_edge.recording import LEADS
from ecg_edge.recording.expected_leads import INDEPENDENT
from export.dataset import read_dataset
from export.plausibility.evaluation import Row
from export.stages import N_FOLDS, SEED

Signal = NDArray[np.float32]
_BASIC = ("inferior", "lateral", "septal", "anterior")
"""Groups that share no lead."""
_TIMED = 50


def _make_flat(signal: Signal, group: str) -> Signal:
    """Set the leads to zero, as a lost electrode does."""
    changed = signal.copy()
    changed[[LEADS.index(lead) for lead in LEAD_GROUPS[group]]] = 0
    return changed


def _make_flat_along(signal: Signal, group: str) -> Signal:
    """Set chest leads to zero, and limb leads along the direction of the part; the other limb leads follow."""
    first, second = signal[:2]
    if choose_direction(group) == "aVF":
        second = first / 2  # aVF is zero
    if choose_direction(group) == "I":
        first, second = first * 0, second - first / 2  # I is zero, aVF is as before
    independent = np.concatenate([[first, second], _make_flat(signal, group)[6:]])
    return Recording(independent, leads=INDEPENDENT).stretch(0, signal.shape[1])


def _fill_as_expected(signal: Signal, group: str) -> Signal:
    """Let the leads show what the other leads let expect of an ECG without infarction: what the runtime does."""
    changed: Signal = list_replacements(signal)[list(PARTS).index(group)] @ signal
    return changed


_WAYS: dict[str, Callable[[Signal, str], Signal]] = {
    "flat": _make_flat,
    "flat, limb leads consistent": _make_flat_along,
    "as expected without infarction": _fill_as_expected,
}


@click.command()
@click.argument("records", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--models", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with a manifest.")
@click.option("--fold", type=click.IntRange(0, N_FOLDS - 1), help="Only records of this fold of the labelled folder.")
@click.option("--covariance", is_flag=True, help="Print the mean covariance of the records without infarction.")
def main(records: Path, models: Path | None, fold: int | None, covariance: bool) -> None:
    """Print how often the leads of the found site lower its probability most, and how long an explanation takes."""
    if covariance:
        click.echo(np.array2string(compute_covariance(records), precision=4, suppress_small=True, max_line_width=120))
        return
    detector = Detector(models)
    found = list(_find_single_sites(detector, read_records(records, fold)))
    for line in _render_table(detector, found):
        click.echo(line)
    if found:
        click.echo(f"\nan explanation takes {_measure_ratio(detector, found):.1f} times the time of an answer")


def read_records(folder: Path, fold: int | None) -> Iterator[Recording]:
    """Yield the recordings of a folder, or only those that a fold of a labelled folder holds out."""
    held_out = None
    if fold is not None:
        dataset = read_dataset(folder)
        of_fold = dataset.folds(N_FOLDS, SEED) == fold
        held_out = {name for name, is_of_fold in zip(dataset.names, of_fold, strict=True) if is_of_fold}
    for record in find_records(folder):
        if held_out is None or record.name in held_out:
            yield record.read()


def compute_covariance(folder: Path) -> NDArray[np.float64]:
    """Return the mean covariance of `INDEPENDENT` in the records of a labelled folder without infarction, mV squared.

    Args:
        folder: In the layout that `export.dataset` reads.

    Raises:
        DatasetError: The folder does not have this layout.
    """
    dataset = read_dataset(folder)
    signals = dataset.signals[dataset.infarction[:, 0] == 0][:, [LEADS.index(lead) for lead in INDEPENDENT]]
    total = np.zeros((len(INDEPENDENT), len(INDEPENDENT)))
    for signal in signals:
        centred = signal.astype(np.float64) - np.median(signal, axis=1, keepdims=True)
        total += centred @ centred.T / signal.shape[1]
    mean: NDArray[np.float64] = total / len(signals)
    return mean


def _find_single_sites(detector: Detector, recordings: Iterator[Recording]) -> Iterator[tuple[Recording, str]]:
    """Yield the recordings with exactly one found site, and the site."""
    for recording in recordings:
        sites = detector.detect(recording).found_sites
        if len(sites) == 1:
            yield recording, sites[0]


def _render_table(detector: Detector, found: list[tuple[Recording, str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table: each way, all sites together and each site."""
    yield "| leads taken away | found site | its leads lower it most | the group that lowers it most is of the site |"
    yield "|---|---|---|---|"
    sites = [site for _, site in found]
    for name, take_away in _WAYS.items():
        hits = [_compare(detector, recording, site, take_away) for recording, site in found]
        for site in ("any", *sorted(set(sites), key=sites.count, reverse=True)):
            of_site = np.array([hit for hit, own in zip(hits, sites, strict=True) if site in ("any", own)])
            if len(of_site):
                shares = (str(Row(name, site, int(n), len(of_site))) for n in of_site.sum(axis=0))
                yield f"| {name} | {site} | {' | '.join(shares)} |"


def _compare(
    detector: Detector, recording: Recording, site: str, take_away: Callable[[Signal, str], Signal]
) -> tuple[bool, bool]:
    """Return whether a site's own leads lower its probability most.

    First all of them together, against each basic group that has none of them. Then whether, of the basic groups, the
    one that lowers it most has leads of the site alone.
    """
    model = detector.localization
    signal = recording.stretch(0, recording.samples)
    scores = window_scores(model, [Recording(take_away(signal, group)) for group in LEAD_GROUPS])
    column = model.spec.labels.index(site)
    left = {
        group: float(mean_probability(of_copy, model.spec.average)[column])
        for group, of_copy in zip(LEAD_GROUPS, scores, strict=True)
    }
    own = {group for group in _BASIC if set(LEAD_GROUPS[group]) <= set(LEAD_GROUPS[site])}
    others = min(left[group] for group in _BASIC if group not in own)
    return left[site] < others, min(left[group] for group in own) < others


def _measure_ratio(detector: Detector, found: list[tuple[Recording, str]]) -> float:
    """Return the median ratio of the times of an explanation and an answer."""
    ratios = []
    for recording, _ in islice(found, _TIMED):
        calls = {"detect": partial(detector.detect, recording), "explain": partial(detector.explain, recording)}
        costs = interleave_calls(calls, Effort(3, 60))
        ratios.append(min(list_wall_times(costs["explain"])) / min(list_wall_times(costs["detect"])))
    return statistics.median(ratios)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.explain")
