"""Commands: train, evaluate, convert."""

from pathlib import Path

import click

from export.dataset import read_dataset
from export.errors import ExportError
from export.progress import say

DATA = click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
RUNS = click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default="runs", show_default=True)
EXAMPLES = Path(__file__).parents[1] / "examples"
MODELS = Path(__file__).parents[1] / "onnx_models"


class _OneLineErrors(click.Group):
    """Shows what the user can mend as one line, not as a traceback."""

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
@click.option("--stage", type=click.Choice(["infarction", "localization"]), required=True)
@RUNS
def train(data: Path, stage: str, runs: Path) -> None:
    """Train five folds grouped by patient, then the final network on all records.

    Started again after an interruption, it goes on with the first fold that is not finished.
    """
    from export.crossfit import train_stage
    from export.stages import STAGES

    train_stage(STAGES[stage], read_dataset(data), runs, say)


@main.command()
@DATA
@click.option(
    "--answers", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=MODELS / "out_of_fold.csv"
)
def evaluate(data: Path, answers: Path) -> None:
    """Print the table of out-of-fold figures with their intervals."""
    from export.evaluation import evaluate as measure
    from export.evaluation import table
    from export.out_of_fold import Answers

    for line in table(measure(read_dataset(data), Answers.read(answers))):
        click.echo(line)


@main.command()
@click.option("--out", type=click.Path(exists=True, file_okay=False, path_type=Path), default=EXAMPLES)
def examples(out: Path) -> None:
    """Make the two synthetic example recordings anew."""
    from export.synthetic import write_examples

    write_examples(out)
    say(f"written to {out}")


@main.command()
@DATA
@RUNS
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=MODELS)
@click.option(
    "--fold", type=int, help="Export the networks of one fold, as the tests use them, instead of the final ones."
)
def convert(data: Path, runs: Path, out: Path, fold: int | None) -> None:
    """Write the ONNX files, the manifest, the stored answers and the model card."""
    from export.release import release, release_fold

    dataset = read_dataset(data)
    if fold is None:
        release(dataset, runs, out)
    else:
        release_fold(dataset, runs, out, fold)
    say(f"written to {out}")


if __name__ == "__main__":
    main(prog_name="python -m export")
