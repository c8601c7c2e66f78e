"""The list: order, search, filters, pages, export, submission."""

import csv
import io
import json

import numpy as np
import pytest
from served import form_token, npy

from ecg_edge.findings import Finding
from ecg_edge.package_data import example_recordings
from ecg_edge.submission import HEADER

NAMES = ["anna", "Anna_2", "annabel", "bert", "берта", "hanna"]


@pytest.fixture(scope="module")
def filled(serve, tmp_path_factory, normal, infarction):
    """A server with records of known names; bert and берта have an infarction."""
    served = serve(tmp_path_factory.mktemp("filled") / "data")
    for name in NAMES:
        served.wait(served.upload((f"{name}.npy", infarction if name in ("bert", "берта") else normal)))
    served.wait(served.upload(("silent.npy", npy(np.zeros((12, 5000), np.float32)))))
    return served


def names(served, **query):
    answer = served.client.get("/v1/records", params=query)
    assert answer.status_code == 200, answer.text
    return [record["name"] for record in answer.json()["records"]]


def test_the_newest_record_comes_first(filled):
    assert names(filled) == ["silent", *reversed(NAMES)]


def test_a_search_finds_the_exact_name_first_then_beginnings_in_any_capitals(filled):
    assert names(filled, q="ANNA") == ["anna", "annabel", "Anna_2"]
    assert names(filled, q="Берт") == ["берта"]
    assert names(filled, q="nna") == names(filled, q="%") == names(filled, q="_") == names(filled, q="*") == []


def test_findings_and_sites_filter_the_list(filled):
    assert names(filled, finding="infarction") == ["берта", "bert"]
    assert names(filled, finding="cannot_analyse") == ["silent"]
    assert names(filled, finding="none", q="h") == ["hanna"]
    assert names(filled, site="inferior") == ["берта", "bert"]
    assert names(filled, site="septal") == names(filled, finding="pending") == names(filled, finding="failed") == []
    assert filled.client.get("/v1/records", params={"finding": "healthy"}).status_code == 422


def test_the_most_probable_come_first_and_those_without_an_answer_last(filled):
    sorted_names = names(filled, sort="probability")
    assert sorted_names[:2] == ["берта", "bert"]
    assert sorted_names[-1] == "silent"


def test_pages_hold_each_record_once(filled):
    pages = [filled.client.get("/v1/records", params={"page": page, "per_page": 3}).json() for page in (1, 2, 3, 4)]
    assert [record["name"] for page in pages for record in page["records"]] == ["silent", *reversed(NAMES)]
    assert all((page["pages"], page["total"], page["per_page"]) == (3, 7, 3) for page in pages)


def test_the_page_shows_what_the_interface_lists(filled):
    browser = filled.browser()
    page = browser.get("/", params={"finding": "infarction"}).text
    assert page.index("берта") < page.index("bert")
    assert "hanna" not in page
    # What a page does not offer counts as not asked.
    for odd in ({"page": "-1"}, {"page": "9" * 30}, {"sort": "x"}, {"finding": "x"}, {"site": "\0"}, {"page": "²"}):
        assert browser.get("/", params=odd).status_code == 200


def test_the_record_page_has_statement_and_pictures(filled):
    (record,) = filled.client.get("/v1/records", params={"q": "bert"}).json()["records"]
    page = filled.browser().get(record["url"])
    assert page.status_code == 200
    for text in ("bert", f"/v1/records/{record['id']}/ecg.svg", f"/v1/records/{record['id']}/report.html"):
        assert text in page.text


def test_the_paper_has_the_layout_that_is_asked_for(filled):
    (record,) = filled.client.get("/v1/records", params={"q": "bert"}).json()["records"]
    base = f"/v1/records/{record['id']}"
    usual = filled.client.get(f"{base}/ecg.svg")
    assert usual.headers["content-type"].startswith("image/svg+xml")
    assert "25 mm/s, 10 mm/mV" in usual.text
    other = filled.client.get(f"{base}/ecg.svg", params={"layout": "6x2", "speed": 50, "gain": 20, "start": 2.5})
    assert "50 mm/s, 20 mm/mV" in other.text
    assert "layout 6x2" in other.text
    assert "drawn from 2.5 to 7.5 s" in other.text
    for wrong in ({"layout": "9x9"}, {"speed": 30}, {"gain": 0}, {"start": -1}, {"start": 11}, {"start": "nan"}):
        answer = filled.client.get(f"{base}/ecg.svg", params=wrong)
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"
    page = filled.client.get(f"{base}/report.html")
    assert "attachment" in page.headers["content-disposition"]
    assert page.text.count("<figure>") == 1
    assert "<path" in filled.client.get(f"{base}/trace.svg").text


