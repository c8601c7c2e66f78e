"""Commands: train, try, evaluate, compare, baselines, robustness, plausibility, convert, describe, examples."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from export.errors import ExportError
from export.progress import say, say_on_terminal

if TYPE_CHECKING:
    from export.dataset import Dataset

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_CHECKPOINTS = {"infarction": "binary", "localization": "localization"}
_ORIGINAL = {"binary", "localization", "scaler", "rule", "weights", "records"}
DATA = click.argument("data", type=_FOLDER)
MORE = click.option(
    "--more", type=_FOLDER, multiple=True, help="Further records with PTB-XL's codes, without labels. Repeatable."
)
RUNS = click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default="runs", show_default=True)
EXAMPLES = Path(__file__).parents[1] / "examples"
MODELS = Path(__file__).parents[1] / "onnx_models"


class _OneLineErrors(click.Group):
    """Shows an error that the user can mend as one line, not as a traceback."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except ExportError as error:
            say(f"error: {error}")
            context.exit(1)


@click.group(cls=_OneLineErrors)
def main() -> None:
    """Train the networks, measure them, export them to ONNX.

    DATA is a folder in the competition's layout: NAME.npy files, train_gts_final.csv and train_meta.csv.
    """


@main.command()
@DATA
@click.option("--stage", type=click.Choice(["infarction", "localization", "plausibility"]), required=True)
@MORE
@RUNS
def train(data: Path, stage: str, more: tuple[Path, ...], runs: Path) -> None:
    """Train five folds grouped by patient, then the final network on all records.

    After an interruption, run it again: it goes on with the first fold that is not finished. The stage plausibility
    needs no labels: it learns from all records, spoiled on purpose.

    \b
    Examples:
      python -m export train DATA --stage infarction --more MORE
      python -m export train DATA --stage localization --more MORE --more OTHERS --runs runs
      python -m export train DATA --stage plausibility --more MORE --more OTHERS --runs runs
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    if stage == "plausibility":
        from export.plausibility.evaluation import answer_held_out
        from export.plausibility.records import read_records
        from export.plausibility.training import train as train_plausibility

        records = read_records([data, *more])
        train_plausibility(records, runs, say)
        answer_held_out(records, runs, say).save(runs)
        return
    from export.crossfit import train_stage
    from export.stages import STAGES

    train_stage(STAGES[stage], _read(data, more), runs, say)


@main.command()
@DATA
@click.option(
    "--answers", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=MODELS / "out_of_fold.csv"
)
def evaluate(data: Path, answers: Path) -> None:
    """Print the tables of the second reader, of out-of-fold figures, of operating points and of calibration.

    \b
    Examples:
      python -m export evaluate DATA
      python -m export evaluate DATA --answers onnx_models/out_of_fold.csv
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from export.evaluation import ask, render_calibration, render_table
    from export.evaluation import evaluate as measure
    from export.operating_points import (
        measure_points,
        measure_predictive_values,
        render_points,
        render_predictive_values,
    )
    from export.out_of_fold import Answers
    from export.second_reader import measure_second_reader, render_second_reader
    from export.subgroups import measure_subgroups, render_subgroups

    dataset, given = _read(data), Answers.read(answers).require_all_labels()
    measured, points = measure(dataset, given, say_on_terminal), measure_points(dataset, given, say_on_terminal)
    groups = measure_subgroups(ask(dataset, given).infarction[0], dataset.subgroups)
    predictive = measure_predictive_values(dataset, given, say_on_terminal)
    tables = (
        render_second_reader(measure_second_reader(dataset)),
        render_table(measured),
        render_subgroups(groups),
        render_points(points),
        render_predictive_values(predictive),
        render_calibration(measured),
    )
    for line in chain.from_iterable(tables):
        click.echo(line)


