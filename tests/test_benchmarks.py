"""The benchmark suite as its user runs it, briefly: that it measures, not how fast."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import explain
from benchmarks.__main__ import _BENCHMARKS
from benchmarks.original_ways import Case, run_batched, run_window_by_window
from benchmarks.suite import batch
from ecg_edge.bench.records import write_records
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.timing import Effort
from ecg_edge.model import session as model
from export.original.rules import NOTEBOOK

PROJECT = Path(__file__).parents[1]
NAMES = ("one_record", "overhead", "stages", "models", "length")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("made")
    write_records(made, 5)
    return made


@pytest.fixture(scope="module")
def results(tmp_path_factory, folder):
    out = tmp_path_factory.mktemp("out") / "short"
    only = [word for name in NAMES for word in ("--only", name)]
    options = ["--repeat", "1", "--seconds", "0", "--longest", "60", "--data", folder, "--out", out]
    subprocess.run([sys.executable, "-m", "benchmarks", *only, *options], check=True, cwd=PROJECT)
    return out


def test_a_short_run_writes_rows_a_page_and_a_chart(results):
    report = json.loads(results.with_suffix(".json").read_bytes())
    assert {row["benchmark"] for row in report["rows"]} == set(NAMES)
    names = [(row["benchmark"], row["name"]) for row in report["rows"]]
    assert len(names) == len(set(names))
    for row in report["rows"]:
        assert 0 < row["minimum"] <= row["median"]
        assert row["n"] == len(row["samples"])
        assert row["machine"]
    page = results.with_suffix(".md").read_text()
    assert all(f"| {benchmark} | {name} |" in page for benchmark, name in names)
    assert "![" in page
    assert "<svg" in results.with_suffix(".svg").read_text()


def test_the_documentation_shows_the_headline_of_the_stored_results():
    stored = (PROJECT / "benchmarks/results/latest.md").read_text(encoding="utf-8")
    start = stored.index("| | |")
    assert stored[start : stored.index("\n\n", start)] in (PROJECT / "docs/benchmarks.md").read_text(encoding="utf-8")


def test_every_benchmark_can_be_named_and_run():
    assert {"full_set", "cold_start", "batch", "original", "whole_process"} <= set(_BENCHMARKS)
    assert all(callable(import_module(module).measure) for module in _BENCHMARKS.values())


def test_a_provider_that_is_not_there_is_one_line(folder):
    command = [sys.executable, "-m", "benchmarks", "--provider", "cuda", "--only", "batch", "--data", folder]
    result = subprocess.run(command, capture_output=True, check=False, text=True, cwd=PROJECT)
    assert result.returncode == 1
    assert result.stderr.startswith("error: CUDAExecutionProvider was requested")
    assert len(result.stderr.splitlines()) == 1


def test_a_benchmark_that_fails_leaves_the_rows_of_the_others(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "99999.npy").write_bytes(b"\x93NUMPY")
    out = tmp_path / "out" / "some"
    only = ["--only", "full_set", "--only", "cold_start", "--repeat", "1", "--data", tmp_path, "--out", out]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks", *only], capture_output=True, check=False, text=True, cwd=PROJECT
    )
    assert result.returncode == 1
    assert "error: full_set: 99999 cannot be answered" in result.stderr
    assert {row["benchmark"] for row in json.loads(out.with_suffix(".json").read_bytes())["rows"]} == {"cold_start"}


def test_on_a_gpu_the_curve_is_set_beside_a_core(folder, monkeypatch):
    monkeypatch.setitem(model.PROVIDERS, "cuda", "CPUExecutionProvider")
    monkeypatch.setattr(batch, "_SIZES", {"cpu": (1,), "cuda": (1, 2)})
    rows = list(batch.measure(Setup(folder, Effort(1, 0), "cuda")))
    stages = ("infarction", "localization")
    for stage in stages:
        assert {f"{stage}: 1 a call", f"{stage}: 2 a call", f"{stage}: on a CPU core, 1 a call"} <= {
            r.name for r in rows
        }
    assert all(row.median > 0 for row in rows)


def test_the_original_answers_alike_window_by_window_and_batched():
    ecg = np.random.default_rng(0).normal(0, 0.3, (12, 5000)).astype(np.float32)
    case = Case(NOTEBOOK, "infarction", ecg, "cpu")
    ways = [make(case) for make in (run_window_by_window, run_batched)]
    assert [way.windows for way in ways] == [6, 6]
    one, other = (way.call() for way in ways)
    np.testing.assert_allclose(one, other, atol=1e-5)


def report(processor="a", **rows):
    values = {"cores": 2, "memory_mib": 1, "system": "s", "gpu": None, "provider": "p", "threads": 2, "records": "r"}
    made = [
        {
            "benchmark": "b",
            "name": name,
            "unit": unit,
            "samples": samples,
            "median": float(np.median(samples)),
            "higher_is_better": unit == "records/s",
        }
        for name, (unit, samples) in rows.items()
    ]
    return {"environment": {"processor": processor, **values}, "rows": made}


@pytest.fixture
def compare(tmp_path):
    def run(base, new, *options):
        for name, content in (("base", base), ("new", new)):
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        command = [sys.executable, PROJECT / "benchmarks/compare.py", tmp_path / "base.json", tmp_path / "new.json"]
        result = subprocess.run([*command, *options], capture_output=True, check=False, text=True)
        return result.returncode, result.stdout

    return run


STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]


def verdicts(output):
    return {line.split(": ")[-1]: line[:16].strip() for line in output.splitlines() if "%" in line}


def test_what_changed_beyond_noise_is_said(compare):
    noisy = [1.0, 0.6, 1.4, 0.8, 1.3, 1.1]
    base = report(same=("ms", STEADY), slow=("ms", STEADY), fast=("ms", STEADY), rate=("records/s", STEADY))
    base["rows"] += report(noisy=("ms", noisy), few=("ms", [1.0]), file=("KiB", [100.0]))["rows"]
    doubled = [2 * value for value in STEADY]
    halved = [value / 2 for value in STEADY]
    new = report(same=("ms", STEADY[::-1]), slow=("ms", doubled), fast=("ms", halved), rate=("records/s", doubled))
    new["rows"] += report(noisy=("ms", [1.2 * value for value in noisy]), few=("ms", [2.0]), file=("KiB", [99.0]))[
        "rows"
    ]
    status, output = compare(base, new)
    assert status == 0
    assert verdicts(output) == {
        "same": "no change",
        "slow": "slower",
        "fast": "faster",
        "rate": "faster",
        "noisy": "no change",
        "few": "too few samples",
        "file": "smaller",
    }


def test_the_comparison_fails_only_when_asked_and_only_over_the_limit(compare):
    base, new = report(slow=("ms", STEADY)), report(slow=("ms", [1.2 * value for value in STEADY]))
    assert compare(base, new)[0] == 0
    assert compare(base, new, "--fail-over", "30")[0] == 0
    assert compare(base, new, "--fail-over", "10")[0] == 1
    assert compare(new, base, "--fail-over", "10")[0] == 0


def test_different_machines_are_not_compared_in_silence(compare):
    base, new = report(a=("ms", STEADY)), report("another", a=("ms", STEADY))
    status, output = compare(base, new)
    assert status == 0
    assert output.startswith("CAUTION: processor was a, is another")
    assert compare(base, new, "--fail-over", "10")[0] == 1


def test_rows_of_one_run_alone_are_counted(compare):
    _, output = compare(report(a=("ms", STEADY), b=("ms", STEADY)), report(b=("ms", STEADY), c=("ms", STEADY)))
    assert "gone: 1 rows of b" in output
    assert "added: 1 rows of b" in output


def test_explanations_are_counted_for_each_way_of_taking_leads_away(folder):
    result = CliRunner().invoke(explain.main, [str(folder)])
    assert result.exit_code == 0, result.output
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in result.output.splitlines()[2:] if "|" in line]
    ways = ("flat", "flat, limb leads consistent", "as expected without infarction")
    assert [row[:2] for row in rows] == [[way, site] for way in ways for site in ("any", "inferior")]
    assert all(cell.startswith("100.0%") and cell.endswith("1 of 1") for row in rows[-2:] for cell in row[2:])
    assert float(re.search(r"takes ([\d.]+) times", result.output)[1]) > 1
