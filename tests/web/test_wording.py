"""Messages on the page name the fields of its form, in both languages; those of the command line stay as they are."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from served import npy, zipped

import ecg_edge
from ecg_edge.advice import advise_fields
from ecg_edge.web.wording import Kind

OPTION = re.compile(r"(?<![`<!-])--[a-z][a-z-]+|in Python")
COMMAND = re.compile(r"pip install|python -m|^ \(in Python $")
"""What is for who runs the server, and the piece from which options are named."""
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def table(header, rows=2000):
    columns = len(header) if header else 10
    numbers = "\n".join(",".join(f"{0.01 * (row % 7)}" for _ in range(columns)) for row in range(rows))
    return f"{','.join(header)}\n{numbers}\n".encode() if header else numbers.encode()


@pytest.fixture(scope="module")
def uploaded(served, normal):
    """An upload of files that state too little, and of one in another unit than it should be in."""
    signal = np.load(_open(normal))
    upload = served.upload(
        ("no_rate.csv", table([f"{lead} (mV)" for lead in LEADS])),
        ("no_units.csv", table(LEADS)),
        ("no_header.csv", table(None)),
        ("ten_rows.npy", npy(np.zeros((10, 5000), np.float32))),
        ("empty.zip", zipped(empty__csv=b"")),
        ("microvolts.npy", npy(signal * 1000)),
        ("noise.npy", npy(np.random.default_rng(0).normal(0, 1e-6, (12, 5000)).astype(np.float32))),
    )
    served.wait(upload)
    return upload


def _open(content):
    from io import BytesIO

    return BytesIO(content)


def test_what_is_missing_is_named_as_the_field_of_the_form(served, uploaded):
    refused = {file["name"]: file for file in uploaded["files"] if file["status"] == "refused"}
    assert refused["no_rate.csv"]["kind"] == "not_stated"
    assert refused["no_rate.csv"]["reason"] == 'does not state its sampling rate; fill in the field "sampling_rate"'
    assert 'and the field "units"' in refused["no_units.csv"]["reason"]
    assert 'name them with the field "leads"' in refused["no_header.csv"]["reason"]
    assert refused["ten_rows.npy"]["kind"] == "shape"
    english, russian = (
        served.client.get(f"/?upload={uploaded['upload']}", headers={"Accept-Language": language}).text
        for language in ("en", "ru")
    )
    assert "fill in &#34;Sampling rate, Hz&#34;" in english
    assert "в файле не указаны частота дискретизации" in russian
    assert '<span class="original" lang="en">does not state its sampling rate; fill in «Частота' in russian


def test_no_page_and_no_picture_names_an_option_of_the_command_line(served, uploaded):
    records = served.client.get("/v1/records").json()["records"]
    unusable = [record for record in records if record["finding"] == "cannot_analyse"]
    assert {"microvolts", "noise"} <= {record["name"] for record in unusable}
    paths = ["/v1/records", f"/v1/uploads/{uploaded['upload']}", f"/?upload={uploaded['upload']}"]
    for record in unusable:
        base = f"/v1/records/{record['id']}"
        paths += [record["url"], f"{base}/ecg.svg", f"{base}/report.html"]
    for path in paths:
        answer = served.client.get(path)
        assert answer.status_code == 200
        assert not OPTION.search(answer.text), (path, OPTION.search(answer.text))
    # The finding itself is that of the command line, and of the exports.
    answers = [served.client.get(f"/v1/records/{record['id']}").json()["answer"] for record in unusable]
    assert any("--units" in reason["message"] for answer in answers for reason in answer["reasons"])


def test_reasons_in_the_list_are_russian(served, uploaded):
    page = served.client.get("/?finding=cannot_analyse", headers={"Accept-Language": "ru"}).text
    reasons = re.findall(r'<span class="reason">(.*?)</span>', page)
    assert reasons
    assert all(re.search("[\u0430-\u044f]", reason) for reason in reasons)


def test_the_page_has_other_words_for_every_option_that_a_message_names():
    """A message with a new option is found here, not by a reader of the page."""
    options = dict.fromkeys(("sampling-rate", "units", "leads", "gain"), "it")
    package = Path(ecg_edge.__file__).parent
    sources = [package / "errors.py", package / "advice.py"]
    for folder in ("readers", "quality", "recording", "model"):
        sources += (package / folder).rglob("*.py")
    texts = [text for path in sources for text in _list_texts(path) if OPTION.search(text)]
    named = [text for text in texts if not COMMAND.search(text)]
    assert len(named) > 3
    assert [text for text in named if OPTION.search(advise_fields(text, options))] == []


def _list_texts(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{" not in node.value:
            yield node.value


def test_every_kind_of_refusal_is_russian():
    from typing import get_args

    from ecg_edge.web.languages import load_texts

    assert {f"refused.{kind}" for kind in get_args(Kind)} <= load_texts("ru").keys()
