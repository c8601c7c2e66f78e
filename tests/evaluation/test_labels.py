"""Each form of a table of labels gives the labels that it states; what cannot be used is an error of one line."""

import codecs
import os
import zipfile

import numpy as np
import pytest
from labelled import write_labels, write_record
from tiny import write_models

from ecg_edge.competition import SITE_COLUMNS

SITE_COLUMNS_OF = {"septal": SITE_COLUMNS["septal"], "inferior": SITE_COLUMNS["inferior"]}


def change(rows, **columns):
    """Return rows with the name of the record and columns that are computed of the site."""
    return [
        {"record_name": row["record_name"]} | {name: make(row["site"]) for name, make in columns.items()}
        for row in rows
    ]


def competition(rows):
    return change(
        rows,
        **{column: lambda site, name=name: int(site == name) for name, column in SITE_COLUMNS.items()},
        норма=lambda site: int(not site),
    )


FORMS = {
    "0 and 1": (lambda rows: change(rows, mi=lambda site: int(bool(site))), ["--label", "mi"]),
    "yes and no": (lambda rows: change(rows, mi=lambda site: "Yes" if site else "NO"), ["--label", "mi"]),
    "decimals": (lambda rows: change(rows, mi=lambda site: "1.0" if site else "0.0"), ["--label", "mi"]),
    "sites": (lambda rows: change(rows, where=lambda site: site), ["--label", "where"]),
    "sites in capitals": (lambda rows: change(rows, where=lambda site: site.title() or "Normal"), ["--label", "where"]),
    "several sites": (
        lambda rows: change(rows, where=lambda site: site and f"{site}+antero-lateral"),
        ["--label", "where"],
    ),
    "Russian sites": (
        lambda rows: change(rows, where=lambda site: SITE_COLUMNS_OF.get(site, "норма")),
        ["--label", "where"],
    ),
    "zero for none": (lambda rows: change(rows, where=lambda site: site or 0), ["--label", "where"]),
    "the competition's columns": (competition, []),
    "a column for each site": (
        lambda rows: change(rows, **{name: lambda site, name=name: int(site == name) for name in SITE_COLUMNS}),
        [],
    ),
    "PTB-XL's codes": (
        lambda rows: change(rows, scp_codes=lambda site: "{'IMI': 15.0, 'SR': 0.0}" if site else "{'NORM': 100.0}"),
        ["--positive", "AMI,IMI"],
    ),
    "no code at all": (
        lambda rows: change(rows, scp_codes=lambda site: "{'IMI': 0.0}" if site else "{}"),
        ["--positive", "AMI", "--positive", "imi"],
    ),
    "SNOMED's codes": (
        lambda rows: change(rows, Dx=lambda site: "164865005,426783006" if site else "426783006"),
        ["--positive", "164865005"],
    ),
    "codes with blanks": (
        lambda rows: change(rows, scp_codes=lambda site: "{' IMI ': 80.0, 'SR': 0.0}" if site else "{'SR': 0.0}"),
        ["--positive", " IMI , AMI "],
    ),
    "a set of codes": (
        lambda rows: change(rows, codes=lambda site: "{'IMI'}" if site else "{'SR'}"),
        ["--positive", "IMI"],
    ),
    "codes as decimals": (
        lambda rows: change(rows, snomed=lambda site: "164865005.0" if site else "426783006.0"),
        ["--positive", "164865005"],
    ),
    "a named column of codes": (
        lambda rows: change(rows, found=lambda site: "[164865005; 1]" if site else "1648650051"),
        ["--positive", "164865005", "--label", "found"],
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same_infarctions(example, measure, form):
    folder, rows = example
    make, options = FORMS[form]
    report = measure(folder, make(rows), *options)
    (row,) = report["infarction"]
    assert (row["n"], row["positives"]) == (24, 12)
    assert row["figures"]["sensitivity"]["value"] == pytest.approx(10 / 12)
    sites = {row["label"]: row["positives"] for row in report["sites"]}
    has_sites = "site" in form or "competition" in form or "zero" in form
    assert has_sites == bool(sites)
    if sites:
        assert (sites["septal"], sites["inferior"]) == (6, 6)
        assert sites["anterolateral"] == (12 if form == "several sites" else 0)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_byte_order_marks_are_recognised(example, measure, tmp_path, delimiter, encoding):
    folder, rows = example
    path = write_labels(tmp_path / "t.csv", competition(rows), delimiter, encoding)
    assert measure(folder, path)["infarction"][0]["positives"] == 12


def test_rows_without_content_do_not_count(example, measure, tmp_path):
    folder, rows = example
    path = write_labels(tmp_path / "t.csv", rows)
    path.write_text("\n" + path.read_text() + ",,\n\n")
    assert measure(folder, path, "--label", "mi")["infarction"][0]["n"] == 24


@pytest.mark.parametrize(
    ("column", "spell"),
    [
        ("record", "{}"),
        ("Name", "{}.npy"),
        ("filename", "records/{}.npy"),
        ("FILE", "C:\\data\\{}.npy"),
        ("path", "/elsewhere/{}"),
        ("filename_hr", "./records/{}.dat"),
    ],
)
def test_names_of_records_may_have_a_suffix_and_a_path(example, measure, column, spell):
    folder, rows = example
    labels = [{"id": i, column: spell.format(row["record_name"]), "mi": row["mi"]} for i, row in enumerate(rows)]
    report = measure(folder, labels, "--label", "mi")
    assert report["source"]["record_column"] == column
    assert report["infarction"][0]["n"] == 24


def test_another_column_of_names_is_chosen_by_its_option(example, measure):
    folder, rows = example
    labels = [{"ecg": row["record_name"], "name": "x", "mi": row["mi"]} for row in rows]
    assert measure(folder, labels, "--label", "mi", "--record", "ecg")["infarction"][0]["n"] == 24


def test_a_path_tells_records_of_one_name_apart(tmp_path, measure, evaluate):
    rows = []
    for ward in ("a", "b"):
        for i in range(10):
            write_record(tmp_path / "r" / ward / f"{i}.npy", I=0.9 if ward == "a" else 0.1)
            rows.append({"path": f"{ward}/{i}", "mi": int(ward == "a")})
    assert measure(tmp_path / "r", rows, "--label", "mi")["infarction"][0]["figures"]["f1"]["value"] == 1
    result = evaluate(tmp_path / "r", [{"path": row["path"][2:], "mi": row["mi"]} for row in rows], "--label", "mi")
    assert result.exit_code == 1
    assert "line 2: '0' fits several records" in result.stderr


def test_what_is_only_in_the_folder_or_only_in_the_table_is_counted_and_named(example, measure, evaluate):
    folder, rows = example
    rows[0]["mi"] = ""
    labels = [*rows[:20], {"record_name": "nobody", "mi": 1, "site": ""}]
    records = measure(folder, labels, "--label", "mi")["records"]
    assert records["found"] == 24
    assert records["labelled"] == records["answered"] == 19
    assert records["without_label"] == ["ill00", *(row["record_name"] for row in rows[20:])]
    assert records["labels_without_record"] == ["nobody"]
    text = evaluate(folder, labels, "--label", "mi").stdout
    assert "records without a label, not counted: 5 (ill00, " in text
    assert "labels without a record, not counted: 1 (nobody)" in text


def test_the_table_in_the_folder_is_no_recording(example, measure, evaluate):
    folder, rows = example
    # Such a table looks like leads: a number and then many numbers in each row.
    numbers = [{"record_name": row["record_name"], "mi": row["mi"]} | {f"v{i}": i for i in range(9)} for row in rows]
    path = write_labels(folder / "labels.csv", numbers)
    assert evaluate(folder, path, "--label", "mi").stderr == ""
    assert measure(folder, path, "--label", "mi")["records"]["found"] == 24


def test_a_second_table_has_the_patients_and_the_groups(example, measure, tmp_path):
    folder, rows = example
    people = [
        {"filename_hr": f"records500/{row['record_name']}.npy", "person": place // 2, "sex": "mf"[place % 2], "mi": "x"}
        for place, row in enumerate(rows)
    ]
    both = [row | {"person": one["person"], "sex": one["sex"]} for row, one in zip(rows, people, strict=True)]
    options = ("--label", "mi", "--patient", "person", "--by", "sex")
    # In the folder of the recordings, as the table of labels may be.
    about = write_labels(folder / "people.csv", [*reversed(people), people[0] | {"filename_hr": "nobody"}], ";")
    joined = measure(folder, rows, *options, "--about", about)
    assert joined["source"].pop("about") == str(about)
    in_one = measure(folder, both, *options)
    assert in_one["source"].pop("about") is None
    assert joined == in_one
    assert joined["bootstrap"]["patients"] == 12
    assert [group["group"] for group in joined["groups"]] == ["f", "m"]


def test_records_that_the_second_table_does_not_have_are_named(example, evaluate, measure, tmp_path):
    folder, rows = example
    about = write_labels(tmp_path / "people.csv", [{"record_name": row["record_name"], "sex": "f"} for row in rows[2:]])
    options = ("--label", "mi", "--by", "sex", "--about", about)
    report = measure(folder, rows, *options)
    assert report["records"]["without_about"] == ["ill00", "ill01"]
    assert {group["group"]: group["rows"][0]["n"] for group in report["groups"]} == {"f": 22, "missing": 2}
    assert f"records without a row in {about}: 2 (ill00, ill01)" in evaluate(folder, rows, *options).stdout
    page = evaluate(folder, rows, *options, "--format", "html").stdout
    assert f"<h2>Records without a row in {about}</h2>\n<p>ill00, ill01</p>" in page


def test_a_second_table_that_fits_no_record_or_has_a_record_twice_is_an_error_of_one_line(example, evaluate, tmp_path):
    folder, rows = example
    about = tmp_path / "people.csv"
    for people, message in (
        ([{"record_name": "a", "sex": "f"}], f"{about}: no record has a name of the column 'record_name'"),
        ([{"record_name": "ill00", "sex": sex} for sex in "fm"], f"{about}: lines 2 and 3 are about the same record"),
        ([{"who": "ill00", "sex": "f"}], f"{about}: has no column of record names"),
    ):
        write_labels(about, people)
        result = evaluate(folder, rows, "--label", "mi", "--by", "sex", "--about", about)
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1), result.stderr
        assert message in result.stderr
    before = about.read_text()
    result = evaluate(folder, rows, "--label", "mi", "--about", about, "--output", about)
    assert (result.exit_code, about.read_text()) == (2, before)


def test_archives_are_read_too(example, measure, tmp_path):
    folder, rows = example
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"2020/{path.name}")
    rows = [row | {"record_name": f"2020/{row['record_name']}"} for row in rows]
    assert measure(tmp_path / "all.zip", rows, "--label", "mi")["infarction"][0]["n"] == 24


def test_a_folder_without_recordings_says_so(example, evaluate, tmp_path):
    (tmp_path / "nothing").mkdir()
    result = evaluate(tmp_path / "nothing", example[1], "--label", "mi")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not hold a recording" in result.stderr


def spoil(rows, place, **cells):
    return [*rows[:place], rows[place] | cells, *rows[place + 1 :]]


ERRORS = {
    "no label named": (lambda rows: rows, [], "has no column for each site; pass --label COLUMN, or --positive CODES"),
    "missing column": (lambda rows: rows, ["--label", "x"], "has no column 'x'; the columns are record_name, mi, site"),
    "missing patient": (lambda rows: rows, ["--label", "mi", "--patient", "x"], "has no column 'x'"),
    "missing group": (lambda rows: rows, ["--label", "mi", "--by", "x"], "has no column 'x'"),
    "missing record": (lambda rows: rows, ["--label", "mi", "--record", "x"], "has no column 'x'"),
    "no column of names": (
        lambda rows: [{"who": row["record_name"], "mi": row["mi"]} for row in rows],
        ["--label", "mi"],
        "has no column of record names",
    ),
    "other records": (
        lambda rows: [row | {"record_name": f"x{i}"} for i, row in enumerate(rows)],
        ["--label", "mi"],
        "no record has a name of the column 'record_name'; the column has x0, x1, x2, the records are ill00",
    ),
    "the same record twice": (
        lambda rows: [*rows, rows[3]],
        ["--label", "mi"],
        "lines 5 and 26 are about the same record, ill03",
    ),
    "all have it": (lambda rows: rows[:12], ["--label", "mi"], "all 12 labelled records have an infarction"),
    "none has it": (lambda rows: rows[12:], ["--label", "mi"], "all 12 labelled records do not have an infarction"),
    "no label": (lambda rows: [row | {"mi": ""} for row in rows], ["--label", "mi"], "no record has a label"),
    "not 0 or 1": (
        lambda rows: spoil(rows, 1, mi="2"),
        ["--label", "mi"],
        "line 3: '2' in the column 'mi', expected 0 or 1",
    ),
    "other numbers": (
        lambda rows: [row | {"mi": 2 * row["mi"]} for row in rows],
        ["--label", "mi"],
        "line 2: '2' in the column 'mi', expected 0 or 1, or an empty cell",
    ),
    "not a site": (
        lambda rows: spoil(rows, 2, site="septal; apical"),
        ["--label", "site"],
        "line 4: 'apical' in the column 'site' is not a site; the sites are septal, anterior,",
    ),
    "not 0 or 1 for a site": (
        lambda rows: spoil(competition(rows), 0, нижний="x"),
        [],
        "line 2: 'x' in the column 'нижний', expected 0 or 1",
    ),
    "no column of codes": (lambda rows: rows, ["--positive", "IMI"], "has no column of codes (scp_codes,"),
    "unknown code": (
        lambda rows: [row | {"codes": "NORM"} for row in rows],
        ["--positive", "IMI"],
        "no row has one of the codes IMI in the column 'codes'; the codes there are NORM",
    ),
    "too many groups": (
        lambda rows: [row | {"who": f"x{i}"} for i, row in enumerate(rows)],
        ["--label", "mi", "--by", "who"],
        "the column 'who' has 24 different values; --by needs numbers, or at most 20 different values",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_table_that_cannot_be_used_is_an_error_of_one_line(example, evaluate, case):
    folder, rows = example
    make, options, message = ERRORS[case]
    result = evaluate(folder, make(rows), *options)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


FILES = {
    "empty": (b"", "is empty"),
    "header alone": (b"name,mi\n", "has no rows"),
    "other bytes": (b"name,mi\n\xff\xfe,1\n", "is not text in UTF-8"),
    "zeros": (b"name,mi\nx\0,1\n", "has characters with the code 0"),
    "cells": (b"name,mi\nill00,1\nill01\n", "line 3 has 1 cells, the header has 2"),
    "two columns of a name": (b"name,mi,mi\nill00,1,1\n", "has several columns 'mi'"),
    "a long cell": (b"name,mi\n" + b"x" * 200_000 + b",1\n", "line 2: field larger than field limit"),
    "no mark": (
        "name,mi\r\nill00,1\r\n".encode("utf-16-le"),
        "is text in UTF-16 without a byte order mark; save it in",
    ),
    "no mark, big": ("имя,инфаркт\nill00,1\n".encode("utf-16-be"), "is text in UTF-16 without a byte order mark"),
    "four bytes": ("name,mi\nill00,1\n".encode("utf-32"), "is text in UTF-32; save it in UTF-8"),
    "half a character": (codecs.BOM_UTF16_LE + b"a", "is not text in UTF-8"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_table_is_an_error_of_one_line(example, evaluate, tmp_path, case):
    content, message = FILES[case]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    result = evaluate(example[0], path, "--label", "mi")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_a_file_that_is_too_large_for_a_table_is_not_read(example, evaluate, tmp_path):
    path = tmp_path / "t.csv"
    path.touch()
    os.truncate(path, 2**27 + 1)
    result = evaluate(example[0], path, "--label", "mi")
    assert result.exit_code == 1
    assert "expected at most" in result.stderr


def test_columns_of_a_group_that_are_not_all_numbers_are_words(example, measure):
    folder, rows = example
    for i, row in enumerate(rows):
        row["size"] = ["inf", "2", "big"][i % 3] if i % 2 else "inf"
    groups = measure(folder, rows, "--label", "mi", "--by", "size")["groups"]
    assert [group["group"] for group in groups] == ["2", "big", "inf"]
    for row in rows:
        row["size"] = "inf" if row["mi"] else "3"
    groups = measure(folder, rows, "--label", "mi", "--by", "size")["groups"]
    assert [group["rows"][0]["n"] for group in groups] == [12, 12]


def test_labels_of_a_model_with_sites_of_its_own_name_those(tmp_path, measure):
    models = write_models(
        tmp_path / "m", localization={"labels": ("front", "back"), "thresholds": (0.5, 0.5), "unproven": ()}
    )
    rows = []
    for i in range(30):
        write_record(tmp_path / "r" / f"{i}.npy", I=0.9 * (i < 20), II=0.9 * (i < 10))
        rows.append({"name": i, "site": "back" if i < 10 else "front" if i < 20 else "none"})
    report = measure(tmp_path / "r", rows, "--label", "site", models=models)
    figures = {row["label"]: row["figures"] for row in report["sites"]}
    assert figures["back"]["auroc"]["value"] == 1
    assert figures["front"]["auroc"]["value"] == 0.5
    assert np.isclose(figures["mean of 2 sites"]["f1"]["value"], (1 + 2 / 3) / 2)
