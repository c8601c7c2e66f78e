"""XML of electrocardiographs, written by hand: scale, leads, rate and rhythm are those of the file, or it is refused."""

import re
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
from written_vendor import EIGHT, LEADS, aecg, cardiosoft, mortara, muse, philips

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, MissingExtraError, UndeclaredError
from ecg_edge.readers import PassedOver, find_candidates, find_records

pytest.importorskip("ecgdatakit", "2.0")
STEPS = np.random.default_rng(0).normal(0, 100, (12, 2000)).round().astype(int)
STEPS[2] = STEPS[1] - STEPS[0]
OF_EIGHT = [LEADS.index(lead) for lead in EIGHT]
STRIP = {"muse": STEPS[OF_EIGHT], "aecg": STEPS, "mortara": STEPS, "cardiosoft": STEPS, "philips": STEPS}
WRITERS = {"muse": muse, "aecg": aecg, "mortara": mortara, "cardiosoft": cardiosoft, "philips": philips}
MICROVOLTS = {"muse": 4.88, "aecg": 5, "mortara": 5, "cardiosoft": 5, "philips": 5}


def read(tmp_path, content, name="a.xml", **declared):
    (tmp_path / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_recording(tmp_path / name, **declared)


def refuse(tmp_path, content, match, **declared):
    with pytest.raises(EcgEdgeError, match=match) as caught:
        read(tmp_path, content, **declared)
    assert "\n" not in str(caught.value)
    assert "/proc/" not in str(caught.value)


def expected(kind):
    twelve = STEPS.astype(float)
    if kind == "muse":
        twelve[3:6] = [-(STEPS[0] + STEPS[1]) / 2, STEPS[0] - STEPS[1] / 2, STEPS[1] - STEPS[0] / 2]
    return twelve * MICROVOLTS[kind] / 1000


@pytest.mark.parametrize("kind", WRITERS)
def test_the_rhythm_is_read_in_millivolts_and_not_the_median_beats(tmp_path, kind):
    recording = read(tmp_path, WRITERS[kind](STRIP[kind]))
    assert (recording.sampling_rate, recording.name) == (500, "a")
    np.testing.assert_allclose(recording.stretch(0, 2000), expected(kind), atol=1e-5)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_the_encoding_does_not_matter(tmp_path, kind, encoding):
    text = WRITERS[kind](STRIP[kind]).decode().replace("?>", "?><!-- größer -->\n", 1)
    recording = read(tmp_path, text.encode(encoding))
    np.testing.assert_allclose(recording.stretch(0, 2000), expected(kind), atol=1e-5)


@pytest.mark.parametrize("kind", WRITERS)
def test_it_is_known_by_its_content_in_folders_and_archives(tmp_path, kind):
    (tmp_path / "IM0001").write_bytes(WRITERS[kind](STRIP[kind]))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("export/second.xml", WRITERS[kind](STRIP[kind]))
    records = list(find_records(tmp_path))
    assert [record.name for record in records] == ["IM0001", "second"]
    for record in records:
        np.testing.assert_allclose(record.read().stretch(0, 2000), expected(kind), atol=1e-5)


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "philips"])
def test_leads_come_in_any_order_and_others_are_left_out(tmp_path, kind):
    order = np.random.default_rng(1).permutation(12)
    names = [LEADS[i] for i in order] + ["V7", "V3R"]
    steps = np.vstack([STEPS[order], STEPS[:2]])
    recording = read(tmp_path, WRITERS[kind](steps, names))
    np.testing.assert_allclose(recording.stretch(0, 2000), STEPS * MICROVOLTS[kind] / 1000, atol=1e-5)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_lead_that_occurs_twice_is_refused(tmp_path, kind):
    names = ["I", *LEADS, "II"] if kind != "philips" else [*LEADS, "V1", "II"]
    refuse(tmp_path, WRITERS[kind](STEPS[[0, *range(12), 1]], names), "two channels are the lead")


@pytest.mark.parametrize("kind", WRITERS)
def test_missing_leads_are_named(tmp_path, kind):
    refuse(tmp_path, WRITERS[kind](STEPS[:6], LEADS[:6]), "the leads V1, V2, V3, V4, V5, V6 of I, II")


@pytest.mark.parametrize("kind", ["muse", "aecg", "mortara", "cardiosoft"])
def test_leads_of_different_lengths_are_refused(tmp_path, kind):
    rows = [row[: 2000 - i] for i, row in enumerate(STEPS)]
    refuse(tmp_path, WRITERS[kind](rows, LEADS), "different lengths, 1989 to 2000|states 2000 samples of II")


