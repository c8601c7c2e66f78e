"""The model card, from the measured figures."""

from ecg_edge.model.spec import ModelSpec
from export.dataset import Dataset
from export.evaluation import RESAMPLES, Evaluation, render_table

_CARD = """# Model card

Two networks that read a raw 12-lead ECG: `infarction.onnx` (infarction yes or no) and `localization.onnx` (which of six
sites). Version {version}. This file is written by `python -m export convert`; its tables are computed from
`out_of_fold.csv`, and `python -m export evaluate DATA` prints them again.

## What they are for

Pointing a clinician to recordings with the pattern of a myocardial infarction, and to its probable site. Every answer is
unconfirmed and for review by a clinician. They are no medical device.

## What they are not for

- **Not for acute infarction.** The infarctions learned from are mostly old or of unknown age; nothing here tells how old
  one is. A negative answer does not rule out an infarction.
- Adults only: {minors} of the {n} records are of people under 18, too few to learn from or to measure.
- Not for paced rhythms: {paced} of the records are, too few to measure.
- **Lateral is unproven**: two examples can be neither learned nor measured. Its threshold is the fallback of 0.5, and a
  finding of it carries a warning.
- Twelve leads in the standard places, raw millivolts at 500 Hz. Swapped cables and other units are not noticed by the
  networks.

## Data

The networks learned from {training_data}. Signals: Wagner P., Strodthoff N., Bousseljot R.-D., Samek W., Schaeffter T., "PTB-XL, a large publicly
available electrocardiography dataset", PhysioNet (CC BY 4.0). About one record in five is an infarction; sites overlap.
The labels are opinions: PTB-XL's own annotations, as a second reader of the same ECGs, reach F1 0.76 for infarction
against them, 0.69 for inferior, 0.53 for anteroseptal and 0.56 for anterolateral.

## How the figures were measured

Five folds, no patient in two of them. Each record is answered by the network of the fold that did not see it, with the
epoch, calibration and thresholds that were chosen on the answers for the other folds' records. In
brackets: 95% interval of {resamples} bootstrap resamples by patient. Sites are measured on records with infarction,
where the second network is used; the thresholds of the shipped files are chosen on all out-of-fold answers. A dozen
settings of the networks and their training were compared on the same folds, so the figures lean a little to the bright
side; the differences between the settings were smaller than the intervals.
What was chosen so last, and what the figures are where the other folds choose it, is in the [changelog](CHANGELOG.md).

{table}
The shipped networks have learned from all records. {seen}

## Thresholds of the shipped files

| label | threshold |
|---|---|
{thresholds}

## Networks

Convolutions without padding, whose total stride divides the stride of the windows, so that one pass over a recording
serves all windows and each window depends on its own samples alone; a transformer block parallel to a feed-forward layer;
mean and maximum of both over the window; two fully connected layers; Platt scaling; sigmoid; mean over the windows.
Windows: {windows}.

## Licence

MIT, as the package.
"""


def render_card(evaluation: Evaluation, specs: list[ModelSpec], dataset: Dataset, seen: str) -> str:
    """Return the model card as Markdown; `seen` is the line on the training records."""
    return _CARD.format(
        version=specs[0].version,
        minors=dataset.minors,
        paced=dataset.paced,
        n=len(dataset.names),
        seen=seen,
        training_data="; ".join(f"{spec.training_data} ({spec.name})" for spec in specs),
        resamples=RESAMPLES,
        table="\n".join(render_table(evaluation)),
        thresholds="\n".join(
            f"| {label} | {threshold:.3f} |"
            for spec in specs
            for label, threshold in zip(spec.labels, spec.thresholds, strict=True)
        ),
        windows="; ".join(f"{spec.window} samples every {spec.stride} for {spec.name}" for spec in specs),
    )
