"""What the quality gate says, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecg_edge.findings import Note
from ecg_edge.quality.episodes import Episodes, EpisodeTracker
from ecg_edge.quality.limb_leads import mended_labels
from ecg_edge.quality.rules import RULES

LIMB_SHARE = 0.1
"""What the limb leads' relations may leave over beside the rule's limit, as a share of the leads' rms."""

Row = tuple[str, str | None, int | None]
"""Code, lead and mains frequency of a flag that is followed over time."""


def too_short(samples: int, window: int, sampling_rate: float) -> Note:
    """Return the reason not to answer a recording shorter than one window."""
    found, needed = (f"{each} samples ({each / sampling_rate:.2f} s)" for each in (samples, window))
    return Note("too_short", f"the recording has {found}; one window needs {needed}")


def not_finite(lead: str, at_s: float) -> Note:
    """Return the reason not to answer samples that are no numbers."""
    return Note(
        "not_finite", f"lead {lead} is not a finite number at {at_s:.3f} s", lead=lead, start_s=at_s, stop_s=at_s
    )


def beyond_volts(highest_mv: float) -> Note:
    """Return the reason not to answer a number that no electrode gives."""
    return Note(
        "beyond_volts", f"a sample lies {_shown(highest_mv)} mV from 0, which no electrode gives: check the unit"
    )


def swapped_arms() -> Note:
    """Return the warning of what looks like reversed arm electrodes."""
    return Note("swapped_arms", RULES["swapped_arms"].message)


def windows_left_out(left_out: int, windows: int, unusable_s: float) -> Note:
    """Return what to say of windows that were not answered."""
    why = f"the signal is unusable for {unusable_s:.1f} s" if unusable_s else "the signal is not finite"
    return Note("windows_left_out", f"{left_out} of {windows} windows do not count: {why}")


def windows_left_out_of_sites(left_out: int, windows: int) -> Note:
    """Return what to say where only the second stage, whose windows are shorter, leaves some out."""
    return Note("windows_left_out", f"{left_out} of the sites' {windows} windows do not count: the signal is unusable")


def followed(stretches: EpisodeTracker, rows: Sequence[Row]) -> Iterator[tuple[Note, bool]]:
    """Yield a note for each flag that held long enough, and whether it is a reason not to answer."""
    for flag in stretches.raised():
        code, lead, hz = rows[flag]
        rule, held = RULES[code], stretches.held(flag)
        refuses = rule.refuses_over is not None and stretches.share(flag) > rule.refuses_over
        if not refuses and (rule.warns_from_s is None or held.total_s < rule.warns_from_s):
            continue
        message = rule.message.format(limit=rule.limit, lead=lead, hz=hz, where=_where(held), leads="{leads}")
        yield Note(code, message, lead=lead, start_s=round(held.start_s, 1), stop_s=round(held.stop_s, 1)), refuses


def _where(held: Episodes) -> str:
    first = f"{held.start_s:.1f} to {held.stop_s:.1f} s"
    if held.stretches == 1:
        return f"from {first}"
    return f"for {held.total_s:.1f} s in {held.stretches} stretches, the first from {first}"


def naming_leads(note: Note, warnings: Sequence[Note], code: str) -> Note:
    """Return a note about several leads with the names of those that have a warning of a code."""
    leads = ", ".join(str(each.lead) for each in warnings if each.code == code)
    return replace(note, message=note.message.format(leads=leads or "two leads or more"))


def proposing_unit(note: Note, median_mv: float) -> Note:
    """Return a note about an implausible amplitude with the unit that the samples are likely in."""
    found = f"the leads' median peak-to-peak is {_shown(median_mv)} mV in a second"
    for unit, name, factor in (("uV", "microvolts", 1e-3), ("V", "volts", 1e3)):
        if 0.1 < median_mv * factor < 20:
            return replace(note, message=f"{found}: the samples look like {name}; declare --units {unit}")
    return replace(note, message=f"{found}: the samples look like raw converter counts; scale them to millivolts first")


def limb_limit(covariance: NDArray[np.float64]) -> float:
    """Return the rms in mV that relations may leave over between limb leads of a covariance."""
    return float(RULES["limb_leads"].limit + LIMB_SHARE * np.sqrt(np.trace(covariance) / len(covariance)))


def proposing_labels(note: Note, covariance: NDArray[np.float64]) -> Note:
    """Return a note about limb leads with the labels that would mend them."""
    true = mended_labels(covariance, RULES["limb_leads"].limit)
    hint = ", ".join(f"{given} is {lead}" for given, lead in true.items())
    hint = f"they would fit if what is called {hint}" if hint else "no order and no signs of the six would mend it"
    return replace(note, message=f"{note.message}; {hint}")


def _shown(mv: float) -> str:
    return f"{mv:.0f}" if 100 <= mv < 1e6 else f"{mv:.3g}"
