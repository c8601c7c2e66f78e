"""The table of quality rules: what makes an answer meaningless, and what its reader must know.

`python -m benchmarks.quality DATA` measures each rule's false alarms and hits on real records.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """One rule of the quality gate."""

    code: str
    """Stable name: the code of its notes."""
    limit: float
    """From here on it holds (for what is too small: below)."""
    unit: str
    """Of the limit."""
    meaning: str
    """What is compared with the limit."""
    source: str
    """Where the limit comes from."""
    refuses_over: float | None = None
    """Share of the recording over which it must hold to refuse; None: it never does."""
    warns_from_s: float | None = None
    """Seconds altogether for which it must hold to warn where it does not refuse; None: it never does."""
    message: str = ""
    """For people; the fields are the limit, the lead, the mains frequency and where it holds."""


_REAL = "2,129 real records: "

_TABLE = (
    Rule("not_finite", 1, "sample", "NaN, infinity, or a number beyond float32", "no model can answer it", 0),
    Rule("too_short", 1, "window", "length of the recording", "the models' own windows", 0),
    Rule(
        "beyond_volts",
        1000,
        "mV",
        "distance of any sample from 0",
        f"an electrode gives less than 1 V; {_REAL}27 mV at most",
        0,
    ),
    Rule(
        "too_large",
        20,
        "mV",
        "median of the leads' peak-to-peak, each second",
        f"{_REAL}6.5 mV at most",
        0.5,
        1,
        "all leads are larger than {limit:g} mV {where}",
    ),
    Rule(
        "too_small",
        0.05,
        "mV",
        "largest of the leads' peak-to-peak, each second, if not 0",
        f"{_REAL}none below 0.1 mV",
        0.5,
        1,
        "all leads are smaller than {limit:g} mV {where}",
    ),
    Rule(
        "over_range",
        20,
        "mV",
        "distance of a sample from 0, each 0.2 s",
        f"{_REAL}27 mV at most, in one",
        None,
        0,
        "{lead} is more than {limit:g} mV from 0 {where}",
    ),
    Rule(
        "leads_over_range",
        2,
        "leads",
        "leads over range in the same 0.2 s",
        "an electrode offset or a wrong unit: not what the models know",
        0.5,
        None,
        "{leads} lie more than 20 mV from 0: an electrode offset was left in, or the unit is not the declared one",
    ),
    Rule(
        "flat_lead",
        0.005,
        "mV",
        "peak-to-peak in each 0.2 s of a second or more (below)",
        f"{_REAL}0.6 s at most, but for one dead lead",
        None,
        1,
        "{lead} is flat {where}",
    ),
    Rule(
        "dead_leads",
        2,
        "leads",
        "leads flat in the same 0.2 s",
        "one may be made up for by its neighbours, two may not",
        0.5,
        None,
        "{leads} are flat: electrodes are off, or the leads were not recorded",
    ),
    Rule(
        "clipped_lead",
        2,
        "edges",
        "slopes over 25 mV/s that end in 4 equal samples, each second",
        f"{_REAL}1 at most",
        None,
        1,
        "{lead} is clipped {where}",
    ),
    Rule(
        "clipped_leads",
        2,
        "leads",
        "leads clipped in the same second",
        "amplitudes, on which the models rest, are lost",
        0.5,
        None,
        "{leads} are clipped: the amplifier or the converter was overdriven",
    ),
    Rule(
        "limb_leads",
        0.02,
        "mV",
        "rms left over by Einthoven's or Goldberger's relations, each second, beside 10% of the limb leads' rms",
        f"{_REAL}0.002 mV at most; 10% for devices that filter each lead",
        0.5,
        1,
        "the limb leads contradict each other {where}",
    ),
    Rule(
        "swapped_arms",
        -0.3,
        "",
        "correlation of I and V6 (below), with an aVR that points up",
        "the signs of reversed arm electrodes; limit measured",
        None,
        0,
        "I runs against V6 and aVR points up: were the arm electrodes swapped?",
    ),
    Rule(
        "mains_hum",
        0.02,
        "mV",
        "amplitude at 50 or 60 Hz in the second quietest 0.2 s of a second, beyond 20% of what muscle_noise measures",
        "measured",
        None,
        5,
        "{lead} has mains hum of {hz} Hz {where}",
    ),
    Rule(
        "baseline_wander",
        1,
        "mV",
        "between the means of neighbouring seconds",
        "10 mm on paper",
        None,
        0,
        "the baseline of {lead} wanders {where}",
    ),
    Rule(
        "muscle_noise",
        0.042,
        "mV",
        "rms of the second differences over 8 ms, without hum, in the second quietest 0.2 s of a second",
        "measured",
        None,
        5,
        "{lead} has muscle noise {where}",
    ),
    Rule(
        "pacing_spikes",
        0.5,
        "mV",
        "rise and fall within 8 ms, in two leads of the same second",
        "measured",
        None,
        0,
        "spikes like a pacemaker's {where}: the models were not made for paced rhythms",
    ),
    Rule("unusable", 2, "leads", "leads flat or over range in the same 0.2 s", "windows wholly within are left out"),
    Rule(
        "windows_left_out",
        0.5,
        "",
        "share of the windows that lie wholly in unusable stretches",
        "an answer should stand on most of its recording",
        0.5,
        0,
    ),
)
RULES = {rule.code: rule for rule in _TABLE}
"""Rules by code."""
