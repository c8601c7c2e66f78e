"""Makes the quality report of a recording: reasons not to answer it, and warnings for the reader of its answer."""

from collections.abc import Iterator
from typing import NamedTuple

from ecg_edge.findings import Note
from ecg_edge.quality import messages
from ecg_edge.quality.electrodes import Polarity
from ecg_edge.quality.evidence import Evidence
from ecg_edge.quality.flags import LIMITS, RaisedFlag
from ecg_edge.quality.rules import RULES

_WRONG_UNIT = ("too_large", "too_small")
# A rule about several leads, and the rules about one lead whose warnings tell which leads they are.
_ONE_LEAD_RULES = {
    "leads_over_range": ("over_range",),
    "dead_leads": ("flat_lead",),
    "clipped_leads": ("clipped_lead",),
    "faint_chest_leads": ("faint_chest_lead", "flat_lead"),
}


class QualityReport(NamedTuple):
    """The result of the quality rules for one recording."""

    reasons: tuple[Note, ...]
    """Why it must not be answered; empty if it may be answered."""
    warnings: tuple[Note, ...]
    """What the reader of its answer must know."""
    unusable_s: float
    """Seconds in which two or more leads are flat or over range."""


def make_report(evidence: Evidence, recording: int, duration_s: float) -> QualityReport:
    """Return the report of what is known of the first `duration_s` seconds of a recording."""
    noted = [*_find_notes(evidence, recording, duration_s)]
    warnings = [note for note, refuses in noted if not refuses]
    reasons = [_explain(note, warnings, evidence, recording) for note, refuses in noted if refuses]
    warnings = [_explain(note, warnings, evidence, recording) for note in warnings]
    wrong_unit = [note for note in reasons if note.code in _WRONG_UNIT]
    if wrong_unit:
        # No other measure means anything if the unit is wrong.
        reasons, warnings = wrong_unit, [note for note in warnings if note.code == "not_finite"]
    elif evidence.highest_mv[recording] > LIMITS["beyond_volts"]:
        reasons.append(messages.note_beyond_volts(float(evidence.highest_mv[recording])))
    equal = evidence.equal_leads.find(recording)
    if equal:
        reasons.append(messages.note_equal_leads(equal))
    if not wrong_unit:
        warnings += _judge_polarity(evidence.polarity, recording)
    return QualityReport(tuple(reasons), tuple(warnings), evidence.blocks.total_s(recording, "unusable"))


def _judge_polarity(polarity: Polarity, recording: int) -> list[Note]:
    """Return the likeliest cause if leads point in the wrong direction."""
    if polarity.look_swapped(recording):
        return [messages.note_swapped_arms()]
    return [messages.note_inverted_leads()] if polarity.look_inverted(recording) else []


def _find_notes(evidence: Evidence, recording: int, duration_s: float) -> Iterator[tuple[Note, bool]]:
    """Yield a note for each flag that was raised for long enough, and whether it is a reason not to answer."""
    for table in (
        evidence.gaps,
        evidence.blocks,
        evidence.flat,
        evidence.seconds,
        evidence.faint,
        evidence.no_qrs,
    ):
        for flag in table.find_raised(recording):
            rule = RULES[flag.row.code]
            refuses = rule.refuses_over is not None and flag.share > rule.refuses_over
            warns = rule.warns_from_s is not None and flag.episodes.total_s >= rule.warns_from_s
            if refuses or warns:
                yield _make_note(flag, duration_s), refuses


def _make_note(flag: RaisedFlag, duration_s: float) -> Note:
    (code, lead, hz), episodes, _ = flag
    episodes = episodes._replace(stop_s=min(episodes.stop_s, duration_s))
    message = messages.fill_in(code, lead, hz, episodes)
    return Note(code, message, lead=lead, start_s=round(episodes.start_s, 1), stop_s=round(episodes.stop_s, 1))


def _explain(note: Note, warnings: list[Note], evidence: Evidence, recording: int) -> Note:
    """Return a note with the likely cause, as far as the whole recording tells it."""
    if note.code in _WRONG_UNIT:
        return messages.compare_amplitude(note, evidence.amplitude.compute_mean(recording))
    if note.code == "limb_leads":
        return messages.propose_labels(note, evidence.limb_leads.compute_mean(recording))
    if note.code in _ONE_LEAD_RULES:
        codes = _ONE_LEAD_RULES[note.code]
        return messages.name_leads(note, [str(warning.lead) for warning in warnings if warning.code in codes])
    return note
