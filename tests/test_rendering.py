import csv
import io
import json

import pytest

from ecg_edge import rendering, submission
from ecg_edge.errors import UnreadableError
from ecg_edge.findings import Finding, ModelProvenance, Note, Provenance, SiteFinding

PROVENANCE = Provenance("0", "CPUExecutionProvider", (ModelProvenance("m", "1", "ab"),))
SITES = ("septal", "anterior", "lateral", "anterolateral", "anteroseptal", "inferior")


def detected(record="a", probability=0.93, found=("inferior",), **more):
    sites = tuple(SiteFinding(site, 0.8 if site in found else 0.1, 0.4) for site in SITES)
    return Finding(record, f"{record}.npy", "detected", PROVENANCE, probability, 0.41, sites, **more)


def not_detected(record="b", probability=0.1):
    return Finding(record, f"{record}.npy", "not_detected", PROVENANCE, probability, 0.41)


def failed(record="c"):
    return Finding(record, f"{record}.npy", "error", PROVENANCE, error="it broke")


def test_text_gives_the_verdict_first_and_ends_in_the_review_line():
    lines = "".join(rendering.text([detected()])).strip().splitlines()
    assert lines[0] == "a: Pattern consistent with myocardial infarction, inferior; age undetermined"
    assert lines[1].split() == ["probability", "0.930,", "threshold", "0.410", "(balanced)"]
    assert [line.split()[0] for line in lines[3:9]] == list(SITES)
    assert [line.split()[0] for line in lines if line.endswith("found")] == ["inferior"]
    assert lines[-1].strip() == "Unconfirmed: for review by a clinician"


def test_text_says_site_undetermined_where_no_site_is_over_its_threshold():
    assert "infarction, site undetermined" in "".join(rendering.text([detected(found=())]))


def test_text_never_claims_that_an_infarction_is_ruled_out():
    text = "".join(rendering.text([not_detected()]))
    assert "does not rule one out" in text
    assert "Unconfirmed" in text


@pytest.mark.parametrize(("probability", "shown"), [(0.99999, "> 0.999"), (0.00001, "< 0.001"), (0.4096, "0.410")])
def test_text_never_rounds_to_certainty(probability, shown):
    assert f"probability {shown}" in "".join(rendering.text([not_detected(probability=probability)]))


def test_text_shows_warnings_and_errors():
    text = "".join(rendering.text([detected(warnings=(Note("code", "look here"),)), failed()]))
    assert "warning: look here" in text
    assert "c: error: it broke" in text


def test_a_name_cannot_steer_the_terminal():
    text = "".join(rendering.text([not_detected(record="\x1b[2Jx\ny\udcff")]))
    assert "\\x1b[2Jx\\ny\\udcff: No pattern" in text


def test_json_has_the_promised_keys_and_an_error_has_no_answer():
    ill, broken = json.loads("".join(rendering.json_array([detected(duration_s=10.0, sampling_rate=500.0), failed()])))
    assert set(ill) == {
        *("schema", "record", "source", "status", "probability", "threshold", "sites", "reasons", "warnings"),
        *("duration_s", "sampling_rate", "provenance"),
    }
    assert ill["schema"] == 1
    assert ill["sites"][5] == {"site": "inferior", "probability": 0.8, "threshold": 0.4, "found": True}
    assert ill["provenance"]["models"] == [{"name": "m", "version": "1", "sha256": "ab"}]
    assert (broken["status"], broken["error"], broken["sites"]) == ("error", "it broke", [])
    assert "probability" not in broken


def test_json_of_nothing_is_an_empty_array():
    assert json.loads("".join(rendering.json_array([]))) == []


def test_jsonl_has_one_object_a_line():
    lines = "".join(rendering.jsonl([detected(), failed()])).splitlines()
    assert [json.loads(line)["record"] for line in lines] == ["a", "c"]


def test_csv_has_one_row_a_record_under_one_header():
    rows = list(
        csv.DictReader(io.StringIO("".join(rendering.csv_table([detected(), not_detected(), failed()], SITES))))
    )
    assert [row["status"] for row in rows] == ["detected", "not_detected", "error"]
    assert (rows[0]["inferior_probability"], rows[0]["inferior_found"], rows[0]["found_sites"]) == (
        "0.8",
        "1",
        "inferior",
    )
    assert rows[1]["inferior_probability"] == ""
    assert rows[2]["error"] == "it broke"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_name_cannot_be_a_formula_in_csv(name):
    (row,) = csv.DictReader(io.StringIO("".join(rendering.csv_table([not_detected(record=name)], SITES))))
    assert row["record"] == f"'{rendering.printable(name)}"


