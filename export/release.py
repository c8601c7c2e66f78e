"""Write the models folder: models, specs, manifest, stored answers, test vectors, what was measured, the model card."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from ecg_edge.detector import Detector
from ecg_edge.evaluation.question import ENOUGH_POSITIVES
from ecg_edge.evaluation.reliability import draw_reliability
from ecg_edge.model.operating_point import BALANCED, OperatingPoint
from ecg_edge.model.spec import ModelSpec
from ecg_edge.recording import LEADS, Recording
from export.card import render_card
from export.checks import OFFSET_MV, SHIPPED, check_model
from export.choices import Choice, choose, compute_probabilities
from export.crossfit import OutOfFold, load_network, name_final_file, name_fold_file
from export.dataset import Dataset
from export.errors import ExportError
from export.evaluation import Evaluation, ask, evaluate
from export.folder import serialize, write_golden, write_models
from export.graph import to_onnx
from export.operating_points import Points, figure_to_dict, make_points, measure_points, measure_predictive_values
from export.out_of_fold import FILE, Answers
from export.plausibility.release import carry_plausibility
from export.reference import Exported
from export.robustness import measure_robustness, save_effects
from export.second_reader import measure_second_reader
from export.stages import MODEL_VERSION, STAGES, WINDOWS_PER_CALL, Stage
from export.subgroups import measure_subgroups
from export.vectors import write_vectors

TRAINING_DATA = (
    "PTB-XL (Wagner et al. 2020, CC BY 4.0), {n} records of {patients} patients, "
    "labels by expert consensus of a 2023 competition{more}"
)
MORE_DATA = "; {n} further records whose labels are estimated from PTB-XL's codes and from measurements"
MIXED_DATA = "; {n} recordings mixed from two people each, with labels estimated from measurements"
CHANGELOG = "CHANGELOG.md"
RELIABILITY = "reliability.svg"
ROBUSTNESS = "robustness.csv"
SEEN = 300
_DECIMALS = 4

Report = Callable[[str], None]


def release(dataset: Dataset, runs: Path, out: Path, report: Report) -> None:
    """Write the shipped models and the files that belong to them. No file is replaced before all of them are made.

    Args:
        dataset: All records.
        runs: Folder that `train_stage` has filled.
        out: Folder of the models; it has the changelog.
        report: Called with a line before each step.

    Raises:
        ExportCheckError: A model does not keep the contract.
        ExportError: The changelog of the models has no entry for this version.
    """
    changelog = out / CHANGELOG
    if f"## {MODEL_VERSION}\n" not in (changelog.read_text(encoding="utf-8") if changelog.exists() else ""):
        msg = f"{changelog} has no entry '## {MODEL_VERSION}': write there what is new, then convert"
        raise ExportError(msg)
    report("choosing epochs and thresholds on the folds")
    answers = Answers.of_runs(dataset, runs)
    evaluation = evaluate(dataset, answers, report)
    points = measure_points(dataset, answers, report)
    predictive = measure_predictive_values(dataset, answers, report)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        made = Path(folder)
        specs = _write_models(dataset, runs, made, (evaluation, points, predictive), None, report)
        answers.save(made / FILE)
        report("storing answers and measuring seen records")
        write_golden(made)
        seen = measure_seen_records(Detector(made, quality_gate="warn"), dataset)
        reliability = draw_reliability(ask(dataset, answers).calibration)
        (made / RELIABILITY).write_text(reliability, encoding="utf-8")
        effects = measure_robustness(dataset, runs, report)
        save_effects(effects, made / ROBUSTNESS)
        subgroups = measure_subgroups(ask(dataset, answers).infarction[0], dataset.subgroups)
        reader = measure_second_reader(dataset)
        card = render_card(evaluation, subgroups, reader, points, predictive, effects, specs, dataset, seen)
        (made / "README.md").write_text(card, encoding="utf-8")
        carry_plausibility(runs, out, made, dataset.signals[:3])
        write_vectors(made)
        for path in made.iterdir():
            path.replace(out / path.name)


def release_fold(dataset: Dataset, runs: Path, out: Path, fold: int, report: Report) -> None:
    """Write the models of one fold with the choices of the other folds. They give that fold's out-of-fold answers."""
    out.mkdir(parents=True, exist_ok=True)
    _write_models(dataset, runs, out, None, fold, report)