RATES = {
    "muse": (muse(STEPS[OF_EIGHT], base=2405, exponent=-1), 240.5),
    "aecg": (aecg(STEPS, increment="3.9", unit="ms"), 1000 / 3.9),
    "mortara": (mortara(STEPS, rate="499.75"), 499.75),
    "cardiosoft": (cardiosoft(STEPS, rate="240.5"), 240.5),
    "philips": (philips(STEPS, rate="500"), 500),
}


@pytest.mark.parametrize("kind", RATES)
def test_the_rate_is_exact(tmp_path, kind):
    content, rate = RATES[kind]
    assert read(tmp_path, content).sampling_rate == pytest.approx(rate, rel=1e-9)


def test_a_rate_that_contradicts_the_caller_is_refused(tmp_path):
    refuse(tmp_path, muse(STEPS[OF_EIGHT]), "the file states 500 Hz", sampling_rate=250)


UNITS = {
    "muse": (muse(STEPS[OF_EIGHT], units="MILLIVOLTS", per_bit=0.005), 5),
    "aecg": (aecg(STEPS, scale="0.005", units="mV"), 5),
    "mortara": (mortara(STEPS, per_mv="1000"), 1),
    "cardiosoft": (cardiosoft(STEPS, resolution="0.0025", units="mVperLsb"), 2.5),
    "philips": (philips(STEPS, resolution="2.5"), 2.5),
}


@pytest.mark.parametrize("kind", UNITS)
def test_units_and_scale_are_those_of_the_file(tmp_path, kind):
    content, microvolts = UNITS[kind]
    found = read(tmp_path, content).stretch(0, 2000)
    np.testing.assert_allclose(found[:2], STEPS[:2] * microvolts / 1000, atol=1e-5)


NO_UNITS = {
    "muse": muse(STEPS[OF_EIGHT], units=""),
    "aecg": aecg(STEPS, units=""),
    "cardiosoft": cardiosoft(STEPS, units=""),
}


@pytest.mark.parametrize("kind", NO_UNITS)
def test_units_that_the_file_does_not_state_must_be_stated_by_the_caller(tmp_path, kind):
    refuse(tmp_path, NO_UNITS[kind], "does not state its units; pass --units")
    found = read(tmp_path, NO_UNITS[kind], units="uV").stretch(0, 2000)
    np.testing.assert_allclose(found[:2], STEPS[:2] * MICROVOLTS[kind] / 1000, atol=1e-5)


ODD_UNITS = {
    "muse": muse(STEPS[OF_EIGHT], units="PARSEC"),
    "aecg": aecg(STEPS, units="parsec"),
    "cardiosoft": cardiosoft(STEPS, units="parsec"),
}


@pytest.mark.parametrize("kind", ODD_UNITS)
def test_a_unit_that_is_not_a_voltage_is_named(tmp_path, kind):
    refuse(tmp_path, ODD_UNITS[kind], "(?i)parsec is not a voltage unit")


NO_SCALE = {
    "muse": muse(STEPS[OF_EIGHT], per_bit=""),
    "aecg": aecg(STEPS, scale=""),
    "aecg of scale 0": aecg(STEPS, scale="0"),
    "mortara": mortara(STEPS, per_mv=""),
    "mortara of 0 steps": mortara(STEPS, per_mv="0"),
    "cardiosoft": cardiosoft(STEPS, resolution=""),
    "philips": philips(STEPS, resolution="0"),
}


@pytest.mark.parametrize("kind", NO_SCALE)
def test_steps_without_a_scale_are_not_taken_for_microvolts(tmp_path, kind):
    refuse(tmp_path, NO_SCALE[kind], "does not state its calibration: the gain of I is 0 or missing; pass --gain")


@pytest.mark.parametrize("units", [None, "uV", "mV"])
@pytest.mark.parametrize("kind", NO_SCALE)
def test_a_gain_per_millivolt_calibrates_them_whatever_the_unit(tmp_path, kind, units):
    found = read(tmp_path, NO_SCALE[kind], gain=200, units=units).stretch(0, 2000)
    np.testing.assert_allclose(found[:2], STEPS[:2] / 200, atol=1e-5)


def test_an_origin_of_the_scale_is_applied(tmp_path):
    found = read(tmp_path, aecg(STEPS, origin="1000")).stretch(0, 2000)
    np.testing.assert_allclose(found, STEPS * 0.005 + 1, atol=1e-5)