def sample(path, *rows):
    path.write_text("\n".join([",".join(submission.HEADER), *rows]) + "\n", encoding="utf-8")
    return submission.read_sample(path)


def test_submission_keeps_the_samples_rows_and_order_and_fills_in_the_answers(tmp_path):
    rows = sample(tmp_path / "s.csv", "b,0,0,0,0,0,0,0", "unseen,0,0,0,0,0,0,0", "a,0,0,0,0,0,0,0", "c,0,0,0,0,0,0,0")
    complaints = []
    findings = [detected(found=("inferior", "septal")), not_detected(), failed(), not_detected(record="stranger")]
    lines = "".join(submission.fill_in(findings, rows, complaints.append)).splitlines()
    assert lines[0] == "record_name,перегородочный,передний,боковой,передне-боковой,передне-перегородочный,нижний,норма"
    assert lines[1:] == ["b,0,0,0,0,0,0,1", "unseen,0,0,0,0,0,0,0", "a,1,0,0,0,0,1,0", "c,0,0,0,0,0,0,0"]
    assert complaints == ["stranger has no row in the sample submission; its answer is left out"]


def test_submission_ignores_sites_of_a_record_without_infarction(tmp_path):
    rows = sample(tmp_path / "s.csv", "a,0,0,0,0,0,0,0")
    well = Finding("a", "", "not_detected", PROVENANCE, 0.1, 0.4, detected().sites)
    assert "".join(submission.fill_in([well], rows, print)).splitlines()[1] == "a,0,0,0,0,0,0,1"


def test_submission_leaves_a_name_that_several_records_have(tmp_path):
    rows = sample(tmp_path / "s.csv", "a,0,0,0,0,0,0,0", "-7,0,0,0,0,0,0,0")
    complaints = []
    twice = [detected(), not_detected(record="a"), not_detected(record="-7")]
    lines = "".join(submission.fill_in(twice, rows, complaints.append)).splitlines()
    assert lines[1:] == ["a,0,0,0,0,0,0,0", "-7,0,0,0,0,0,0,1"]
    assert complaints == ["2 records are called a (a.npy, a.npy); that row is left as it was"]


def test_sites_of_a_record_without_infarction_are_not_called_found():
    well = Finding("a", "", "not_detected", PROVENANCE, 0.1, 0.4, detected().sites)
    assert well.found_sites == ()
    text = "".join(rendering.text([well]))
    assert "sites mean something only where an infarction is found" in text
    assert not any(line.endswith("found") for line in text.splitlines())
    (row,) = csv.DictReader(io.StringIO("".join(rendering.csv_table([well], SITES))))
    assert (row["found_sites"], row["inferior_found"]) == ("", "0")


def test_a_doubtful_site_is_called_so_in_the_verdict_and_in_the_table():
    notes = (Note("unproven_site", "few", site="lateral"), Note("uncertain_site", "28 in 100", site="septal"))
    found = ("septal", "lateral", "inferior")
    verdict, *lines = "".join(rendering.text([detected(found=found, warnings=notes)])).splitlines()
    assert verdict.endswith("infarction, inferior; site uncertain: septal; site unproven: lateral; age undetermined")
    marks = {words[0]: " ".join(words[3:]) for words in map(str.split, lines) if words and words[0] in SITES}
    assert marks == dict.fromkeys(SITES, "") | {
        "septal": "found, uncertain",
        "lateral": "found, unproven",
        "inferior": "found",
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_sample_may_have_a_byte_order_mark(tmp_path, encoding):
    text = f"{','.join(submission.HEADER)}\na,0,0,0,0,0,0,0\n"
    (tmp_path / "s.csv").write_text(text, encoding=encoding)
    assert submission.read_sample(tmp_path / "s.csv")[1][0] == "a"
    (tmp_path / "s.csv").write_bytes(text.encode("utf-16-le"))
    with pytest.raises(UnreadableError, match="is text in UTF-16 without a byte order mark; save it in UTF-8"):
        submission.read_sample(tmp_path / "s.csv")


def test_a_table_with_another_header_is_no_sample(tmp_path):
    (tmp_path / "s.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UnreadableError, match="first line must be record_name"):
        submission.read_sample(tmp_path / "s.csv")
