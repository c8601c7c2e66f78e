"""What a report says, to whom it is readable, and that no text of a recording becomes part of the file's language."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from drawn import SVG, read_svg
from tiny import SITES, write_models

import ecg_edge
from ecg_edge import Detector, Recording, read_recording
from ecg_edge.findings import Note, SiteFinding
from ecg_edge.package_data import example_recordings
from ecg_edge.report import Choices, draw_report
from ecg_edge.report.shapes import Words
from ecg_edge.report.text import clean, measure, shorten, wrap

HOSTILE = (
    "</title><script>alert(1)</script>\"'&<!-- ]]> \x00\x1b[31m\u202eevil\ud800 \U0001f600\ufffe &#x41; --> Иванов 山"
)
REVIEW = "Unconfirmed: for review by a clinician"


@pytest.fixture(scope="module")
def infarction(shipped):
    return ecg_edge.report(read_recording(example_recordings() / "inferior_infarction.npy"), shipped)


def read_html(report):
    return read_svg(report.to_html().removeprefix("<!DOCTYPE html>\n"))


def test_an_infarction_is_stated_in_the_words_of_the_finding(infarction):
    drawing = read_svg(infarction.to_svg())
    assert drawing.words("statement") == ["Pattern consistent with myocardial infarction, inferior; age undetermined"]
    assert REVIEW in drawing.words("review")
    finding = infarction.finding
    assert f"threshold {finding.threshold:.3f}" in drawing.words("answer")[0]
    cells = drawing.words("site")
    for site in finding.sites:
        assert {site.site, f"{site.threshold:.3f}"} <= set(cells)
    assert cells.count("found") == len(finding.found_sites)


def test_a_report_says_what_it_was_made_from_and_how_it_is_drawn(infarction):
    drawing = read_svg(infarction.to_svg())
    assert drawing.words("settings") == [
        "25 mm/s, 10 mm/mV, filters: none, baseline: each lead is drawn less its median"
    ]
    assert drawing.words("recording") == ["10.0 s at 500 Hz, samples in mV; drawn from 0.0 to 10.0 s"]
    footer = " ".join(drawing.words("provenance"))
    for part in ("Record inferior_infarction.", f"ecg_edge {ecg_edge.__version__}", "CPUExecutionProvider"):
        assert part in footer
    for model in infarction.finding.provenance.models:
        assert f"{model.name} {model.version}" in footer
        assert model.sha256 in footer.replace(" ", "")


def test_a_refused_recording_is_drawn_with_its_reasons_and_without_probabilities(gated, draw):
    rng = np.random.default_rng(0)
    signal = rng.normal(0, 0.3, (8, 5000)).astype(np.float32)
    signal[4:6] = 0
    report = draw(Recording(signal, leads=("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")), gated)
    assert report.finding.status == "cannot_analyse"
    drawing = read_svg(report.to_svg())
    assert drawing.words("statement") == ["Cannot be analysed"]
    assert any(note.startswith("Reason: V3, V4 are flat") for note in drawing.words("note"))
    assert drawing.words("no-probability") == ["no probability"]
    assert drawing.words("answer") == ["No probability of infarction"]
    assert not drawing.lines("window")
    assert not drawing.lines("threshold")
    assert not drawing.words("site")
    assert len(drawing.leads("trace")) == 11  # all but V3 and V4, and II again


def test_a_warning_stands_at_its_time_under_its_lead(beats, draw):
    recording = beats()
    signal = recording.signal.copy()
    signal[5, 4000:4750] = 0.4  # V4 is flat from 8 to 9.5 s
    report = draw(Recording(signal, leads=recording.leads))
    (note,) = (note for note in report.finding.warnings if note.code == "flat_lead")
    drawing = read_svg(report.to_svg())
    bars = [bar for bar in drawing.lines("mark") if (bar[0, 0] - 31) / 25 == pytest.approx(note.start_s, abs=0.01)]
    (bar,) = bars
    assert np.ptp(bar[:, 0]) / 25 == pytest.approx(note.stop_s - note.start_s, abs=0.01)
    trace = drawing.lines("trace", "V4")[0]
    beneath = trace[(trace[:, 0] >= bar[0, 0]) & (trace[:, 0] <= bar[1, 0])]
    assert beneath[:, 1].max() < bar[0, 1] < trace[:, 1].max() + 10
    assert "flat" in drawing.words("mark")
    assert any(note.message in text for text in drawing.words("note"))


def test_a_warning_outside_the_picture_is_told_and_not_drawn(beats, draw):
    recording = beats(20.0)
    signal = recording.signal.copy()
    signal[5, 8000:9000] = 0.4
    drawing = read_svg(draw(Recording(signal, leads=recording.leads)).to_svg())
    assert not drawing.lines("mark")
    assert any("V4 is flat" in text for text in drawing.words("note"))


def test_warnings_of_all_leads_stand_over_them(beats, draw):
    recording = beats()
    report = draw(recording)
    note = Note("pacing_spikes", "spikes", start_s=2.0, stop_s=4.0)
    finding = replace(report.finding, warnings=(note,))
    drawing = read_svg(draw_report(recording, finding, 1.6, Choices()).to_svg())
    assert "pacing spikes" in drawing.words("mark")
    (bar,) = drawing.lines("mark")
    assert (bar[:, 0] - 31) / 25 == pytest.approx([2, 4], abs=0.01)
    assert bar[0, 1] < min(line[:, 1].min() for lead in ("I", "aVR") for line in drawing.lines("trace", lead))


def test_more_notes_than_fit_go_to_further_sheets(beats, draw):
    recording = beats()
    notes = tuple(Note(f"code_{i}", f"warning number {i} " + "of many words " * 12) for i in range(60))
    finding = replace(draw(recording).finding, warnings=notes)
    report = draw_report(recording, finding, 1.6, Choices())
    assert len(report.sheets) > 2
    root = read_svg(report.to_svg()).root
    assert root.get("height") == f"{210 * len(report.sheets)}mm"
    told = " ".join(read_svg(report.to_svg()).words("note"))
    assert all(f"warning number {i} " in told for i in range(60))
    assert len(read_html(report).pictures) == len(report.sheets)
    for text in read_svg(report.to_svg()).texts():
        assert 5 < float(text.get("y")) < 207


def test_the_statement_is_whole_where_each_site_is_doubtful(infarction):
    recording = read_recording(example_recordings() / "inferior_infarction.npy")
    sites = tuple(replace(site, probability=0.9) for site in infarction.finding.sites)
    notes = tuple(Note("unproven_site" if name == "lateral" else "uncertain_site", "", site=name) for name in SITES)
    finding = replace(infarction.finding, sites=sites, warnings=notes)
    drawing = read_svg(draw_report(recording, finding, 1.6, Choices()).to_svg())
    (statement,) = drawing.words("statement")
    assert statement.endswith("anteroseptal, inferior; site unproven: lateral; age undetermined")
    assert drawing.words("site").count("found, uncertain") == 5


@pytest.mark.parametrize("n_notes", [0, 60])
def test_no_line_of_text_runs_into_another(beats, draw, n_notes):
    recording = beats()
    notes = tuple(Note(f"code_{i}", f"warning number {i} " + "of many words " * 12) for i in range(n_notes))
    doubts = tuple(Note("uncertain_site", "doubtful", site=site) for site in SITES)
    sites = tuple(SiteFinding(site, 0.9, 0.5) for site in SITES)
    finding = replace(draw(recording).finding, status="detected", sites=sites, warnings=(*notes, *doubts))
    for sheet in draw_report(recording, finding, 1.6, Choices()).sheets:
        taken = {}
        for words in (shape for shape in sheet.shapes if isinstance(shape, Words)):
            width = measure(words.text, words.size, bold=words.bold)
            left = words.x - width * {"start": 0, "middle": 0.5, "end": 1}[words.anchor]
            taken.setdefault(words.y, []).append((left, left + width))
        for spans in map(sorted, taken.values()):
            assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_no_text_leaves_the_paper(draw, beats):
    for layout in ("3x4", "6x2", "12x1"):
        drawing = read_svg(draw(beats(name="W" * 500), layout=layout).to_svg())
        for text in drawing.texts():
            width = measure(text.text, float(text.get("font-size")), bold=text.get("font-weight") == "bold")
            left = float(text.get("x")) - width * {"middle": 0.5, "end": 1}.get(text.get("text-anchor"), 0)
            assert 0 <= left
            assert left + width <= 297


@pytest.fixture
def hostile(beats, draw):
    recording = beats(name=HOSTILE)
    finding = draw(recording).finding
    model = replace(finding.provenance.models[0], name=HOSTILE)
    finding = replace(
        finding,
        warnings=(Note(HOSTILE, HOSTILE, lead="V1", start_s=0.0, stop_s=1.0), Note("a", HOSTILE, start_s=0, stop_s=9)),
        sites=tuple(replace(site, site=HOSTILE) for site in finding.sites),
        provenance=replace(finding.provenance, models=(model,)),
    )
    return draw_report(recording, finding, 1.6, Choices())


def test_hostile_text_stays_text(hostile):
    for drawing in (read_svg(hostile.to_svg()), read_html(hostile)):
        names = {element.tag.rpartition("}")[2] for element in drawing.root.iter()}
        assert not names & {"script", "a", "image", "foreignObject", "iframe", "link", "use", "animate", "set"}
        assert any("<script>alert(1)</script>" in (text.text or "") for text in drawing.root.iter())
        for element in drawing.root.iter():
            assert not any(name.lower().startswith("on") for name in element.attrib)


def test_files_load_nothing_from_outside(hostile, infarction):
    for report in (hostile, infarction):
        for text in (report.to_svg(), report.to_html()):
            assert "href" not in text
            assert "url(" not in text
            assert "@import" not in text
            assert "http" not in text.replace("http://www.w3.org/", "").replace("http-equiv", "")


def test_characters_that_steer_or_that_xml_forbids_are_written_as_their_numbers():
    assert clean("a\x00b\x1b\u202ec\ud800\ufffe") == "a\\x00b\\x1b\\u202ec\\ud800\\ufffe"
    assert clean("  two\n\tlines ") == "two lines"
    assert clean("Иванов 山 😀") == "Иванов 山 😀"


def test_a_figure_has_a_name_and_a_description_that_tells_the_finding(infarction):
    root = read_svg(infarction.to_svg()).root
    assert root.get("role") == "img"
    title, description = root.get("aria-labelledby").split()
    texts = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    assert texts[title] == "ECG inferior_infarction"
    for part in ("Pattern consistent with myocardial infarction, inferior", "Probability of infarction 0.99", REVIEW):
        assert part in texts[description]
    assert {root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")} == {title, description}


def test_the_page_tells_the_same_in_words_for_reading_aloud(infarction):
    root = read_html(infarction).root
    assert root.get("lang") == "en"
    text = " ".join(root.itertext())
    for site in SITES:
        assert site in text
    assert "found" in text
    assert REVIEW in text


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_traces_and_words_stand_out_from_the_grid_also_in_grey_print(infarction):
    root = read_svg(infarction.to_svg()).root
    colours = {path.get("class"): path.get("stroke") for path in root.iter(f"{SVG}path") if path.get("stroke")}
    grid = min(luminance(colours[part]) for part in ("grid-1mm", "grid-5mm"))
    inks = [colours["trace"], colours["pulse"], *(text.get("fill", "#000000") for text in root.iter(f"{SVG}text"))]
    for ink in inks:
        assert (grid + 0.05) / (luminance(ink) + 0.05) > 4.5


def test_a_long_text_is_broken_into_lines_that_fit_and_lose_nothing():
    text = "one two three " * 20 + "x" * 300
    lines = list(wrap(text, 2.8, 80))
    assert all(measure(line, 2.8) <= 80 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_name_that_is_too_long_ends_with_an_ellipsis():
    assert shorten("short", 3, 100) == "short"
    cut = shorten("long" * 100, 3, 50)
    assert cut.endswith("…")
    assert measure(cut, 3) <= 50


def test_a_not_detected_recording_with_all_sites_says_that_they_mean_nothing(tmp_path, beats):
    detector = Detector(write_models(tmp_path), quality_gate="warn")
    report = ecg_edge.report(beats(), detector, all_sites=True)
    assert report.finding.status == "not_detected"
    assert "Sites mean something only where an infarction is found." in read_svg(report.to_svg()).words("note")


def test_the_function_answers_with_the_shipped_models_by_itself():
    report = ecg_edge.report(read_recording(example_recordings() / "normal.npy"))
    assert report.finding.status == "not_detected"
    assert len(report.finding.timeline.start_s) == 43


def test_a_path_in_place_of_a_recording_is_an_error():
    with pytest.raises(TypeError, match="expected a Recording, found str"):
        ecg_edge.report("normal.npy")


def test_a_file_is_saved_in_the_format_of_its_ending(infarction, tmp_path):
    for ending, head in ((".svg", b"<?xml"), (".HTML", b"<!DOCTYPE html>")):
        infarction.save(tmp_path / f"report{ending}")
        assert (tmp_path / f"report{ending}").read_bytes().startswith(head)
    with pytest.raises(ValueError, match="the format is 'txt', expected one of svg, html, pdf"):
        infarction.save(tmp_path / "report.txt")


def test_a_report_of_a_real_recording_is_small(infarction, draw, beats):
    assert len(infarction.to_svg()) < 300_000
    assert len(draw(beats(), layout="12x1").to_svg()) < 300_000
