"""The page and the interface say which found sites are uncertain."""

import io

import numpy as np
from served import npy

from ecg_edge.recording import LEADS


def test_a_record_says_that_its_sites_are_uncertain(serve, tmp_path, normal):
    signal = np.load(io.BytesIO(normal))
    chest = [LEADS.index(lead) for lead in ("V2", "V3")]
    signal[chest] *= -1
    served = serve(tmp_path / "data")
    served.wait(served.upload(("turned.npy", npy(signal))))
    (record,) = served.client.get("/v1/records").json()["records"]
    assert {site["name"] for site in record["sites"] if site["doubtful"]} == {"septal", "anteroseptal"}
    assert served.browser(headers={"Accept-Language": "en"}).get("/").text.count("(uncertain)") == 2
    answer = served.client.get(f"/v1/records/{record['id']}").json()["answer"]
    notes = {note["site"]: note for note in answer["warnings"] if note["code"] == "uncertain_site"}
    assert set(notes) == {"septal", "anteroseptal"}
    english, russian = (
        served.browser(headers={"Accept-Language": language}).get(record["url"]).text for language in ("en", "ru")
    )
    assert english.count("(uncertain)") == russian.count("(ненадёжно)") == 2
    assert english.count('<span class="hint">uncertain</span>') == 2
    assert notes["septal"]["message"] in english
    assert "эта локализация ненадёжна" in russian