def test_samples_are_those_of_the_file_in_millivolts(filled):
    (record,) = filled.client.get("/v1/records", params={"q": "bert"}).json()["records"]
    url = f"/v1/records/{record['id']}/samples"
    found = filled.client.get(url, params={"start": 1, "end": 2.5}).json()
    signal = np.load(example_recordings() / "inferior_infarction.npy")
    assert (found["sampling_rate"], found["start"]) == (500, 1)
    np.testing.assert_allclose(found["leads"]["V2"], signal[7, 500:1250], atol=1e-4)
    assert list(found["leads"]) == ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert filled.client.get(url, params={"start": 3, "end": 3}).status_code == 422
    assert filled.client.get(url, params={"start": 30, "end": 40}).status_code == 422


def test_missing_samples_are_null(filled, infarction):
    signal = np.load(io.BytesIO(infarction)).astype(np.float32)
    signal[3, 10:20] = np.nan
    (record,) = filled.wait(filled.upload(("gap.npy", npy(signal))))["records"]
    found = filled.client.get(f"/v1/records/{record['id']}/samples", params={"end": 1}).json()
    assert found["leads"]["aVR"][9:21].count(None) == 10
    assert filled.client.delete(f"/v1/records/{record['id']}").status_code == 204


def table(*rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    return text.getvalue().encode()


@pytest.mark.parametrize("way", ["table", "form", "page"])
def test_a_submission_comes_back_in_its_order_with_the_answers(filled, way):
    sample = table(["bert", *"0000000"], ["unknown", *"1234567"], ["anna", *"0000000"], ["silent", *"0000000"])
    if way == "table":
        answer = filled.client.post("/v1/submission", content=sample, headers={"Content-Type": "text/csv"})
    elif way == "form":
        answer = filled.client.post("/v1/submission", files={"file": ("sample.csv", sample)})
    else:
        browser = filled.browser()
        token = form_token(browser.get("/submission"))
        answer = browser.post("/v1/submission", files={"file": ("sample.csv", sample)}, data={"token_of_form": token})
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows == [
        HEADER,
        ["bert", "0", "0", "0", "0", "0", "1", "0"],
        ["unknown", *"1234567"],
        ["anna", "0", "0", "0", "0", "0", "0", "1"],
        ["silent", *"0000000"],
    ]
    assert (answer.headers["x-rows"], answer.headers["x-rows-filled"]) == ("4", "2")


def test_two_recordings_of_one_name_are_filled_in_only_if_they_are_equal(filled, normal, infarction):
    sample = table(["twice", *"0000000"])
    first, again = (filled.wait(filled.upload(("twice.npy", normal)))["records"][0]["id"] for _ in range(2))
    answer = filled.client.post("/v1/submission", content=sample, headers={"Content-Type": "text/csv"})
    assert answer.text.splitlines()[1] == "twice,0,0,0,0,0,0,1"
    other = filled.wait(filled.upload(("twice.npy", infarction)))["records"][0]["id"]
    answer = filled.client.post("/v1/submission", content=sample, headers={"Content-Type": "text/csv"})
    assert answer.text.splitlines()[1] == "twice,0,0,0,0,0,0,0"
    assert answer.headers["x-rows-filled"] == "0"
    for record in (first, again, other):
        assert filled.client.delete(f"/v1/records/{record}").status_code == 204


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\0", b'"', "record_name,норма\n".encode()])
def test_what_is_no_submission_is_refused(filled, content):
    answer = filled.client.post("/v1/submission", content=content, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_everything_is_exported_as_the_command_line_writes_it(filled):
    lines = filled.client.get("/v1/export.jsonl").text.splitlines()
    assert [json.loads(line)["record"] for line in lines] == ["silent", *reversed(NAMES)]
    for line in lines:
        assert json.loads(json.dumps(Finding.from_dict(json.loads(line)).to_dict())) == json.loads(line)
    rows = list(csv.DictReader(io.StringIO(filled.client.get("/v1/export.csv").text)))
    assert [row["record"] for row in rows] == ["silent", *reversed(NAMES)]
    assert [row["status"] for row in rows if row["record"] == "bert"] == ["detected"]