PARTS = {
    "two rhythms of MUSE": muse(STEPS[OF_EIGHT]).replace(
        b"</RestingECG>", re.search(rb"<Waveform><WaveformType>Rhythm.*(?=</RestingECG>)", muse(STEPS[OF_EIGHT]))[0] + b"</RestingECG>"
    ),
    "two sets of aECG": aecg(STEPS, sets=2),
    "two series of aECG": aecg(STEPS).replace(b"</component></AnnotatedECG>", b"</component><component><series/></component></AnnotatedECG>"),
    "two strips of CardioSoft": cardiosoft(STEPS, strips=2),
    "two rhythms of Philips": philips(STEPS, waveforms=2),
}  # fmt: skip


@pytest.mark.parametrize("what", PARTS)
def test_a_part_of_a_recording_does_not_pass_for_all_of_it(tmp_path, what):
    refuse(tmp_path, PARTS[what], "holds (more than one recording|2 strips|2 rhythms)")


NO_RHYTHM = {
    "muse": muse(STEPS[OF_EIGHT], rhythm="Median"),
    "aecg": aecg(STEPS, code="REPRESENTATIVE_BEAT"),
    "aecg of another code": aecg(STEPS, code="MEDIAN"),
    "cardiosoft": cardiosoft(STEPS, strips=0),
    "philips": philips(STEPS, waveforms=0),
    "mortara": re.sub(rb"<CHANNEL .*?/>", b"", mortara(STEPS)),
}


@pytest.mark.parametrize("kind", NO_RHYTHM)
def test_computed_beats_are_never_read(tmp_path, kind):
    refuse(tmp_path, NO_RHYTHM[kind], r"(?i)no rhythm|not hold a rhythm|0 strips|parsedwaveforms|No CHANNEL")


def test_a_lead_that_was_off_is_refused(tmp_path):
    content = muse(STEPS[OF_EIGHT], extra="<LeadOff>LEAD</LeadOff>")
    content = re.sub(rb"<LeadOff>(\w+)</LeadOff>", lambda f: b"<LeadOff>%s</LeadOff>" % (b"TRUE" if f[1] == b"V3" else b"FALSE"), content)  # fmt: skip
    refuse(tmp_path, content, "states that the lead V3 is disconnected")


@pytest.mark.parametrize("mark", ["LeadTimeOffset", "LeadOffsetFirstSample"])
def test_leads_that_do_not_begin_together_are_refused(tmp_path, mark):
    content = muse(STEPS[OF_EIGHT], extra=f"<{mark}>LEAD</{mark}>")
    content = re.sub(rf"<{mark}>(V\d|I+)</".encode(), lambda f: f"<{mark}>{1250 if f[1][:1] == b'V' else 0}</".encode(), content)  # fmt: skip
    refuse(tmp_path, content, f"not recorded at the same time .{mark}.")


def test_a_wrong_checksum_is_a_warning_of_the_finding(tmp_path, tiny):
    (tmp_path / "a.xml").write_bytes(muse(STEPS[OF_EIGHT], extra="<LeadDataCRC32>1</LeadDataCRC32>"))
    warned = tiny.detect(read_recording(tmp_path / "a.xml")).warnings
    (note,) = [note for note in warned if note.code == "wrong_checksum"]
    assert "CRC32 mismatch in lead I" in note.message


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("version", ["1.03", "1.04", "1.04.01"])
def test_philips_of_any_version_is_read_compressed_or_not(tmp_path, compressed, version):
    steps = np.cumsum(STEPS // 8, axis=1)  # large enough for many codes
    found = read(tmp_path, philips(steps, compressed=compressed, version=version)).stretch(0, 2000)
    np.testing.assert_allclose(found, steps * 0.005, atol=1e-4)


def test_compressed_leads_in_another_order_are_refused(tmp_path):
    order = [1, 0, *range(2, 12)]
    refuse(tmp_path, philips(STEPS[order], [LEADS[i] for i in order]), "compressed leads in an order that is not known")


def test_the_calibration_pulse_at_the_end_of_a_philips_recording_is_left_out(tmp_path):
    pulse = np.repeat([0, 200, 0], [50, 100, 50])
    steps = np.hstack([STEPS, np.tile(pulse, (12, 1))])
    recording = read(tmp_path, philips(steps))
    assert recording.samples == 2000
    np.testing.assert_allclose(recording.stretch(0, 2000), STEPS * 0.005, atol=1e-5)


def test_a_quiet_end_of_a_philips_recording_is_kept(tmp_path):
    assert read(tmp_path, philips(np.hstack([STEPS, np.zeros((12, 200), int)]))).samples == 2200


OTHERS = {
    "<examdescript><maker>SCHILLER AG</maker><eventdata ecg='1'/></examdescript>": "is XML by Schiller of a dialect that is not read .root element <examdescript>.; export as MUSE XML",
    "<NK><Company>Nihon Kohden</Company><ECG/></NK>": "is XML by Nihon Kohden of a dialect",
    "<x:ecgData xmlns:x='a'><Waveform/></x:ecgData>": "is XML of a dialect that is not read .root element <ecgData>",
    "<ecg><maker>Norav</maker></ecg>": "is XML by Norav of a dialect that is not read .root element <ecg>",
}


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_unknown_dialect_is_named(tmp_path, text, encoding):
    content = f"<?xml version='1.0' encoding='{encoding}'?><!-- ECG -->\n{text}".encode(encoding)
    refuse(tmp_path, content, OTHERS[text])
    (tmp_path / "b.xml").write_bytes(WRITERS["mortara"](STEPS))
    (over,) = [item for item in find_candidates(tmp_path) if isinstance(item, PassedOver)]
    assert re.match(OTHERS[text], over.reason)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (mortara(STEPS).decode().encode("utf-32"), "is text in UTF-32; save it in UTF-8"),
        (b"<!-- ECG " + b"x" * 9000 + b"-->" + mortara(STEPS), "has no XML element in its first 8192 bytes"),
    ],
)
def test_an_xml_that_is_not_recognised_is_told_alone_and_in_a_folder(tmp_path, content, why):
    refuse(tmp_path, content, why.removeprefix("is "))
    over, _ = find_candidates(tmp_path)
    assert over.reason == why


