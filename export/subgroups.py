"""Groups of records in which the networks may be better or worse: people, devices, noise, other findings, stages."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ecg_edge.evaluation.question import Question, Row

About = Mapping[str, str]
"""A row of `train_meta.csv`."""
COLUMNS = ("auroc", "sensitivity", "specificity")
RECENT = "infarction, stage I or I-II by PTB-XL"
_BANDS = {"under 40": (0, 40), "40 to 59": (40, 60), "60 to 79": (60, 80), "80 and over": (80, 1000)}
_SEX = {"0": "male", "1": "female"}
_NOTES = {
    "static_noise": "note of static noise",
    "burst_noise": "note of burst noise",
    "baseline_drift": "note of baseline drift",
    "electrodes_problems": "note of electrode problems",
    "extra_beats": "note of extra beats",
    "pacemaker": "note of a pacemaker",
}
_FINDINGS = {
    "left bundle branch block": {"CLBBB", "ILBBB"},
    "right bundle branch block": {"CRBBB", "IRBBB"},
    "left anterior fascicular block": {"LAFB"},
    "hypertrophy": {"LVH", "VCLVH", "RVH", "SEHYP"},
    "atrial fibrillation": {"AFIB", "AFLT"},
    "normal ECG by PTB-XL": {"NORM"},
}
_STAGES = {
    RECENT: {"Stadium I", "Stadium I-II"},
    "infarction, stage II or II-III": {"Stadium II", "Stadium II-III"},
    "infarction, stage III": {"Stadium III"},
    "infarction, stage unknown": {"unknown"},
    "infarction, no stage in PTB-XL": {""},
}
_FEWEST_OF_A_DEVICE = 50


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Some of the records."""

    name: str
    rows: NDArray[np.bool_]
    """Shape (records,)."""


def list_subgroups(about: Sequence[About]) -> tuple[Subgroup, ...]:
    """Return the groups of records that have a member, by what `train_meta.csv` says of them.

    A group of a stage has the records with this stage. Whoever measures it adds the records without an infarction.
    """
    found = [*_list_people(about), *_list_notes(about), *_list_findings(about), *_list_stages(about)]
    return tuple(group for group in found if group.rows.any())


def _select(name: str, about: Sequence[About], belongs: Callable[[About], bool]) -> Subgroup:
    return Subgroup(name, np.array([belongs(row) for row in about], np.bool_))


def _list_people(about: Sequence[About]) -> Iterator[Subgroup]:
    for code, sex in _SEX.items():
        yield _select(sex, about, lambda row, code=code: row["sex"] == code)  # type: ignore[misc]
    for name, (low, high) in _BANDS.items():
        yield _select(f"age {name}", about, lambda row, low=low, high=high: low <= float(row["age"] or -1) < high)  # type: ignore[misc]
    models = [" ".join(row.get("device", "").split()) for row in about]
    for model in sorted(set(models) - {""}):
        if models.count(model) >= _FEWEST_OF_A_DEVICE:
            yield Subgroup(f"device {model}", np.array([one == model for one in models]))


def _list_notes(about: Sequence[About]) -> Iterator[Subgroup]:
    for column, name in _NOTES.items():
        yield _select(name, about, lambda row, column=column: bool(row.get(column, "").strip()))  # type: ignore[misc]
    yield _select("none of these notes", about, lambda row: not any(row.get(column, "").strip() for column in _NOTES))


def _list_findings(about: Sequence[About]) -> Iterator[Subgroup]:
    codes = [set(ast.literal_eval(row["scp_codes"] or "{}")) for row in about]
    for name, wanted in _FINDINGS.items():
        yield Subgroup(name, np.array([bool(wanted & of_record) for of_record in codes], np.bool_))


def _list_stages(about: Sequence[About]) -> Iterator[Subgroup]:
    for name, stages in _STAGES.items():
        yield _select(name, about, lambda row, stages=stages: row["infarction_stadium1"] in stages)  # type: ignore[misc]


def measure_subgroups(question: Question, groups: Sequence[Subgroup]) -> tuple[Row, ...]:
    """Measure infarction in each group.

    Args:
        question: Infarction on all records.
        groups: Of these records. A stage is measured against all records without an infarction.
    """
    return tuple(_measure(question, group) for group in groups)


def _measure(question: Question, group: Subgroup) -> Row:
    rows = group.rows if group.name not in _STAGES else (group.rows & question.truth) | ~question.truth
    part = question.select(rows, group.name)
    can = {
        "auroc": part.can_be_answered,
        "sensitivity": part.has_enough_with_label,
        "specificity": part.has_enough_without_label,
    }
    # The specificity of a stage would be that of all records.
    chosen = [name for name in COLUMNS if can[name] and not (name == "specificity" and group.name in _STAGES)]
    figures = part.resample().measure({name: partial(part.compute, question.metrics[name]) for name in chosen})
    return Row(group.name, part.n, part.positives, figures)


def render_subgroups(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the Markdown table."""
    yield f"| Infarction, by group | n | positive | {' | '.join(COLUMNS)} |"
    yield "|---" * (len(COLUMNS) + 3) + "|"
    for row in rows:
        empty = "" if row.name in _STAGES else "insufficient data"
        cells = [
            str(row.figures.get(name, empty if name == "specificity" else "insufficient data")) for name in COLUMNS
        ]
        yield f"| {row.name} | {row.n} | {row.positives} | {' | '.join(cells)} |"
    yield ""
