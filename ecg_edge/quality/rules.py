"""The table of quality rules: when a recording is not answered, and what the reader of an answer is warned of.

`python -m benchmarks.quality DATA` counts the false alarms and hits of the rules on real records.
"""

from ecg_edge.quality.rule import Rule

HUM_OF_NOISE = 0.2
"""Share of the measure of `muscle_noise` that is added to the limit of `mains_hum`."""
LIMB_SHARE = 0.1
"""Share of the limb leads' rms that is added to the limit of `limb_leads`."""
MOST_OFFSET_MV = 300
"""Largest offset of a measured lead that an amplifier must carry, in either direction."""
_OVER_RANGE_MV = 25
_OUT_OF_RANGE = f"more than {_OVER_RANGE_MV} mV in 0.2 s, or farther from 0 than offsets of {MOST_OFFSET_MV} mV explain"
_FAINT_CHEST_MV = 0.15
_REAL = "2,129 real records: "
_MORE_REAL = "2,562 real records: "
_OTHER = "497 of other devices: "

_TABLE = (
    Rule(
        "not_finite",
        1,
        "sample",
        "NaN, infinity, or a number beyond float32, in each 0.2 s",
        "a window with a missing sample has no answer and does not count",
        None,
        0,
        "{lead} has missing samples {where}",
    ),
    Rule("too_short", 1, "window", "length of the recording", "the models' own windows", 0),
    Rule("beyond_volts", 1000, "mV", "distance of any sample from 0", f"an electrode gives under 1 V; {_REAL}27 mV", 0),
    Rule("too_large", 20, "mV", "median peak-to-peak of the leads in each second", f"{_REAL}6.5 mV at most", 0.5, 1),
    Rule(
        "too_small",
        0.05,
        "mV",
        "largest peak-to-peak of the leads in each second, if not 0 (below)",
        f"{_REAL}none below 0.1 mV",
        0.5,
        1,
    ),
    Rule(
        "over_range",
        _OVER_RANGE_MV,
        "mV",
        f"peak-to-peak in each 0.2 s, or distance of a sample from 0 beyond offsets of {MOST_OFFSET_MV} mV",
        f"an amplifier must carry offsets of {MOST_OFFSET_MV} mV; 3,059 real records: 20 mV at most, except for one",
        None,
        0,
        f"{{lead}} is over range {{where}}: {_OUT_OF_RANGE}",
    ),
    Rule(
        "leads_over_range",
        2,
        "leads",
        "leads over range in the same 0.2 s",
        "an amplifier at fault or a wrong unit, which the models do not know",
        0.5,
        None,
        f"{{leads}} are over range, {_OUT_OF_RANGE}: check the units and the gain",
    ),
    Rule(
        "flat_lead",
        0.0051,
        "mV",
        "peak-to-peak in each 0.2 s of a second or more (below)",
        f"five converter steps of 1 uV, and rounding; {_REAL}0.6 s at most, except for one dead lead",
        None,
        1,
        "{lead} is flat {where}",
    ),
    Rule(
        "dead_leads",
        2,
        "leads",
        "leads flat in the same 0.2 s",
        "the other leads can make up for one dead lead, not for two",
        0.5,
        None,
        "{leads} are flat: electrodes are off, or the leads were not recorded",
    ),
    Rule(
        "faint_chest_lead",
        _FAINT_CHEST_MV,
        "mV",
        "peak-to-peak of a chest lead in each second of five seconds on end, if it is not flat (below)",
        f"the electrode is off; {_MORE_REAL}none; {_OTHER}2",
        None,
        0,
        "{lead} has almost no signal {where}: its electrode may be off",
    ),
    Rule(
        "faint_chest_leads",
        _FAINT_CHEST_MV,
        "mV",
        "peak-to-peak of two chest leads in the same second, if not both are flat (below)",
        f"the models need the chest leads; {_MORE_REAL}none; {_OTHER}1",
        0.5,
        None,
        "{leads} have almost no signal: chest electrodes are off, or the gain is wrong",
    ),
    Rule(
        "low_amplitude",
        0.6,
        "mV",
        "largest peak-to-peak of the leads in each second of five seconds on end (below)",
        f"a wrong gain, or a low voltage of the heart; {_MORE_REAL}none; {_OTHER}3",
        None,
        0,
        "the amplitudes are unusually small {where}: check the units and the gain",
    ),
    Rule(
        "no_qrs",
        5.9,
        "",
        "kurtosis of the slopes over 8 ms in most leads, in every five seconds (below)",
        f"noise has 3, sines 1.5; {_MORE_REAL}below it for 5 s in one; {_OTHER}3, with ventricular tachycardia",
        0.5,
        5,
        "the signal has no QRS complexes {where}: it may not be an ECG",
    ),
    Rule(
        "clipped_lead",
        2,
        "edges",
        "places where a slope over 25 mV/s meets 5 equal samples, in each second; or each 0.2 s of the second has the "
        "same highest or lowest sample, and two of them are not flat",
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
        "the models need the amplitudes, which clipping destroys",
        0.5,
        None,
        "{leads} are clipped: the signal exceeded the range of the amplifier or the converter",
    ),
    Rule(
        "limb_leads",
        0.02,
        "mV",
        "rms residual of Einthoven's and Goldberger's relations in each second; "
        f"{LIMB_SHARE:.0%} of the limb leads' rms is added to the limit",
        f"{_REAL}0.002 mV at most; 10% for devices that filter each lead",
        0.5,
        1,
        "the limb leads contradict each other {where}",
    ),
    Rule(
        "swapped_arms",
        -0.3,
        "",
        "correlation of I and V6, if aVR points up (below)",
        "swapped arm electrodes invert I and aVR; limit measured",
        None,
        0,
        "I and V6 point in opposite directions and aVR points up: the electrode of the right arm may be swapped with "
        "that of the left arm or leg",
    ),
    Rule(
        "inverted_leads",
        0.05,
        "",
        "distance between the middle of the extremes and the mean, as a share of the peak-to-peak in each 0.2 s, "
        "if I and II point down and aVR points up",
        f"inverted leads, or swapped right arm and left leg; {_MORE_REAL}5; {_OTHER}4",
        None,
        0,
        "I and II point down and aVR points up: all leads may be inverted, or the electrodes of the right arm and the "
        "left leg may be swapped",
    ),
    Rule(
        "equal_leads",
        0.001,
        "mV",
        "largest difference between two leads about the mean of each second, if they are not flat (below)",
        f"leads that were copied; {_MORE_REAL}none; {_OTHER}none",
        0,
        None,
        "{leads} are equal: the file or the names of its leads are wrong",
    ),
    Rule(
        "mains_hum",
        0.02,
        "mV",
        "amplitude at 50 or 60 Hz in the second quietest 0.2 s of a second; "
        f"{HUM_OF_NOISE:.0%} of the measure of muscle_noise is added to the limit",
        "measured",
        None,
        5,
        "{lead} has mains hum of {hz} Hz {where}",
    ),
    Rule(
        "baseline_wander",
        1,
        "mV",
        "difference between the means of neighbouring seconds",
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
        "spikes look like those of a pacemaker {where}; the models were not made for paced rhythms",
    ),
    Rule(
        "unusable",
        2,
        "leads",
        "leads flat or over range in the same 0.2 s",
        "windows that lie wholly in it do not count",
    ),
    Rule(
        "windows_left_out",
        0.5,
        "",
        "share of the windows with missing samples or wholly in unusable stretches",
        "an answer should rest on most of the recording",
        0.5,
        0,
    ),
)
RULES = {rule.code: rule for rule in _TABLE}
"""Rules by code."""
