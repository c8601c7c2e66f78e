"""The pages by keyboard alone."""

TAB, ENTER, RIGHT, ESCAPE = "\ue004", "\ue007", "\ue014", "\ue00c"
FOCUSED = """
const e = document.activeElement;
return {id: e.id, edge: e.dataset?.edge ?? "", href: e.getAttribute("href"), text: e.textContent.trim()};
"""


def tab_to(page, **wanted):
    for _ in range(60):
        page.press(TAB)
        focused = page.run(FOCUSED)
        style = page.run("const s = getComputedStyle(document.activeElement); return s.outlineStyle")
        # The edges of the calipers grow wider instead.
        assert style != "none" or focused["edge"], f"the focus on {focused} is not seen"
        if wanted.items() <= focused.items():
            return
    raise AssertionError("the focus does not come there")


def test_a_record_is_found_opened_enlarged_and_measured(page, served, infarction):
    served.wait(served.upload(("keyboard.npy", infarction)))
    page.open("/")
    page.press(TAB)
    assert page.run(FOCUSED)["href"] == "#main"
    page.press(ENTER)
    tab_to(page, id="q")
    page.press("keyboard", ENTER)
    page.wait(lambda: "q=keyboard" in page.driver.current_url)
    tab_to(page, text="keyboard")
    page.press(ENTER)
    page.wait(lambda: page.find_all("#paper > svg path.trace"))
    tab_to(page, id="paper")
    page.press("+")
    assert page.find("#shown").text != "Shown: 0.00 to 10.00 s"
    page.press("c")
    first = page.wait(lambda: page.find("#measured").text)
    tab_to(page, edge="right")
    page.press(RIGHT, RIGHT, RIGHT)
    assert page.find("#measured").text != first
    page.press(ESCAPE)
    assert page.find("#calipers").get_attribute("aria-pressed") == "false"
    assert not page.find("#measured").is_displayed()
