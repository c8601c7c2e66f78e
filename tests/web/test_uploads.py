"""Recordings go in, answers come out."""

import json

import numpy as np
import pytest
from run_command import ecg_edge
from served import npy, zipped
from written import write_csv, write_dicom, write_edf, write_wfdb

from ecg_edge.package_data import example_recordings


def names(upload, status):
    return {file["name"]: file.get("reason") for file in upload["files"] if file["status"] == status}


def test_a_mixed_archive_gives_answers_and_a_reason_for_each_bad_file(served, normal, infarction):
    archive = zipped(
        well__npy=normal, ill__npy=infarction, broken__npy=normal[:5000], readme__txt=b"hello", old__scp=b"\0" * 99
    )
    upload = served.upload(("mixed.zip", archive), ("alone.npy", normal), ("notes.docx", b"PK but no archive"))
    assert names(upload, "accepted") == {"mixed.zip": None, "alone.npy": None}
    refused = names(upload, "refused")
    assert "cut off" in refused["mixed.zip/broken.npy"]
    assert "SCP" in refused["mixed.zip/old.scp"]
    assert "not a valid .zip" in refused["notes.docx"]
    progress = served.wait(upload)
    assert [record["name"] for record in progress["records"]] == ["ill", "well", "alone"]
    assert (progress["total"], progress["done"], progress["failed"]) == (3, 3, 0)
    answers = {
        record["name"]: served.client.get(f"/v1/records/{record['id']}").json() for record in progress["records"]
    }
    assert answers["ill"]["finding"] == "infarction"
    assert [site["name"] for site in answers["ill"]["sites"] if site["found"]] == ["inferior"]
    assert answers["well"]["finding"] == answers["alone"]["finding"] == "none"


def test_the_answer_is_that_of_the_command_line(served, infarction):
    record = served.client.post("/v1/records?wait=30", files={"file": ("inferior_infarction.npy", infarction)})
    assert record.status_code == 200
    path = example_recordings() / "inferior_infarction.npy"
    expected = json.loads(ecg_edge(path, "--format", "json", "--windows").stdout)[0]
    answer = record.json()["answer"]
    assert answer.pop("source") == "inferior_infarction.npy"
    expected.pop("source")
    # The worker may answer several records in one call, whose last bits differ.
    assert answer.pop("timeline")["probability"] == pytest.approx(expected.pop("timeline")["probability"], abs=1e-6)
    for sites in (answer["sites"], expected["sites"]):
        for site in sites:
            site.pop("timeline")
    assert flat(answer) == pytest.approx(flat(expected), abs=1e-6)


def flat(value, at=""):
    """All numbers and texts of an object by their place."""
    if isinstance(value, dict):
        return {place: leaf for key, part in value.items() for place, leaf in flat(part, f"{at}.{key}").items()}
    if isinstance(value, list):
        return {place: leaf for key, part in enumerate(value) for place, leaf in flat(part, f"{at}.{key}").items()}
    return {at: value}


def test_every_format_is_read_and_a_header_finds_the_signal_file_beside_it(served, tmp_path):
    signal = np.load(example_recordings() / "inferior_infarction.npy")
    for write, name in ((write_csv, "a.csv"), (write_edf, "b.edf"), (write_wfdb, "c.hea"), (write_dicom, "d.dcm")):
        write(tmp_path / name, signal)
    files = [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())]
    assert [name for name, _ in files] == ["a.csv", "b.edf", "c.dat", "c.hea", "d.dcm"]
    upload = served.upload(*files)
    assert names(upload, "refused") == {}
    progress = served.wait(upload)
    found = [served.client.get(f"/v1/records/{record['id']}").json() for record in progress["records"]]
    assert [(record["name"], record["finding"]) for record in found] == [(name, "infarction") for name in "abcd"]


def test_what_a_table_does_not_state_can_be_stated_in_the_form(served):
    signal = np.load(example_recordings() / "inferior_infarction.npy")
    head = "I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6\n"
    table = (head + "\n".join(",".join(f"{value * 1000:.0f}" for value in row) for row in signal.T)).encode()
    refused = names(served.upload(("t.csv", table)), "refused")
    assert 'the field "sampling_rate"' in refused["t.csv"]
    upload = served.upload(("t.csv", table), sampling_rate="500", units="uV", leads="", gain="")
    (record,) = served.wait(upload)["records"]
    assert served.client.get(f"/v1/records/{record['id']}").json()["finding"] == "infarction"
    wrong = served.client.post("/v1/uploads", files={"files": ("t.csv", table)}, data={"sampling_rate": "fast"})
    assert wrong.status_code == 422
    assert "sampling_rate" in wrong.json()["detail"]


def test_an_array_with_leads_rate_and_units_is_answered(served):
    signal = np.load(example_recordings() / "inferior_infarction.npy")[:, ::-1][:, ::-1] * 1000
    rows: list = np.round(signal).tolist()
    rows[7][100] = None
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    body = {"signal": rows, "sampling_rate": 500, "leads": leads, "units": "uV", "name": "bed 7"}
    record = served.client.post("/v1/records?wait=30", json=body)
    assert record.status_code == 200, record.text
    assert record.json()["name"] == "bed 7"
    assert record.json()["answer"]["status"] == "detected"
    assert "not_finite" in {note["code"] for note in record.json()["answer"]["warnings"]}
    for change in ({"units": "furlong"}, {"leads": leads[:3]}, {"signal": rows[:2]}, {"sampling_rate": 0}):
        refused = served.client.post("/v1/records", json=body | change)
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"


def test_what_the_quality_gate_refuses_is_done_and_what_has_a_wrong_rate_has_failed(served):
    upload = served.upload(("flat.npy", npy(np.zeros((12, 5000), np.float32))), ("fast.npy", npy(np.ones((12, 99)))))
    progress = served.wait(upload)
    records = {record["name"]: record for record in progress["records"]}
    assert records["flat"]["status"] == records["fast"]["status"] == "done"
    flat_record = served.client.get(f"/v1/records/{records['flat']['id']}").json()
    assert flat_record["finding"] == "cannot_analyse"
    assert flat_record["reason"]
    slow = served.upload(("slow.npy", npy(np.ones((12, 5000), np.float32))), sampling_rate="20")
    (record,) = served.wait(slow)["records"]
    assert record["status"] == "failed"
    found = served.client.get(f"/v1/records/{record['id']}").json()
    assert "20 Hz" in found["reason"]
    assert served.browser().get(f"/records/{record['id']}").status_code == 200


def test_a_file_with_several_recordings_is_no_single_record(served, normal, infarction):
    before = served.client.get("/v1/records").json()["total"]
    answer = served.client.post("/v1/records", files={"file": ("two.zip", zipped(a__npy=normal, b__npy=infarction))})
    assert answer.status_code == 422
    assert "2 recordings" in answer.json()["detail"]
    assert served.client.get("/v1/records").json()["total"] == before