def _write_models(  # noqa: PLR0913, PLR0917 - what a release is made of
    dataset: Dataset,
    runs: Path,
    out: Path,
    measured: tuple[Evaluation, Points, Points] | None,
    fold: int | None,
    report: Report,
) -> list[ModelSpec]:
    specs, contents = [], {}
    for stage in STAGES.values():
        report(f"{stage.name}: exporting and comparing with torch")
        out_of_fold = OutOfFold.read(runs / f"{stage.name}_out_of_fold.npz")
        rows = stage.select_scored(dataset) & (out_of_fold.folds != fold)
        evaluation, *points = measured or (None,)
        logits, truth = out_of_fold.logits[:, rows], stage.truth(dataset)[rows]
        choice = choose(logits, truth)
        chosen = make_points(stage, choice, compute_probabilities(logits, choice), truth, points)
        weights = runs / (name_final_file(stage) if fold is None else name_fold_file(stage, fold))
        network = load_network(stage, weights, choice.epoch)
        exported = Exported(network, choice).eval()
        spec = _make_spec(stage, choice, chosen, dataset, evaluation, out_of_fold.n_coded)
        content = serialize(to_onnx(exported, spec, centred=stage.network.baseline > 0))
        limits = replace(SHIPPED, offset_mv=OFFSET_MV if stage.network.baseline else 0)
        check_model(content, exported, spec, dataset.signals[:3], limits)
        contents[stage.name] = content
        specs.append(spec)
    write_models(out, contents)
    return specs


def measure_seen_records(detector: Detector, dataset: Dataset) -> str:
    """Return a line with the scores of the models on the first training records, which would show a broken file."""
    recordings = [Recording(signal, name=name) for name, signal in zip(dataset.names, dataset.signals, strict=True)]
    findings = list(detector.detect_many(recordings[:SEEN], all_sites=True))
    truth = dataset.infarction[:SEEN, 0] > 0
    auroc = roc_auc_score(truth, [finding.probability for finding in findings])
    sites = np.array([[site.probability for site in finding.sites] for finding in findings])
    loss = log_loss(dataset.sites[:SEEN][truth].ravel(), sites[truth].ravel())
    return (
        f"On the first {SEEN} of them, which says nothing of accuracy but shows a broken file, they score an AUROC of "
        f"{auroc:.4f} for infarction, and a mean log-loss of {loss:.4f} over the sites of the infarctions."
    )


def _make_spec(  # noqa: PLR0913, PLR0917 - what a spec is made of
    stage: Stage,
    choice: Choice,
    points: dict[str, OperatingPoint],
    dataset: Dataset,
    evaluation: Evaluation | None,
    n_coded: int,
) -> ModelSpec:
    population = "records with infarction" if stage.scored_on_infarctions else "all records"
    return ModelSpec(
        name=stage.name,
        version=MODEL_VERSION,
        stage=stage.name,
        leads=LEADS,
        sampling_rate=500.0,
        unit="mV",
        window=stage.network.window,
        stride=stage.network.stride,
        labels=stage.labels,
        thresholds=tuple(float(threshold) for threshold in choice.threshold),
        threshold_method=f"best F1 of the out-of-fold probabilities on {population}; "
        f"0.5 for a label with fewer than {ENOUGH_POSITIVES} positives",
        unproven=points[BALANCED].unproven,
        windows_per_call=WINDOWS_PER_CALL,
        calibration={
            "method": f"Platt scaling of the window logits, fitted to out-of-fold probabilities on {population}",
            "slope": choice.slope.tolist(),
            "intercept": choice.intercept.tolist(),
        },
        metrics={} if evaluation is None else collect_metrics(stage, evaluation),
        training_data=_describe_training_data(stage, dataset, n_coded),
        licence="MIT",
        operating_points=points,
    )


def _describe_training_data(stage: Stage, dataset: Dataset, n_coded: int) -> str:
    taught = np.flatnonzero(stage.select_taught(dataset))
    patients = len({dataset.patients[i] for i in taught})
    more = MORE_DATA.format(n=n_coded) if n_coded else ""
    mixed = MIXED_DATA.format(n=stage.mixed) if stage.mixed else ""
    return TRAINING_DATA.format(n=len(taught), patients=patients, more=more + mixed)


def collect_metrics(stage: Stage, evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of a stage's labels, as they stand in its spec."""
    rows = (row for row in (*evaluation.infarction, *evaluation.sites) if row.name in stage.labels)
    return {row.name: {name: figure_to_dict(figure, _DECIMALS) for name, figure in row.figures.items()} for row in rows}
