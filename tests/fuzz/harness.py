"""Damaged and made-up input for each reader and the command line: only the package's own errors may come out."""

import tempfile
import time
import warnings
from collections import Counter
from contextlib import chdir
from functools import cache
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from fuzz.strategies import SIGNAL
from tiny import write_models

from ecg_edge.cli.app import main
from ecg_edge.errors import EcgEdgeError
from ecg_edge.readers import Declared, find_records

EXECUTIONS: Counter[str] = Counter()
# Of the processor: the machine may be busy with other things.
LONGEST_S = 5


def put(folder: Path, suffix: str, content: bytes) -> Path:
    """Write a file, with the samples that a WFDB header needs."""
    path = folder / f"a{suffix}"
    path.write_bytes(content)
    if suffix == ".json":  # the sidecar of an array
        np.save(folder / "a.npy", SIGNAL)
        return folder / "a.npy"
    if suffix == ".hea":
        (folder / "a.dat").write_bytes(np.round(SIGNAL.T * 1000).astype("<i2").tobytes())
    return path


def read_one(suffix: str, content: bytes, declared: Declared) -> None:
    """Read a file as a batch does; raise AssertionError for anything but answers and the package's errors."""
    EXECUTIONS[f"reader {suffix}"] += 1
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for record in find_records(put(Path(folder), suffix, content), declared):
            try:
                recording = record.read()
                recording.stretch(0, min(recording.samples, 5000))
                recording.stretch(max(0, recording.samples - 1000), recording.samples)
            except EcgEdgeError as error:
                assert "\n" not in str(error), repr(error)
                assert len(str(error)) < 2000, repr(error)
    assert time.process_time() - started < LONGEST_S


@cache
def _tiny_models() -> str:
    return str(write_models(Path(tempfile.mkdtemp(prefix="ecg_edge_fuzz"))))


def run_one(suffix: str, content: bytes, options: list[list[str]], paths: list[str]) -> None:
    """Run a command line in this process; raise AssertionError for a traceback or an unknown status."""
    EXECUTIONS["command line"] += 1
    started = time.process_time()
    runner = CliRunner()
    with tempfile.TemporaryDirectory() as folder, chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        put(Path.cwd(), suffix, content)
        words = [
            "run",
            f"a{suffix}",
            *paths,
            "--models",
            _tiny_models(),
            *(word for option in options for word in option),
        ]
        result = runner.invoke(main, words, input=content)
        assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exc_info)
        assert result.exit_code in {0, 1, 2}, (words, result.output)
        assert "Traceback" not in result.output, words
        assert not [path for path in Path.cwd().iterdir() if path.name.startswith(".")], words
    assert time.process_time() - started < LONGEST_S
