"""axe-core finds nothing serious on any page. It comes from npm: run npm install in this folder."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from javascript import go_without
from opened import find_url
from served import npy

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
const done = arguments[0];
axe.run({resultTypes: ["violations"]}).then((found) => done(found.violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .map(({id, nodes}) => `${id}: ${nodes.map(({target, failureSummary}) => `${target} ${failureSummary}`).join("; ")}`)));
"""


@pytest.fixture(scope="module")
def axe():
    if not AXE.is_file():
        go_without("accessibility", f"axe-core is not installed: run npm install in {AXE.parents[2]}")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def filled(served, normal, infarction):
    signal = np.load(BytesIO(infarction))
    signal[10, 3000:4500] = 0
    files = [("ill.npy", npy(signal)), ("well.npy", normal), ("microvolts.npy", npy(signal * 1000))]
    served.wait(served.upload(*files))


def find_faults(page, axe):
    page.run(axe)
    return page.driver.execute_async_script(RUN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "place", ["list", "nothing", "ill", "calipers", "well", "microvolts", "submission", "login", "error"]
)
def test_no_page_has_a_serious_fault(open_browser, served, filled, axe, scheme, place):
    page = open_browser(scheme=scheme)
    if place in {"ill", "well", "microvolts", "calipers"}:
        page.open_record(served, "ill" if place == "calipers" else place)
        for details in page.find_all("details"):
            page.run("arguments[0].open = true", details)
        if place == "calipers":
            page.run("document.getElementById('paper').focus()")
            page.press("c")
    else:
        page.open({"list": "/", "nothing": "/?q=zzz", "error": "/records/none"}.get(place, f"/{place}"))
    assert find_faults(page, axe) == []


def test_a_page_with_a_fault_is_found(page, served, filled, axe):
    page.open(find_url(served, "well"))
    page.run("document.querySelector('h1').insertAdjacentHTML('afterend', '<button></button>')")
    assert any(fault.startswith("button-name") for fault in find_faults(page, axe))
