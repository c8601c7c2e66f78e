"""The 449 real test records: files to findings."""

import csv

import numpy as np

from ecg_edge import submission
from ecg_edge.readers import find_records


def test_all_449_records_are_answered_and_fill_the_submission(records, shipped):
    findings = list(shipped.detect_many(find_records(records / "test")))
    assert len(findings) == 449
    assert {finding.status for finding in findings} == {"detected", "not_detected"}
    share = np.mean([finding.status == "detected" for finding in findings])
    assert 0.1 < share < 0.35  # about one record in five is an infarction
    sample = submission.read_sample(records / "sample_submission.csv")
    rows = list(csv.reader(submission.fill_in(findings, sample, print)))
    assert [row[0] for row in rows] == [row[0] for row in sample]
    for row in rows[1:]:
        well = row[-1] == "1"
        assert not (well and "1" in row[1:-1])
    assert sum(row[-1] == "1" for row in rows[1:]) == sum(finding.status == "not_detected" for finding in findings)
