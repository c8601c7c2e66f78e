"""Write the plausibility model: the file, its entry in the manifest, and its section of the model card."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.model.spec import ModelSpec
from ecg_edge.recording import LEADS
from export.checks import OFFSET_MV, SHIPPED, check_model
from export.choices import Choice
from export.folder import add_model, serialize
from export.graph import to_onnx
from export.plausibility.evaluation import (
    CASES,
    HITS,
    SHORT_S,
    Answers,
    choose_thresholds,
    count_rows,
    name_case,
    render_table,
)
from export.plausibility.spoiling import KINDS
from export.plausibility.training import NETWORK, load_network, name_file
from export.reference import Exported

PLAUSIBILITY = "plausibility"
VERSION = "7"
# 100 windows of 1000 samples every 500 are 100 s, as long as a call of the other models.
_WINDOWS_PER_CALL = 100
LIMITS = replace(SHIPPED, most_bytes=200_000, offset_mv=OFFSET_MV)
"""What the file may contain."""
_HEADING = "## Plausibility of recordings"
_SECTION = f"""{_HEADING}

`{PLAUSIBILITY}.onnx` says whether a recording is what the two other networks were made for. It needs no diagnostic
labels: real records were spoiled on purpose, and the network learned what was done to them. It has windows of
{{window}} samples every {{stride}}, and twelve labels with a threshold each. A recording shorter than a window goes
without.

Trained on {{training_data}}, under changes as devices make them: gain, noise, hum, wander, filters, slightly other
speeds, lost leads. `stretched`: the true sampling rate is 1.5 or more times the stated one. `squeezed`: it is 1.5
or more times lower. Nothing was taught between these, and nothing on amplitudes less than 3 times too small or too
large.

Measured out of fold: no person is in two folds, and each record is answered by the network that has not seen the
person, with thresholds chosen on the other folds. In brackets: 95% intervals. A record counts as unspoiled because
nobody spoiled it; nobody has checked whether its electrodes were in place. Amounts are drawn log-uniform, 1.5 to 5
times for the rate and 3 to 30 times for the amplitude, unless the row names one. Signals that are not an ECG are
made by the same rules as in training, from noise, waves, pulses, scrambled and copied leads, so nothing is known of
signals of other kinds. Settings of the training were compared on the first fold, and the shares of alarms that a
threshold may leave were set with these tables in sight. `python -m export plausibility` prints the tables again.

{{table}}

