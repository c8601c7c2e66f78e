"""The ECG of a record in a browser: zoom, calipers, warnings at their place, printing."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from served import npy

INTERVAL_S, AMPLITUDE_MV = 0.8, 1.5
LEFT, RIGHT, DOWN, PAGE_DOWN = "\ue012", "\ue014", "\ue015", "\ue00f"


@pytest.fixture(scope="module")
def made(served, normal):
    """A record whose lead II has peaks of 1.5 mV each 0.8 s, and one whose lead V5 is flat at its end."""
    seconds = np.arange(5000) / 500
    beats = np.exp(-0.5 * (((seconds + 0.4) % INTERVAL_S - 0.4) / 0.012) ** 2)
    signal = np.outer([0.5, 1, 0.5, -0.75, 0, 0.75, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], beats) * AMPLITUDE_MV
    served.wait(served.upload(("peaks.npy", npy(signal.astype(np.float32)))))
    loose = np.load(BytesIO(normal))
    loose[10, 3000:4500] = 0
    served.wait(served.upload(("loose.npy", npy(loose)), ("minute.npy", npy(np.tile(np.load(BytesIO(normal)), 6)))))


@pytest.fixture
def peaks(page, served, made):
    page.open_record(served, "peaks")
    return page


# The places of the corners of the lowest trace of lead II in the window, from the path that is drawn.
CORNERS = """
const path = [...document.querySelectorAll('#paper path.trace[data-lead="II"]')].at(-1);
const numbers = path.getAttribute("d").match(/-?\\d+/g).map(Number);
let [x, y] = numbers;
const matrix = path.getScreenCTM();
const corners = [];
for (let i = 2; i <= numbers.length; i += 2) {
  const place = new DOMPoint(x, y).matrixTransform(matrix);
  corners.push([place.x, place.y]);
  x += numbers[i]; y += numbers[i + 1];
}
return corners;
"""


def find_peaks(page):
    """The peaks in the window, and the height of the baseline."""
    page.run("document.getElementById('paper').scrollIntoView({block: 'center'})")
    corners = np.array(page.run(CORNERS))
    baseline, top = corners[:, 1].max(), corners[:, 1].min()
    tips = corners[corners[:, 1] < top + 0.05 * (baseline - top)]
    beats = np.split(tips, np.flatnonzero(np.diff(tips[:, 0]) > 5) + 1)
    peaks = [beat[beat[:, 1].argmin()] for beat in beats]
    box = page.run("const b = document.getElementById('paper').getBoundingClientRect(); return [b.left, b.right]")
    return [peak for peak in peaks if box[0] + 5 < peak[0] < box[1] - 5], baseline


def read_calipers(page):
    found = re.fullmatch(
        r"Time (\d+) ms(?: · rate (\d+) per minute)? · amplitude ([\d.]+) mV", page.find("#measured").text
    )
    milliseconds, rate, millivolts = found.groups()
    return int(milliseconds), int(rate or 0), float(millivolts)


@pytest.mark.parametrize(("zooms", "tolerance_ms", "tolerance_mv"), [(0, 12, 0.03), (2, 6, 0.025)])
def test_the_calipers_measure_what_is_drawn(peaks, zooms, tolerance_ms, tolerance_mv):
    for _ in range(zooms):
        peaks.find("#zoom-in").click()
    if zooms:
        peaks.find("#paper").click()
        peaks.press(*[DOWN] * 12)
    peaks.find("#calipers").click()
    tips, baseline = find_peaks(peaks)
    peaks.drag(tips[0], (tips[1][0], baseline))
    milliseconds, rate, millivolts = read_calipers(peaks)
    assert milliseconds == pytest.approx(1000 * INTERVAL_S, abs=tolerance_ms)
    assert rate == pytest.approx(60 / INTERVAL_S, abs=1.5)
    assert millivolts == pytest.approx(AMPLITUDE_MV, abs=tolerance_mv)


def test_the_calipers_measure_the_same_at_another_speed_and_gain(peaks):
    old = peaks.find("#paper > svg")
    peaks.find("#speed option[value='50']").click()
    peaks.find("#gain option[value='5']").click()
    peaks.wait(lambda: peaks.find("#shown").text == "Shown: 0.00 to 5.00 s" and peaks.find("#paper > svg") != old)
    peaks.find("#calipers").click()
    tips, baseline = find_peaks(peaks)
    peaks.drag(tips[0], (tips[1][0], baseline))
    milliseconds, _, millivolts = read_calipers(peaks)
    assert milliseconds == pytest.approx(1000 * INTERVAL_S, abs=6)
    assert millivolts == pytest.approx(AMPLITUDE_MV, abs=0.06)


def test_an_edge_of_the_calipers_can_be_moved_by_mouse_and_by_key(peaks):
    peaks.find("#calipers").click()
    tips, baseline = find_peaks(peaks)
    peaks.drag(tips[0], (tips[1][0], baseline))
    before = read_calipers(peaks)
    middle = (tips[0][1] + baseline) / 2
    peaks.drag((tips[1][0], middle), (tips[2][0], middle))
    assert read_calipers(peaks)[0] == pytest.approx(2000 * INTERVAL_S, abs=20)
    peaks.run("document.querySelector('.calipers [data-edge=right]').focus()")
    peaks.press(LEFT, LEFT)
    assert 0 < 2000 * INTERVAL_S - read_calipers(peaks)[0] < 50
    assert read_calipers(peaks)[2] == before[2]
    edge = peaks.find(".calipers [data-edge=right]")
    assert edge.get_attribute("role") == "slider"
    assert peaks.find("#measured").text in edge.get_attribute("aria-valuetext")


def shown(page):
    return tuple(map(float, re.findall(r"[\d.]+", page.find("#shown").text)))


def test_the_paper_is_enlarged_to_one_second_by_button_key_and_wheel(peaks):
    assert shown(peaks) == (0, 10)
    peaks.find("#zoom-second").click()
    start, end = shown(peaks)
    assert end - start == pytest.approx(1, abs=0.02)
    peaks.find("#zoom-whole").click()
    assert shown(peaks) == (0, 10)
    peaks.run("document.getElementById('paper').focus()")
    peaks.press("+", "+")
    start, end = shown(peaks)
    assert 4 < end - start < 8
    peaks.press(RIGHT)
    assert shown(peaks)[0] > start
    peaks.press("0")
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    origin = ScrollOrigin.from_element(peaks.find("#paper"))
    peaks.actions().scroll_from_origin(origin, 0, -200).perform()
    start, end = shown(peaks)
    assert end - start < 9


def test_the_wheel_scrolls_the_page_until_the_paper_is_chosen(peaks):
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    peaks.actions().scroll_from_origin(ScrollOrigin.from_element(peaks.find("#paper")), 0, 200).perform()
    assert shown(peaks) == (0, 10)


def touch(page, kind, *places):
    points = [{"x": round(x), "y": round(y), "id": number} for number, (x, y) in enumerate(places)]
    page.command("Input.dispatchTouchEvent", type=kind, touchPoints=points)


def test_two_fingers_enlarge_the_paper(open_browser, served, made):
    page = open_browser(width=390, height=844)
    page.command("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
    page.open_record(served, "peaks")
    page.run("document.getElementById('paper').scrollIntoView({block: 'center'})")
    start, end = shown(page)
    x, y = page.run("const b = paper.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]")
    touch(page, "touchStart", (x - 30, y), (x + 30, y))
    touch(page, "touchMove", (x - 60, y), (x + 60, y))
    touch(page, "touchMove", (x - 90, y), (x + 90, y))
    touch(page, "touchEnd")
    later_start, later_end = shown(page)
    assert later_end - later_start == pytest.approx((end - start) / 3, rel=0.25)


def test_a_long_recording_is_paged(page, served, made):
    page.open_record(served, "minute")
    page.find("#later").click()
    page.wait(lambda: shown(page) == (10, 20))
    assert page.find("#earlier").is_enabled()
    page.run("document.getElementById('paper').focus()")
    page.press(PAGE_DOWN)
    page.wait(lambda: shown(page) == (20, 30))
    assert "start=20" in page.find(".paper-image").get_attribute("src")


def test_a_warning_is_shown_at_its_place(page, served, made):
    page.open_record(served, "loose")
    note = page.find(".notes li")
    assert note.text.startswith("Warning\nV5 is flat")
    note.find_element("css selector", "button").click()
    page.wait(lambda: shown(page)[0] > 3)
    start, end = shown(page)
    assert start < 6 < end
    bars = page.run(
        "return [...document.querySelectorAll('#paper text')].filter((t) => t.textContent.includes('flat')).length"
    )
    assert bars


def test_a_print_is_one_sheet_in_true_millimetres(peaks):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    printed = peaks.command("Page.printToPDF", preferCSSPageSize=True)["data"]
    (sheet,) = pypdf.PdfReader(BytesIO(base64.b64decode(printed))).pages
    width, height = (float(points) / 72 * 25.4 for points in sheet.mediabox[2:])
    assert (width, height) == pytest.approx((297, 210), abs=0.5)
    peaks.command("Emulation.setEmulatedMedia", media="print")
    box = peaks.run(
        "const b = document.querySelector('.paper-image').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]"
    )
    assert np.array(box) / 96 * 25.4 == pytest.approx([0, 0, 297, 210], abs=0.5)