@main.command()
@DATA
@click.option("--before", type=_FILE, required=True, help="Out-of-fold answers of a version.")
@click.option(
    "--after",
    type=_FILE,
    default=MODELS / "out_of_fold.csv",
    help="Those of another version.  [default: the shipped one's]",
)
def compare(data: Path, before: Path, after: Path) -> None:
    """Print the figures of two versions and their differences, with paired intervals.

    \b
    Examples:
      python -m export compare DATA --before old/out_of_fold.csv
      python -m export compare DATA --before a/out_of_fold.csv --after b/out_of_fold.csv
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from export.comparison import compare as measure
    from export.comparison import render_comparison
    from export.out_of_fold import Answers

    differences = measure(_read(data), Answers.read(before), Answers.read(after), say_on_terminal)
    for line in render_comparison(differences):
        click.echo(line)


@main.command()
@DATA
@click.option("--kind", type=click.Choice(["logistic", "boosting", "original"]), required=True)
@click.option(
    "--stage",
    "stages",
    type=click.Choice(["infarction", "localization"]),
    multiple=True,
    default=("infarction", "localization"),
    help="Answer this stage only. Repeatable.  [default: both]",
)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Of the original, such as windows=4.")
@RUNS
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Table of answers to write."
)
def baselines(data: Path, **options: Any) -> None:  # noqa: ANN401 - as click hands them over
    """Answer the records out of fold in another way, on the same folds and labels.

    \b
    logistic    logistic regression on measurements of the median beat
    boosting    gradient boosting on the same measurements
    original    the networks of the original system, trained with few windows and epochs; takes hours, and goes on
                where it stopped if it is started again

    Look at the table with `python -m export compare DATA --before FILE`.

    \b
    Examples:
      python -m export baselines DATA --kind boosting --out boosting.csv
      python -m export baselines DATA --kind original --stage infarction --runs runs --out original.csv
      python -m export baselines DATA --kind original --set windows=4 --set epochs=12 --out original.csv
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from export.baselines.answers import answer_classical, answer_original, make_answers

    kind, changes = options["kind"], dict(_split_setting(change) for change in options["changes"])
    if changes and kind != "original":
        msg = f"--set changes the training of the original; {kind} has no settings to change"
        raise click.UsageError(msg)
    dataset = _read(data)
    if kind == "original":
        logits = answer_original(options["stages"], changes, dataset, options["runs"], say)
    else:
        logits = answer_classical(kind, options["stages"], dataset, say_on_terminal)
    make_answers(dataset, logits).save(options["out"])
    say(f"written to {options['out']}")


@main.command()
@DATA
@RUNS
def robustness(data: Path, runs: Path) -> None:
    """Disturb the recordings and print how many out-of-fold decisions change.

    \b
    Examples:
      python -m export robustness DATA
      python -m export robustness DATA --runs runs
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from export.robustness import measure_robustness, render_effects

    for line in render_effects(measure_robustness(_read(data), runs, say_on_terminal)):
        click.echo(line)


@main.command()
@DATA
@RUNS
@click.option("--out", type=_FOLDER, help="Also write the model into this folder of models, and its part of the card.")
def plausibility(data: Path, runs: Path, out: Path | None) -> None:
    """Print the out-of-fold tables of the plausibility network: false alarms and hits.

    \b
    Examples:
      python -m export plausibility DATA --runs runs
      python -m export plausibility DATA --runs runs --out onnx_models
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from export.plausibility.evaluation import Answers, render_table
    from export.plausibility.release import read_some, write_plausibility
    from export.vectors import write_vectors

    for line in render_table(Answers.read(runs)):
        click.echo(line)
    if out is not None:
        write_plausibility(runs, out, read_some(data))
        write_vectors(out)
        say(f"written to {out}")


@main.command("try")
@DATA
@click.option("--stage", type=click.Choice(["infarction", "localization"]), required=True)
@MORE
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Such as network.baseline=21.")
@click.option(
    "--runs", type=click.Path(file_okay=False, path_type=Path), help="Keep the weights here.  [default: nowhere]"
)
def try_settings(data: Path, stage: str, more: tuple[Path, ...], changes: tuple[str, ...], runs: Path | None) -> None:
    """Train the five folds with other settings and print their out-of-fold figures. Nothing that is shipped changes.

    \b
    Examples:
      python -m export try DATA --stage infarction --set training.seed=1
      python -m export try DATA --stage infarction --set network.baseline=21 --set training.seed=2
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    import tempfile

    from export.experiment import change_stage, try_stage
    from export.stages import STAGES

    changed = change_stage(STAGES[stage], dict(_split_setting(change) for change in changes))
    with tempfile.TemporaryDirectory() as folder:
        click.echo(f"{stage} {' '.join(changes)}: {try_stage(changed, _read(data, more), runs or Path(folder), say)}")


def _split_setting(change: str) -> tuple[str, str]:
    name, found, value = change.partition("=")
    if not found:
        msg = f"--set needs NAME=VALUE, found {change!r}"
        raise click.UsageError(msg)
    return name, value


@main.command()
@click.option("--out", type=click.Path(exists=True, file_okay=False, path_type=Path), default=EXAMPLES)
def examples(out: Path) -> None:
    """Make the two synthetic example recordings again.

    \b
    Examples:
      python -m export examples
      python -m export examples --out examples
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from export.synthetic import write_examples

    write_examples(out)
    say(f"written to {out}")


