"""The page of submissions in a browser."""

import csv
from io import StringIO

HEADER = "record_name,перегородочный,передний,боковой,передне-боковой,передне-перегородочный,нижний,норма"


def test_a_submission_comes_back_with_the_analysed_rows_filled_in(page, served, tmp_path, normal, infarction):
    served.wait(served.upload(("first.npy", infarction), ("second.npy", normal)))
    table = tmp_path / "sample_submission.csv"
    table.write_text(f"{HEADER}\nsecond,,,,,,,\nunknown,0,0,0,0,0,0,9\nfirst,,,,,,,\n", encoding="utf-8")
    page.open("/submission")
    page.find("#file").send_keys(str(table))
    page.find("#submission button").click()
    rows = list(csv.reader(StringIO(page.read_download("submission.csv").decode("utf-8-sig"))))
    assert ",".join(rows[0]) == HEADER
    assert rows[1] == ["second", "0", "0", "0", "0", "0", "0", "1"]
    assert rows[2] == ["unknown", "0", "0", "0", "0", "0", "0", "9"]
    assert rows[3] == ["first", "0", "0", "0", "0", "0", "1", "0"]
    assert page.find("#submission-status").text == "The table is downloaded. Filled in: 2 of 3 rows."


def test_a_table_of_another_kind_is_refused_with_the_reason(page, tmp_path):
    table = tmp_path / "other.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    page.open("/submission")
    page.find("#file").send_keys(str(table))
    page.find("#submission button").click()
    page.wait(lambda: "record_name" in page.find("#submission-status").text)
