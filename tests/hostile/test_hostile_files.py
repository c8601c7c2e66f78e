"""All hostile files at once, each beside a good recording, in 2 GB of addresses and two minutes."""

import re
from pathlib import Path

import pytest
from hostile.__main__ import CASES, answers_of, reason, run, write_all
from hostile.case import PASSED_OVER

WAS_HERE = Path("/tmp/ecg_edge_was_here")  # noqa: S108 - what hostile code would write
# The first of two entries of one name is answered all the same.
WITH_ANSWERS = {"zip_twice_the_same", "zip_twice_but_for_case"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("pydicom", "3.0")
    pytest.importorskip("ecgdatakit", "2.0")
    folder = tmp_path_factory.mktemp("hostile")
    write_all(folder)
    return folder


@pytest.fixture(scope="module")
def result(folder):
    return run(folder, "--format", "jsonl", "--threads", "2")


@pytest.fixture(scope="module")
def answers(folder, result):
    return answers_of(folder, result.stdout)


def test_the_batch_ends_with_status_1_and_a_line_for_each_file_that_is_passed_over(result):
    assert result.returncode == 1
    *over, n_over, failed = result.stderr.splitlines()
    assert all(line.startswith(b"passed over: ") for line in over)
    assert n_over == b"%d files passed over that may hold recordings" % len(over)
    assert re.fullmatch(rb"\d+ of \d+ records could not be answered", failed)


def test_every_good_recording_among_them_is_answered(result):
    lines = [line for line in result.stdout.splitlines() if b'/good.npy"' in line]
    assert len(lines) == len(CASES)
    assert all(b'"status": "not_detected"' in line for line in lines)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_gets_one_line_that_says_what_is_wrong(answers, name):
    reasons = [reason(finding) for finding in answers[name]]
    why = CASES[name].why
    if why == PASSED_OVER:
        assert reasons == []
    elif not why:
        assert reasons == [""]
    else:
        assert any(re.search(why, found) for found in reasons), reasons
        assert name in WITH_ANSWERS or all(reasons)
    assert all("\n" not in found and len(found) < 1000 for found in reasons)


@pytest.mark.parametrize("form", ["text", "csv"])
def test_for_people_and_spreadsheets_names_are_harmless(folder, form):
    result = run(folder, "--format", form)
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr
    assert all(line.startswith(b"passed over: ") for line in result.stderr.splitlines()[:-2])
    assert b"\x1b" not in result.stdout
    assert b"\x07" not in result.stdout
    if form == "text":
        assert not re.search(rb"(?m)^b: Cannot be trusted", result.stdout)
        assert "\u202e".encode() not in result.stdout
    else:
        assert not re.search(rb"(?m)^[=+@-]", result.stdout)


def test_no_hostile_code_has_run(result):
    assert result.returncode == 1
    assert not WAS_HERE.exists()


def test_a_hostile_file_alone_has_status_1_and_names_its_file(folder):
    result = run(folder / "huge_shape" / "a.npy")
    assert result.returncode == 1
    assert result.stdout.decode().count("\n") == 2
    assert result.stdout.decode().startswith("a: error: ")
