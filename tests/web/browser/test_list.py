"""The list in a browser: upload, progress, search, filter, names that are no good, the phone."""

import json
from io import BytesIO

import numpy as np
import pytest
from served import npy, zipped

from ecg_edge.package_data import shipped_models

HOSTILE = "<img src=x onerror=document.title=1>"
REVIEW = "Unconfirmed: for review by a clinician"


@pytest.fixture
def files(tmp_path, normal, infarction):
    """A .zip with two good recordings and a bad one, and beside it a good file and a bad one."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "mixed.zip").write_bytes(zipped(bed_7__npy=normal, bed_8__npy=infarction, bad__npy=b"no recording"))
    (folder / "notes.npy").write_bytes(b"no recording")
    (folder / "single.npy").write_bytes(infarction)
    return folder


def rows(page):
    return {row.find_element("css selector", "th").text: row.text for row in page.find_all("tbody tr")}


WATCH = """
window.seen = [];
new MutationObserver(() => window.seen.push(document.getElementById("progress-text").textContent))
  .observe(document.getElementById("progress"), {subtree: true, childList: true, characterData: true});
"""


def test_an_upload_shows_its_progress_and_its_records_without_a_reload(page, files):
    page.open("/")
    page.run(WATCH)
    page.upload(*files.iterdir())
    page.wait_for_upload()
    assert page.find("#progress-text").text == "Finished. Analysed: 3. Not read: 2."
    seen = page.run("return window.seen")  # lost if the page was loaded anew
    assert seen[0].startswith("Uploading: ")
    assert "Analysed: 3 of 3" in seen
    bad = page.find("#bad-files").text
    assert "mixed.zip/bad.npy is named .npy, but it is text" in bad
    assert "notes.npy has an unknown format" in bad
    found = rows(page)
    assert set(found) == {"bed_7", "bed_8", "single"}
    assert "No pattern found" in found["bed_7"]
    assert "does not rule out an infarction" in found["bed_7"]
    assert "Pattern of infarction" in found["bed_8"]
    assert "inferior" in found["bed_8"]
    threshold = json.loads((shipped_models() / "infarction.json").read_text("utf-8"))["thresholds"][0]
    assert f"threshold {threshold:.3f}" in found["bed_8"]
    assert all(REVIEW in row for row in found.values())


def test_files_that_are_dropped_are_uploaded(page):
    page.open("/")
    page.run("""
        const transfer = new DataTransfer();
        transfer.items.add(new File(["x"], "dropped.npy"));
        document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
    """)
    page.wait_for_upload()
    assert "dropped.npy has an unknown format" in page.find("#bad-files").text


def test_the_list_works_without_javascript(open_browser, files):
    page = open_browser(script=False)
    page.open("/")
    page.upload(files / "single.npy", files / "notes.npy")
    page.wait(lambda: "notes.npy has an unknown format" in page.text())
    assert "single" in rows(page)


def test_a_search_finds_the_exact_name_first_and_then_prefixes(page, served, normal):
    served.wait(served.upload(("room_1.npy", normal), ("room_11.npy", normal), ("cellar.npy", normal)))
    page.open("/")
    page.find("#q").send_keys("room_1\n")
    page.wait(lambda: "q=room_1" in page.driver.current_url)
    assert list(rows(page)) == ["room_1", "room_11"]


def test_filters_apply_when_they_are_chosen(page, served, normal, infarction):
    served.wait(served.upload(("filter_a.npy", normal), ("filter_b.npy", infarction)))
    page.open("/?q=filter_")
    page.find("#site option[value=inferior]").click()
    page.wait(lambda: list(rows(page)) == ["filter_b"])
    page.open("/?q=filter_")
    page.find("#finding option[value=none]").click()
    page.wait(lambda: list(rows(page)) == ["filter_a"])


def test_a_recording_that_cannot_be_analysed_is_not_one_without_a_pattern(page, served, normal):
    microvolts = npy(np.load(BytesIO(normal)) * 1000)
    served.wait(served.upload(("microvolts.npy", microvolts)))
    page.open("/?q=microvolts")
    row = rows(page)["microvolts"]
    assert "Cannot be analysed" in row
    assert "no probability" in row
    assert "No pattern found" not in row
    page.find("tbody a").click()
    page.wait(lambda: "This does not mean that no infarction was found" in page.text())
    assert "the amplitude is about 1000 times what an ECG in millivolts has" in page.find(".notes").text


def test_names_from_files_are_text_and_nothing_else(page, served, normal):
    served.wait(served.upload((f"{HOSTILE}.npy", normal), ("right\u202eleft.npy", normal)))
    page.open("/?q=%3Cimg")
    assert list(rows(page)) == [HOSTILE]
    page.find("tbody a").click()
    page.wait(lambda: page.find("h1").text == HOSTILE)
    assert page.driver.title == f"{HOSTILE} | ecg_edge"
    page.open("/?q=right")
    assert list(rows(page)) == [r"right\u202eleft"]


def test_a_record_is_deleted_for_good(page, served, normal):
    served.wait(served.upload(("leaving.npy", normal)))
    page.open("/?q=leaving")
    page.find("tbody a").click()
    page.wait(lambda: page.find_all(".delete summary"))[0].click()
    page.find(".delete button").click()
    page.wait(lambda: page.find_all("#records"))
    page.open("/?q=leaving")
    assert "No record matches." in page.text()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("width", [360, 390, 768, 2560])
def test_no_page_scrolls_sideways(open_browser, served, normal, infarction, language, width):
    name = "narrow_" + "x" * 200
    if not served.client.get("/v1/records", params={"q": name}).json()["records"]:
        served.wait(served.upload((f"{name}.npy", infarction)))
    page = open_browser(language=language, width=width)
    (record,) = served.client.get("/v1/records", params={"q": name}).json()["records"]
    for path in ("/", record["url"], "/submission", "/login", "/records/none"):
        page.open(path)
        assert page.run("return document.documentElement.scrollWidth") <= width, path
