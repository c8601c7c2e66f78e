"""Mistakes that somebody looked at, counted for the card."""

import pytest

from ecg_edge.package_data import shipped_models
from export.errors import ExportError
from export.mistakes import read_mistakes, render_mistakes
from export.out_of_fold import FILE, Answers
from export.stages import MODEL_VERSION

HEADER = "version,record,kind,probability,group,doubted\n"


def test_mistakes_of_the_version_are_counted_by_group(tmp_path):
    table = tmp_path / "mistakes.csv"
    table.write_text(
        HEADER + "7,a,missed,0.01,no Q wave,1\n7,b,missed,0.02,Q in III only,0\n7,c,missed,0.03,no Q wave,0\n"
        "7,d,false alarm,0.99,bundle branch block,0\n6,e,missed,0.01,no Q wave,0\n"
    )
    lines = list(render_mistakes(read_mistakes("7", table)))
    assert lines[0] == "| Missed infarctions: the 3 worst, by what the ECG shows | records |"
    assert lines[2:4] == ["| no Q wave | 2 |", "| Q in III only | 1 |"]
    assert "| bundle branch block | 1 |" in lines
    assert next(render_mistakes(read_mistakes("8", table))) == "Nobody has looked at the mistakes of this version yet."


@pytest.mark.parametrize("text", ["a,b\n1,2\n", HEADER + "7,a,missed,high,no Q wave,0\n"])
def test_another_table_is_named(tmp_path, text):
    table = tmp_path / "mistakes.csv"
    table.write_text(text)
    with pytest.raises(ExportError, match=r"mistakes\.csv must be a table with the columns version, record"):
        read_mistakes("7" if "7" in text else "1", table)


def test_the_shipped_table_is_about_mistakes_of_the_shipped_answers():
    answers = Answers.read(shipped_models() / FILE)
    at = {name: row for row, name in enumerate(answers.names)}
    for mistake in read_mistakes(MODEL_VERSION):
        row = at[mistake.record]
        assert bool(answers.found[row, 0]) == (mistake.kind == "false alarm")
        assert answers.probability[row, 0] == pytest.approx(mistake.probability, abs=1e-3)
