"""The quality notes in words. A function `note_x` returns the note with the code "x"."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecg_edge.advice import GAIN_OF_COUNTS, RAISE_THE_LIMIT
from ecg_edge.findings import Note
from ecg_edge.quality.episodes import Episodes
from ecg_edge.quality.limb_leads import find_true_labels
from ecg_edge.quality.rules import RULES
from ecg_edge.recording.leads import LEADS

# Median peak-to-peak of the leads in a second: the median of 3,059 real records.
_TYPICAL_MV = 1.1


def note_too_short(samples: int, window: int, sampling_rate: float) -> Note:
    """Return the reason not to answer a recording that is shorter than one window."""
    found, needed = (f"{n} samples ({n / sampling_rate:.2f} s)" for n in (samples, window))
    return Note("too_short", f"the recording has {found}; one window needs {needed}")


def note_too_long(duration_s: float, most_s: float) -> Note:
    """Return the reason not to answer a recording that is longer than the limit."""
    found = f"the recording claims to last {duration_s / 86400:.4g} days, the limit is {most_s / 86400:.4g}"
    return Note("too_long", f"{found}{RAISE_THE_LIMIT}")


def note_beyond_volts(highest_mv: float) -> Note:
    """Return the reason not to answer a recording with a sample that no electrode gives."""
    limit = RULES["beyond_volts"].limit
    found = f"a sample is {_format_mv(highest_mv)} mV from 0"
    return Note("beyond_volts", f"{found}, but no electrode gives more than {limit:g} mV: check the units and the gain")


def note_swapped_arms() -> Note:
    """Return the warning that the arm electrodes may be swapped."""
    return Note("swapped_arms", RULES["swapped_arms"].message)


def note_inverted_leads() -> Note:
    """Return the warning that leads may be inverted."""
    return Note("inverted_leads", RULES["inverted_leads"].message)


def note_equal_leads(leads: Sequence[str]) -> Note:
    """Return the reason not to answer a recording in which leads are copies of each other."""
    return Note("equal_leads", RULES["equal_leads"].message.format(leads=", ".join(leads)))


def note_windows_left_out(
    windows: int, left_out: int, incomplete: int, unusable_s: float, leads: Sequence[str]
) -> Note:
    """Return the note about windows that do not count in the answer.

    Args:
        windows: Number of windows.
        left_out: How many of them do not count.
        incomplete: How many of those have missing samples. The others are unusable.
        unusable_s: Length of the unusable signal in seconds.
        leads: The leads with missing samples.
    """
    why = _explain_left_out(left_out, incomplete, leads, f"the signal is unusable for {unusable_s:.1f} s")
    return Note("windows_left_out", f"{left_out} of {windows} windows do not count: {why}")


def note_windows_left_out_of_sites(windows: int, left_out: int, incomplete: int, leads: Sequence[str]) -> Note:
    """Return the note about windows that do not count in the second stage only, whose windows are shorter."""
    why = _explain_left_out(left_out, incomplete, leads, "the signal is unusable")
    return Note("windows_left_out", f"{left_out} of {windows} windows for the sites do not count: {why}")


def _explain_left_out(left_out: int, incomplete: int, leads: Sequence[str], unusable: str) -> str:
    of_leads = "" if not leads else " of all leads" if len(leads) == len(LEADS) else f" of {', '.join(leads)}"
    causes = [f"samples{of_leads} are missing"] * bool(incomplete) + [unusable] * (left_out > incomplete)
    return " and ".join(causes)


def note_derived_leads(leads: Sequence[str]) -> Note:
    """Return the warning about leads that are stored empty."""
    verb = "are" if len(leads) > 1 else "is"
    return Note("derived_leads", f"{', '.join(leads)} {verb} empty in the recording; derived from I and II")


def fill_in(code: str, lead: str | None, hz: int | None, episodes: Episodes) -> str:
    """Return the message of a rule. The field `leads` stays open for `name_leads`."""
    rule = RULES[code]
    return rule.message.format(limit=rule.limit, lead=lead, hz=hz, where=_format_where(episodes), leads="{leads}")


def name_leads(note: Note, leads: Sequence[str]) -> Note:
    """Return a note about several leads with their names filled in."""
    return replace(note, message=note.message.format(leads=", ".join(leads) or "two or more leads"))


def compare_amplitude(note: Note, median_mv: float) -> Note:
    """Return a note about an implausible amplitude that says how implausible it is.

    It claims no unit: converter counts look like microvolts.
    """
    times = _format_times(median_mv / _TYPICAL_MV)
    unit = "uV" if median_mv > _TYPICAL_MV else "V"
    found = f"the amplitude is about {times} times what an ECG in millivolts has"
    measured = f"median peak-to-peak of the leads in a second: {_format_mv(median_mv)} mV"
    advice = f"state the unit (such as --units {unit}) or the gain of converter counts {GAIN_OF_COUNTS}"
    return replace(note, message=f"{found} ({measured}); {advice}")


def propose_labels(note: Note, covariance: NDArray[np.float64]) -> Note:
    """Return a note about limb leads with the labels that they should have."""
    true = find_true_labels(covariance, RULES["limb_leads"].limit)
    hint = ", ".join(f"{label} should be {lead}" for label, lead in true.items())
    hint = f"the labels look wrong: {hint}" if hint else "no other labels or signs would make them agree"
    return replace(note, message=f"{note.message}; {hint}")


def _format_where(episodes: Episodes) -> str:
    first = f"{episodes.start_s:.1f} to {episodes.stop_s:.1f} s"
    if episodes.n_episodes == 1:
        return f"from {first}"
    return f"for {episodes.total_s:.1f} s in {episodes.n_episodes} stretches, the first from {first}"


def _format_times(ratio: float) -> str:
    """Return a ratio with one significant digit."""
    return f"{float(f'{ratio:.0e}'):.12g}"


def _format_mv(mv: float) -> str:
    return f"{mv:.0f}" if 100 <= mv < 1e6 else f"{mv:.3g}"
