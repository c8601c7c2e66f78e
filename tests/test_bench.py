"""Speed is not tested here, only that it is measured."""

import json
import subprocess
import sys

import numpy as np
import pytest

from ecg_edge import Recording
from ecg_edge.bench import suite
from ecg_edge.bench.child import ChildError, run_python
from ecg_edge.bench.machine import describe_machine
from ecg_edge.bench.memory import AllocatedPeak, read_peak_mib
from ecg_edge.bench.records import write_records
from ecg_edge.bench.report import Report, render_text
from ecg_edge.bench.row import Row
from ecg_edge.bench.runner import find_benchmarks
from ecg_edge.bench.setup import Setup
from ecg_edge.bench.suite.threads import list_counts
from ecg_edge.bench.timing import Effort, interleave_calls
from ecg_edge.readers import find_records


def bench(*arguments):
    command = [sys.executable, "-m", "ecg_edge", "bench", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def test_a_short_run_measures_everything():
    result = bench("--format", "json", "--seconds", "1", "--threads", "2")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert {row["benchmark"] for row in report["rows"]} == set(find_benchmarks(suite))
    for row in report["rows"]:
        assert 0 < row["minimum"] <= row["median"]
        assert row["interquartile_range"] >= 0
        assert row["n"] == len(row["samples"]) >= 1
        assert row["provider"] in ("CPUExecutionProvider", "none")
        assert row["machine"].startswith(report["environment"]["processor"])
        assert "onnxruntime" in row["versions"]


def test_people_read_where_it_was_measured_and_each_row_in_a_line(tmp_path):
    setup = Setup(tmp_path, Effort(1, 0))
    rows = (
        Row("all of it", "s", (0.5,), {"budget_s": 5.0, "top": {"a": 1}}, benchmark="full_set"),
        Row("whole", "ms", (1.0, 123.4, 0.001), benchmark="one_record"),
    )
    lines = list(render_text(Report(describe_machine(setup, "a few made"), rows)))
    assert lines[0] == describe_machine(setup, "").machine
    assert "records: a few made" in lines
    assert [line.split() for line in lines if line.startswith("  ")] == [
        ["all", "of", "it", "0.5", "0.5", "0", "1", "s", "budget", "5", "s"],
        ["whole", "1", "0.0010", "61.7", "3", "ms"],
    ]


def test_a_provider_that_is_not_there_is_one_line():
    result = bench("--provider", "cuda")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: CUDAExecutionProvider was requested")
    assert len(result.stderr.splitlines()) == 1


def test_rounds_are_interleaved():
    order = []
    costs = interleave_calls({name: lambda name=name: order.append(name) for name in "ab"}, Effort(3, 60))
    assert "".join(order) == "ababab"
    assert all(len(rounds) == 3 and min(cost.wall for cost in rounds) >= 0 for rounds in costs.values())


def test_without_time_there_is_still_one_sample():
    assert len(interleave_calls({"a": lambda: None}, Effort(100, 0))["a"]) == 1


def test_a_row_says_middle_and_spread():
    row = Row("r", "ms", (4.0, 1.0, 2.0, 3.0, 100.0))
    assert (row.median, row.minimum, row.interquartile_range) == (3, 1, 2)


def test_made_records_are_like_real_ones(tmp_path, shipped):
    write_records(tmp_path, 10)
    recordings = [record.read() for record in find_records(tmp_path)]
    lead_1, lead_2, lead_3, avr, avl, avf = recordings[0].signal[:6]
    for residual in (lead_3 - lead_2 + lead_1, avr + (lead_1 + lead_2) / 2, avl + avf - lead_1 / 2 - lead_2 / 2):
        assert np.abs(residual).max() < 0.01
    assert all(recording.signal.flags.f_contiguous and recording.signal.dtype == np.float32 for recording in recordings)
    statuses = [finding.status for finding in shipped.detect_many(recordings)]
    assert statuses == (["detected"] + ["not_detected"] * 4) * 2


def test_a_process_that_fails_is_an_error_with_its_last_line():
    with pytest.raises(ChildError, match="failed: oh no"):
        run_python("-c", "raise SystemExit('well\\noh no')")


def test_memory_is_seen(shipped):
    with AllocatedPeak() as peak:
        hold = np.ones(20_000_000)
        shipped.detect(Recording(np.zeros((12, 100_000), np.float32)))
    assert peak.mib > hold.nbytes / 2**20
    assert read_peak_mib() >= hold.nbytes / 2**20


def test_thread_counts_reach_the_most_in_few_steps():
    assert list_counts(1) == [1]
    assert list_counts(6) == [1, 2, 3, 4, 6]
    assert list_counts(16) == [1, 2, 3, 4, 8, 16]