@main.command()
@click.argument("folder", type=_FOLDER)
def describe(folder: Path) -> None:
    """Write what programs in other languages need into a folder of models: NAME.json of each model, vectors.json.

    The models stay as they are. `convert` writes these files too.

    \b
    Examples:
      python -m export describe onnx_models
      python -m export describe my_models
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    from ecg_edge.errors import ModelError
    from ecg_edge.model.manifest import read_files
    from export.folder import write_spec
    from export.vectors import write_vectors

    try:
        for stage, file in read_files(folder, "models").items():
            write_spec(folder, stage, file.path.stem, file.content)
        write_vectors(folder)
    except ModelError as error:
        raise ExportError(str(error)) from error
    say(f"written to {folder}")


@main.command()
@click.argument("data", type=_FOLDER, required=False)
@RUNS
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="[default: onnx_models, with DATA]")
@click.option(
    "--fold",
    type=click.IntRange(0, 4),
    help="Export the networks of one fold, as the tests use them, instead of the final ones.",
)
@click.option("--binary", type=_FILE, help="Checkpoint of the original system's first stage.")
@click.option("--localization", type=_FILE, help="Checkpoint of the original system's second stage.")
@click.option("--scaler", type=_FILE, help="The original system's scaler.")
@click.option("--rule", type=click.Choice(["described", "notebook"]), default="described", show_default=True)
@click.option("--weights", type=click.Choice(["float32", "float16", "int8"]), default="float32", show_default=True)
@click.option("--data", "records", type=_FOLDER, help="Recordings on which float16 or int8 is compared with float32.")
@click.pass_context
def convert(context: click.Context, /, **values: Any) -> None:  # noqa: ANN401 - as click hands them over
    """Write the ONNX files, what belongs to them and the manifest, of our own networks or of the original ones.

    \b
    Own:       DATA [--runs FOLDER] [--fold N] [--out FOLDER]
    Original:  --binary CKPT.pt --localization CKPT.pt --scaler scaler_main.joblib --out FOLDER
               [--rule described|notebook] [--weights float32|float16|int8] [--data FOLDER]

    \b
    Examples:
      python -m export convert DATA --runs runs
      python -m export convert --binary b.pt --localization l.pt --scaler s.joblib --out original
    """  # noqa: D301 - click keeps the lines of a paragraph after this mark
    given = {name for name in values if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if given.isdisjoint(_ORIGINAL):
        _require(given, {"data"}, "our own networks")
        _convert_own(values["data"], values["runs"], values["out"] or MODELS, values["fold"])
    else:
        _require(given, {"binary", "localization", "scaler", "out"}, "the original system")
        if mixed := given & {"data", "runs", "fold"}:
            msg = f"{', '.join(sorted(mixed))}: only for our own networks, not for the original system's checkpoints"
            raise click.UsageError(msg)
        _convert_original(values)
    say(f"written to {values['out'] or MODELS}")


def _read(data: Path, more: tuple[Path, ...] = ()) -> "Dataset":
    from export.dataset import read_dataset

    say_on_terminal(f"reading the records in {data}")
    return read_dataset(data, more)


def _require(given: set[str], needed: set[str], what: str) -> None:
    if missing := needed - given:
        msg = f"to convert {what}, also pass {', '.join(sorted(missing))}"
        raise click.UsageError(msg)


def _convert_own(data: Path, runs: Path, out: Path, fold: int | None) -> None:
    from export.release import release, release_fold

    dataset = _read(data)
    if fold is None:
        release(dataset, runs, out, say_on_terminal)
    else:
        release_fold(dataset, runs, out, fold, say_on_terminal)


def _convert_original(values: dict[str, Any]) -> None:
    from export.original.release import Original, Settings, convert
    from export.original.rules import RULES

    original = Original({stage: values[option] for stage, option in _CHECKPOINTS.items()}, values["scaler"])
    settings = Settings(RULES[values["rule"]], values["weights"], values["records"])
    convert(original, settings, values["out"], say)


if __name__ == "__main__":
    main(prog_name="python -m export")
