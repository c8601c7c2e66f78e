"""PTB-XL's own codes as a second reader of the same ECGs: how far they agree with the labels."""

from collections.abc import Iterator, Sequence

import numpy as np

from ecg_edge.evaluation.bootstrap import number_patients
from ecg_edge.evaluation.metrics import DECISIONS
from ecg_edge.evaluation.question import Question, Row, measure_row
from export.dataset import SITES, Dataset

_SAY = {
    "inferior": {"IMI", "ILMI", "IPMI", "IPLMI"},
    "anteroseptal": {"ASMI"},
    "anterolateral": {"ALMI"},
}
"""The codes that name a site of the labels. AMI and LMI are left out: the experts called none of these so."""
_INFARCTION = {"IMI", "ILMI", "IPMI", "IPLMI", "PMI", "ASMI", "AMI", "ALMI", "LMI"}


def measure_second_reader(dataset: Dataset) -> tuple[Row, ...]:
    """Return F1, sensitivity and specificity of PTB-XL's codes for infarction and for the sites that they name.

    A code counts with any likelihood. All records take part.
    """
    truths = {"infarction": dataset.infarction[:, 0], **{site: dataset.sites[:, SITES.index(site)] for site in _SAY}}
    patients = number_patients(dataset.patients)
    rows = []
    for name, truth in truths.items():
        codes = _SAY.get(name, _INFARCTION)
        found = np.array([bool(of_record & codes) for of_record in dataset.codes], np.bool_)
        question = Question(name, DECISIONS, truth > 0, found.astype(np.float64), found, patients)
        rows.append(measure_row(question))
    return tuple(rows)


def render_second_reader(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the Markdown table."""
    yield f"| PTB-XL's codes against the labels, all records | n | positive | {' | '.join(DECISIONS)} |"
    yield "|---" * (len(DECISIONS) + 3) + "|"
    for row in rows:
        cells = [str(row.figures.get(name, "insufficient data")) for name in DECISIONS]
        yield f"| {row.name} | {row.n} | {row.positives} | {' | '.join(cells)} |"
    yield ""