Thresholds of the shipped file, chosen on all out-of-fold answers: {{thresholds}}.
"""


def read_some(data: Path) -> NDArray[np.float32]:
    """Return the first three records of a folder, shape (3, 12, samples)."""
    return np.stack([np.load(path, allow_pickle=False) for path in sorted(data.glob("*.npy"))[:3]]).astype(np.float32)


def carry_plausibility(runs: Path, shipped: Path, folder: Path, signals: NDArray[np.float32]) -> None:
    """Put the model into a folder that is being made: exported from `runs`, or else as it is shipped.

    Args:
        runs: Folder of the weights, with or without those of this network.
        shipped: Folder of models that is about to be replaced.
        folder: Folder with a manifest and a model card.
        signals: As of `write_plausibility`.

    Raises:
        ExportCheckError: The model does not keep the contract.
    """
    file, card = shipped / f"{PLAUSIBILITY}.onnx", shipped / "README.md"
    if (runs / name_file(None)).exists():
        write_plausibility(runs, folder, signals)
    elif file.exists():
        add_model(folder, PLAUSIBILITY, file.read_bytes())
        _put_into_card(folder, take_section(card.read_text(encoding="utf-8")))


def write_plausibility(runs: Path, folder: Path, signals: NDArray[np.float32]) -> None:
    """Export the final network into a models folder, and write its section of the card if there is a card.

    Args:
        runs: Folder that `train` has filled.
        folder: Folder with a manifest.
        signals: Recordings to try the file on, millivolts, shape (at least 3, 12, samples).

    Raises:
        ExportCheckError: The model does not keep the contract.
        RunsError: `runs` lacks a file.
    """
    answers = Answers.read(runs)
    spec, content = make_model(runs, answers, signals)
    add_model(folder, PLAUSIBILITY, content)
    _put_into_card(folder, render_section(spec, answers))


def make_model(runs: Path, answers: Answers, signals: NDArray[np.float32]) -> tuple[ModelSpec, bytes]:
    """Return the spec and the bytes of the checked model."""
    thresholds = choose_thresholds(answers, np.ones(len(answers.folds), np.bool_))
    n = len(KINDS)
    choice = Choice(0, np.ones(n, np.float32), np.zeros(n, np.float32), thresholds)
    exported = Exported(load_network(runs / name_file(None)), choice).eval()
    spec = make_spec(answers, thresholds)
    content = serialize(to_onnx(exported, spec, centred=True))
    check_model(content, exported, spec, signals, LIMITS)
    return spec, content


def render_section(spec: ModelSpec, answers: Answers) -> str:
    """Return the section of the model card."""
    thresholds = zip(spec.labels, spec.thresholds, strict=True)
    return _SECTION.format(
        window=spec.window,
        stride=spec.stride,
        training_data=spec.training_data,
        table="\n".join(render_table(answers)),
        thresholds=", ".join(f"{label} {threshold:.2f}" for label, threshold in thresholds),
    )


def take_section(card: str) -> str:
    """Return the section of a model card, empty if it has none."""
    start = card.find(_HEADING)
    return "" if start < 0 else card[start : card.index("\n## ", start)]


def put_section(card: str, section: str) -> str:
    """Return a model card with the section in place of an older one, or before the licence."""
    old = take_section(card)
    if old:
        return card.replace(old, section)
    before, licence, after = card.partition("## Licence")
    return f"{before}{section}\n{licence}{after}"


def _put_into_card(folder: Path, section: str) -> None:
    card = folder / "README.md"
    if card.exists():
        card.write_text(put_section(card.read_text(encoding="utf-8"), section), encoding="utf-8")


def make_spec(answers: Answers, thresholds: NDArray[np.float64]) -> ModelSpec:
    """Return the spec of the shipped file, with the figures of out-of-fold answers."""
    names, counts = np.unique(answers.databases, return_counts=True)
    databases = ", ".join(f"{name} {n}" for name, n in zip(names, counts, strict=True))
    return ModelSpec(
        name=PLAUSIBILITY,
        version=VERSION,
        stage=PLAUSIBILITY,
        leads=LEADS,
        sampling_rate=500.0,
        unit="mV",
        window=NETWORK.window,
        stride=NETWORK.stride,
        labels=KINDS,
        thresholds=tuple(float(threshold) for threshold in thresholds),
        threshold_method="few alarms on unspoiled records and most spoiled ones found, out of fold",
        unproven=(),
        windows_per_call=_WINDOWS_PER_CALL,
        calibration={"method": "none"},
        metrics=_collect_metrics(answers),
        training_data=f"{len(answers.folds)} records without labels, spoiled on purpose ({databases})",
        licence="MIT",
    )


def _collect_metrics(answers: Answers) -> dict[str, Any]:
    """Return hits as sensitivity, and the share of unspoiled records without an alarm as specificity."""
    rows = [row for row in count_rows(answers) if not row.group.endswith(f"{SHORT_S} s")]
    metrics: dict[str, Any] = {}
    for kind in (name_case(*case) for case in CASES if case[1] is None):
        hits = next(row for row in rows if row.group == HITS and row.kind == kind)
        alarms = [row for row in rows if row.group != HITS and row.kind == kind]
        quiet = replace(alarms[0], found=sum(row.n - row.found for row in alarms), n=sum(row.n for row in alarms))
        metrics[kind] = {"sensitivity": hits.to_dict(), "specificity": quiet.to_dict()}
    return metrics