def test_an_xml_that_is_no_ecg_is_not_named(tmp_path):
    (tmp_path / "settings.xml").write_text("<settings/>")
    (tmp_path / "b.xml").write_bytes(mortara(STEPS))
    assert [item.source for item in find_candidates(tmp_path)] == [str(tmp_path / "b.xml")]


def hide_the_library(monkeypatch):
    class Hidden:
        @staticmethod
        def find_spec(name, *_):
            if name.partition(".")[0] == "ecgdatakit":
                raise ModuleNotFoundError(name=name)

    for name in [name for name in sys.modules if name.startswith("ecgdatakit")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hidden, *sys.meta_path])


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "cardiosoft"])
def test_a_missing_library_is_named_by_its_extra(tmp_path, monkeypatch, kind):
    hide_the_library(monkeypatch)
    with pytest.raises(MissingExtraError, match=r'pip install "ecg_edge\[vendor\]"'):
        read(tmp_path, WRITERS[kind](STRIP[kind]))


def test_cardiosoft_needs_no_library(tmp_path, monkeypatch):
    hide_the_library(monkeypatch)
    np.testing.assert_allclose(read(tmp_path, cardiosoft(STEPS)).stretch(0, 2000), STEPS * 0.005, atol=1e-5)


def test_a_library_that_cannot_be_imported_costs_its_own_records(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    (records / "a.xml").write_bytes(cardiosoft(np.tile(STEPS, 3)))
    (records / "b.xml").write_bytes(muse(STEPS[OF_EIGHT]))
    (tmp_path / "defusedxml.py").write_text("raise ValueError('built for another version')")
    command = [sys.executable, "-m", "ecg_edge", "run", str(records), "--format", "csv", "--no-quality-gate"]
    project = read_recording.__globals__["__file__"].rpartition("/ecg_edge/")[0]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PYTHONPATH": f"{tmp_path}:{project}"}, cwd=tmp_path
    )
    assert [line.split(",")[2] == "error" for line in result.stdout.splitlines()[1:]] == [False, True]
    assert "the library ecgdatakit cannot be imported (ValueError: built for another version)" in result.stdout


def test_where_memory_has_no_path_a_file_is_written_and_removed(tmp_path, monkeypatch):
    monkeypatch.delattr("os.memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    found = read(tmp_path, mortara(STEPS)).stretch(0, 2000)
    np.testing.assert_allclose(found, STEPS * 0.005, atol=1e-5)
    refuse(tmp_path, mortara(STEPS)[:-30], "is not valid Mortara XML")
    assert not list((tmp_path / "temporary").iterdir())


def test_the_filters_of_warnings_are_as_before(tmp_path):
    before = list(warnings.filters)
    (tmp_path / "a.xml").write_bytes(muse(STEPS[OF_EIGHT]))
    read_recording(tmp_path / "a.xml")
    assert warnings.filters == before


def test_errors_of_leads_have_their_class(tmp_path):
    with pytest.raises(UndeclaredError):
        read(tmp_path, NO_UNITS["muse"])
    with pytest.raises(InvalidRecordingError):
        read(tmp_path, muse(STEPS[:6], LEADS[:6]))
