"""The labels of the plausibility network as notes: recordings that the other networks were not made for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ecg_edge.advice import GAIN_OF_COUNTS, name_option
from ecg_edge.findings import Note
from ecg_edge.quality.report import QualityReport

TIME_SCALE = ("stretched", "squeezed")
"""Labels of a recording whose sampling rate is wrong."""
_AMPLITUDE = ("too_small", "too_large")
# A fault of one group hides those of the same group that are less likely.
_GROUPS = (
    ("not_ecg",),
    TIME_SCALE,
    _AMPLITUDE,
    ("inverted", "ra_la", "ra_ll", "la_ll"),
    ("precordials_reversed", "precordials_exchanged"),
    ("time_reversed",),
)
# A fault of these groups hides all others.
_HIDING = _GROUPS[0] + _GROUPS[1]
_STATE_RATE = f"with {name_option('sampling-rate')}"
_STATE_UNITS = f"check the units (--units) and the gain of converter counts {GAIN_OF_COUNTS}"


class Fault(NamedTuple):
    """What a label of the plausibility network means."""

    code: str
    """Of its note."""
    message: str
    """For people."""
    refuses: bool = False
    """Whether a recording with this fault is not answered. Otherwise, its answer has a warning."""
    same: tuple[str, ...] = ()
    """Rules about the same fault. Their reasons stand for it, and it stands for their warnings."""
    explains: tuple[str, ...] = ()
    """Rules whose notes follow from the fault. They are left out."""


def _exchange(electrodes: str) -> str:
    return f"{electrodes} electrodes look exchanged"


FAULTS = {
    "stretched": Fault(
        "wrong_rate", "the time axis looks 1.5 or more times too slow", refuses=True, explains=("no_qrs",)
    ),
    "squeezed": Fault(
        "wrong_rate", "the time axis looks 1.5 or more times too fast", refuses=True, explains=("no_qrs",)
    ),
    "too_small": Fault(
        "too_small",
        f"the amplitude looks 3 or more times too small for an ECG in millivolts: {_STATE_UNITS}",
        refuses=True,
        same=("faint_chest_leads", "low_amplitude"),
    ),
    "too_large": Fault(
        "too_large",
        f"the amplitude looks 3 or more times too large for an ECG in millivolts: {_STATE_UNITS}",
        refuses=True,
    ),
    "inverted": Fault("inverted_leads", "all leads look inverted", same=("inverted_leads", "swapped_arms")),
    "ra_la": Fault("swapped_arms", _exchange("right arm and left arm"), same=("swapped_arms", "inverted_leads")),
    "ra_ll": Fault(
        "swapped_right_arm_left_leg",
        _exchange("right arm and left leg"),
        same=("inverted_leads", "swapped_arms"),
    ),
    "la_ll": Fault("swapped_left_arm_left_leg", _exchange("left arm and left leg")),
    "precordials_reversed": Fault("reversed_chest_leads", "V1 to V6 look reversed: V1 where V6 should be, and so on"),
    "precordials_exchanged": Fault("swapped_chest_leads", _exchange("two of the chest (V1 to V6)")),
    "time_reversed": Fault("reversed_time", "the signal looks reversed in time"),
    "not_ecg": Fault("not_ecg", "the signal does not look like a 12-lead ECG", refuses=True, same=("no_qrs",)),
}
"""Faults by the labels of the network."""


def choose_faults(report: QualityReport, margins: Mapping[str, float]) -> list[str]:
    """Return the labels that a reader needs: at most one of each group. One that hides the others stands alone.

    Args:
        report: Of the rules. If the amplitudes are far from those of an ECG, the network's answer means nothing.
        margins: How far the label's probability is over its threshold, for each label that is found.
    """
    if any(note.code in _AMPLITUDE for note in report.reasons):
        return []
    groups = [[label for label in group if label in margins] for group in _GROUPS]
    chosen = [max(group, key=margins.__getitem__) for group in groups if group]
    return chosen[:1] if chosen and chosen[0] in _HIDING else chosen


def add_faults(
    report: QualityReport, labels: Sequence[str], sampling_rate: float, likely_rate: float | None
) -> QualityReport:
    """Return a report with a note for each fault that no reason tells already.

    Args:
        report: Of the rules.
        labels: As from `choose_faults`.
        sampling_rate: Of the recording as it was stated, samples per second.
        likely_rate: Rate at which the time axis would look right, if there is one.
    """
    reasons, warnings = list(report.reasons), list(report.warnings)
    for label in labels:
        fault = FAULTS[label]
        if any(note.code in fault.same for note in reasons):
            continue
        told = fault.same + fault.explains
        reasons = [note for note in reasons if note.code not in told]
        warnings = [note for note in warnings if note.code not in told]
        message = fault.message
        if label in TIME_SCALE:
            message = f"{message}: {_propose_rate(sampling_rate, likely_rate)}"
        (reasons if fault.refuses else warnings).append(Note(fault.code, message))
    return report._replace(reasons=tuple(reasons), warnings=tuple(warnings))


def _propose_rate(stated: float, likely: float | None) -> str:
    if likely is None:
        return f"the sampling rate is probably not {stated:g} Hz; check it, and state it {_STATE_RATE}"
    return f"the sampling rate is probably about {likely:g} Hz, not {stated:g} Hz; check it, and state it {_STATE_RATE}"
