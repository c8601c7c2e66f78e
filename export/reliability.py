"""The reliability figure: how often a probability is right, label by label."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from export.calibration import compute_ece, cut_into_bins
from export.dataset import Dataset
from export.evaluation import Question, ask
from export.out_of_fold import Answers

_COLUMNS = 3
_PANEL_INCHES = (3.2, 3.6)
_N_BARS = 20
_LIMITS = (-0.02, 1.02)


def draw_reliability(dataset: Dataset, answers: Answers, path: Path) -> None:
    """Write an SVG with a panel for each label that has enough positive records.

    Args:
        dataset: The records with their labels.
        answers: The out-of-fold answers for the same records.
        path: Where the figure goes.
    """
    questions = [question for question in ask(dataset, answers).calibration if question.can_be_answered]
    lines = -(-len(questions) // _COLUMNS)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ecg_edge", "font.size": 9}):
        picture = Figure((_COLUMNS * _PANEL_INCHES[0], lines * _PANEL_INCHES[1]), layout="constrained")
        parts = picture.subfigures(lines, _COLUMNS, squeeze=False)
        for part, question in zip(parts.flat, questions, strict=False):
            shares, counts = part.subplots(2, 1, sharex=True, height_ratios=(4, 1))
            _draw_shares(shares, question)
            _draw_counts(counts, question)
        picture.savefig(path, metadata={"Date": None})


def _draw_shares(axes: Axes, question: Question) -> None:
    bins = cut_into_bins(question.truth, question.probability)
    ece = compute_ece(question.truth, question.probability)
    shares = [of_bin.share for of_bin in bins]
    below = [of_bin.share - of_bin.low for of_bin in bins]
    above = [of_bin.high - of_bin.share for of_bin in bins]
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
    axes.errorbar(
        [of_bin.probability for of_bin in bins], shares, [below, above], fmt="o", color="#4c78a8", markersize=4
    )
    axes.set(
        title=f"{question.name}, n {question.n}, ECE {ece:.3f}",
        xlim=_LIMITS,
        ylim=_LIMITS,
        ylabel="share with the label",
    )


def _draw_counts(axes: Axes, question: Question) -> None:
    axes.hist(question.probability, range=(0, 1), bins=_N_BARS, color="#4c78a8")
    axes.set(xlim=_LIMITS, ylim=(0.8, None), yscale="log", xlabel="probability", ylabel="records")
    axes.minorticks_off()
