"""The model card, from the measured figures."""

from ecg_edge.evaluation.bootstrap import RESAMPLES
from ecg_edge.evaluation.calibration import N_BINS
from ecg_edge.evaluation.question import ENOUGH_POSITIVES, Row
from ecg_edge.model.spec import ModelSpec
from export.choices import SENSITIVITY, SPECIFICITY
from export.dataset import Dataset
from export.evaluation import Evaluation, render_calibration, render_table
from export.mistakes import read_mistakes, render_mistakes
from export.operating_points import Points, render_points, render_predictive_values, render_thresholds
from export.robustness import Effect, render_effects
from export.second_reader import render_second_reader
from export.stages import INFARCTION
from export.subgroups import render_subgroups

_CARD = """# Model card

Two networks that read a raw 12-lead ECG: `infarction.onnx` (infarction yes or no) and `localization.onnx` (which of six
sites). A third, `plausibility.onnx`, says whether a recording is what the two were made for; it has a section below.
Version {version}. This file is written by `python -m export convert`. Its tables of the second reader, accuracy, groups, operating points and calibration are computed from `out_of_fold.csv` and the labels, and `python -m export evaluate DATA` prints them again. The table of robustness is also in
`robustness.csv`, and `python -m export robustness DATA` measures it again from the trained weights.

## What they are for

Pointing a clinician to recordings with the pattern of a myocardial infarction, and to its probable site. Every answer is
unconfirmed and for review by a clinician. They are no medical device.

## What they are not for

- **Not for acute infarction.** The infarctions learned from are mostly old or of unknown age; nothing here tells how old
  one is. A negative answer does not rule out an infarction.
- Adults only: {minors} of the {n} records are of people under 18, too few to learn from or to measure.
- Not for paced rhythms: {paced} of the records are, too few to measure.
- Not for bundle branch blocks, the left one above all: see the groups below.
- **Lateral is unproven**: two examples can be neither learned nor measured. Its threshold is the fallback of 0.5, and a
  finding of it carries a warning.
- Twelve leads in the standard places, raw millivolts at 500 Hz. The two networks do not notice exchanged cables, other
  units or another rate. `plausibility.onnx` notices many of them, not all.

## Data

The networks learned from {training_data}. Signals: Wagner P., Strodthoff N., Bousseljot R.-D., Samek W., Schaeffter T., "PTB-XL, a large publicly
available electrocardiography dataset", PhysioNet (CC BY 4.0). About one record in five is an infarction; sites overlap.
The labels are opinions. PTB-XL's own codes, as a second reader of the same ECGs, agree with them so far (any code of an
infarction; IMI, ILMI, IPMI and IPLMI for inferior, ASMI for anteroseptal, ALMI for anterolateral):

{second_reader}

## How the figures were measured

Five folds, no patient in two of them. Each record is answered by the network of the fold that did not see it, with the
calibration and thresholds that were chosen on the answers for the other folds' records. In
brackets: 95% interval of {resamples} bootstrap resamples by patient. Sites are measured on records with infarction,
where the second network is used; the thresholds of the shipped files are chosen on all out-of-fold answers. A dozen
settings of the networks and their training were compared on the same folds, so the figures lean a little to the bright
side; most differences between the settings were smaller than the intervals.
Gradient boosting on classical measurements of the same records has a higher average precision and F1 for infarction than
these networks: `docs/accuracy.md` has both side by side.
The [changelog](CHANGELOG.md) says what was chosen so last.

{table}
The shipped networks have learned from all records. {seen}

## Groups

The same out-of-fold answers for infarction, group by group, at the operating point `balanced`. Devices, notes, codes and
stages are PTB-XL's; the labels are the experts'. A record may be in several groups, or in none. A stage is measured against
all records without an infarction, so its specificity is that of all. With fewer than {enough} positives there is no
sensitivity, with fewer than {enough} others no specificity.

{subgroups}
A low specificity shows where false alarms come from. A group of few records proves little: look at its interval. Recent
infarctions (stage I or I-II) are too few to learn from. What is told of them here is what was seen, not what to expect.

## Mistakes

The records that the out-of-fold answers got most wrong, drawn on paper and looked at one by one. One reader sorted them, who
knew the labels and PTB-XL's codes: take the counts as a hint. The reader doubted {doubted} of the {looked} labels.
`export/mistakes.csv` names the records.

{mistakes}

## Operating points

A threshold is a choice between missed infarctions and false alarms. `balanced`, the default, has the best F1. `sensitive` is
for screening: its goal is a sensitivity of at least {sensitivity:g} for infarction, and the sites stay as at `balanced`. `specific` is for confirmation: its goal is a specificity of at
least {specificity:g}. `sensitive` never finds less than `balanced`, and `specific` never more.

The goal is what a threshold was chosen for; the table is what came out. Each record is answered with thresholds that were
chosen on the other folds, so a figure may miss its goal a little. A label with fewer than {enough} positives has the fallback
of 0.5 at every point and is unproven.

{points}
The predictive values say how often an answer is right. They are measured on all records, both networks one after the other: a
site counts as found only if the infarction is found too, and it is right only if the record has that site.
`positive_predictive_value` is the share of the found records that have the label, `negative_predictive_value` the share of
the others that do not. They hold where infarctions and sites are as frequent as here. Where they are rarer, fewer of the found
ones are right.

{predictive}
## Calibration

Whether a probability of 0.7 is right 7 times in 10, by the same out-of-fold answers.

{calibration}
- `ece`: expected calibration error, the mean distance between probability and share of records with the label, over {n_bins}
  bins of equal numbers of records. It is never negative, so chance alone makes it larger than 0, and the more so the fewer
  the records; resampling adds to it, so the intervals lie too high.
- `ece_by_chance`: what the same probabilities get if they are exactly right: mean and 95% range of {resamples} drawn truths.
  An `ece` within the range does not show an error. With few records, it does not prove calibration either.
- `brier` and `log_loss`: mean squared error and mean negative log-likelihood of the probabilities; smaller is better.

![Reliability](reliability.svg)

Points: the {n_bins} bins, with Wilson's 95% intervals. Bars: number of records by probability, on a logarithmic scale. All of
this holds for records like these, where one in five is an infarction. Where infarctions are rarer, expect the probabilities to be
too high.

## Robustness

Each out-of-fold record is disturbed, in a fixed random way, and answered again by the networks, thresholds and windows that
answered it before. The quality gate of the runtime, which refuses or warns of some of these recordings, takes no part.

- `changed`: share of the records whose decision, infarction or not, is another one.
- `auroc`, `sensitivity`, `specificity`: of infarction, on the disturbed records.
- `sites_changed`: share of the decisions of the second network that change, on records with infarction, lateral left out.

{effects}

In brackets: 95% bootstrap intervals by patient. 0.000 to 0.000 means that none was seen to change; up to 3 in n may. Offsets,
wander, hum and muscle noise are drawn for each lead by itself, which is harder than what comes from an electrode. Hum has
harmonics. Filters are causal Butterworth filters, low-passes of order 2. A lost lead is at zero; the runtime derives a lost
III, aVR, aVL or aVF from I and II. Eight leads: these four are derived so. A shift leaves the recording 99 samples shorter.

## Thresholds of the shipped files

{thresholds}

## Networks

The first convolution does not see the baseline of a lead: from each of its outputs, the mean over {baseline_s:.2f} s around
it is taken off. So the offset of an electrode changes nothing, and slow wander changes little. Convolutions without
padding, whose total stride divides the stride of the windows, so that one pass over a recording serves all windows and
each window depends on its own samples alone; a transformer block parallel to a feed-forward layer;
mean and maximum of both over the window; two fully connected layers; Platt scaling; sigmoid; mean over the windows.
Windows: {windows}.

## Licence

MIT, as the package.
"""


