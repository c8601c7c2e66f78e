"""Labelled records whose answers are known: the tiny models answer sigmoid(10 * mean of a lead - 5)."""

import json
from inspect import signature

import pytest
from click.testing import CliRunner
from labelled import write_labels, write_record

from ecg_edge.cli.app import main

# From click 8.2 on, standard error is apart by itself.
APART = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}


@pytest.fixture
def example(tmp_path):
    """12 infarctions, of which 2 are missed, and 12 others, of which 3 are false alarms; rows of their labels."""
    millivolts = {1: [0.8] * 10 + [0.3] * 2, 0: [0.2] * 9 + [0.7] * 3}
    rows = []
    for truth, values in millivolts.items():
        for i, value in enumerate(values):
            name = f"{'ill' if truth else 'well'}{i:02}"
            # Half of the infarctions are inferior (aVF), the others septal (I, as infarction itself).
            inferior = truth and i % 2
            write_record(tmp_path / "records" / f"{name}.npy", I=value, aVF=0.9 if inferior else 0.1)
            rows.append({"record_name": name, "mi": truth, "site": ["", "septal", "inferior"][truth + inferior]})
    return tmp_path / "records", rows


@pytest.fixture
def evaluate(tiny_folder, tmp_path):
    """Run the command on the tiny models, without the gate, which refuses flat leads."""

    def run(folder, labels, *options, gate=False, models=tiny_folder):
        if not hasattr(labels, "read_text"):
            labels = write_labels(tmp_path / "labels.csv", labels)
        settings = ["--models", models, "--threads", 1, *([] if gate else ["--no-quality-gate"])]
        return CliRunner(**APART).invoke(main, ["evaluate", *map(str, [folder, labels, *settings, *options])])

    return run


@pytest.fixture
def measure(evaluate):
    """Run the command and return the JSON object."""

    def run(*arguments, **keywords):
        result = evaluate(*arguments, "--format", "json", **keywords)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout, parse_constant=pytest.fail)

    return run