def render_card(  # noqa: PLR0913, PLR0917 - what a card tells
    evaluation: Evaluation,
    subgroups: tuple[Row, ...],
    second_reader: tuple[Row, ...],
    points: Points,
    predictive: Points,
    effects: list[Effect],
    specs: list[ModelSpec],
    dataset: Dataset,
    seen: str,
) -> str:
    """Return the model card as Markdown; `seen` is the line on the training records."""
    network, mistakes = INFARCTION.network, read_mistakes(specs[0].version)
    return _CARD.format(
        baseline_s=network.baseline * network.convolutions[0][1] / specs[0].sampling_rate,
        version=specs[0].version,
        minors=dataset.minors,
        paced=dataset.paced,
        n=len(dataset.names),
        seen=seen,
        training_data="; ".join(f"{spec.training_data} ({spec.name})" for spec in specs),
        resamples=RESAMPLES,
        table="\n".join(render_table(evaluation)),
        calibration="\n".join(render_calibration(evaluation)),
        n_bins=N_BINS,
        effects="\n".join(render_effects(effects)),
        thresholds="\n".join(render_thresholds(specs)),
        points="\n".join(render_points(points)),
        predictive="\n".join(render_predictive_values(predictive)),
        subgroups="\n".join(render_subgroups(subgroups)),
        second_reader="\n".join(render_second_reader(second_reader)).strip(),
        mistakes="\n".join(render_mistakes(mistakes)),
        doubted=sum(mistake.doubted for mistake in mistakes),
        looked=len(mistakes),
        sensitivity=SENSITIVITY,
        specificity=SPECIFICITY,
        enough=ENOUGH_POSITIVES,
        windows="; ".join(f"{spec.window} samples every {spec.stride} for {spec.name}" for spec in specs),
    )
