"""The same recording in every format gives the same answer."""

import io
import json
import subprocess
import sys
import zipfile
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest
from written import WRITERS, write_csv, write_edf, write_npy, write_wfdb

from ecg_edge import read_recording
from ecg_edge.errors import ContradictionError, MissingExtraError, UndeclaredError, UnreadableError
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import Declared, find_records, formats, registry
from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.resampling import resample

SIGNAL = np.load(example_recordings() / "inferior_infarction.npy")
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
LIBRARIES = {".dcm": "pydicom"}
pytestmark = pytest.mark.filterwarnings("ignore:.*inplace keyword")
SHUFFLED = ("vx", "v6", "V5", "c4", "v3", "ECG V2", "v1", "avf", "AVL", "Lead aVR", "iii", "DII", "i", "V7", "vz")


def rows_of(names):
    """The example's rows under other names and in another order; made-up rows for what is no lead."""
    from ecg_edge.recording.leads import canonical_lead

    leads = [canonical_lead(name) for name in names]
    noise = np.random.default_rng(0).normal(0, 1, (len(names), SIGNAL.shape[1]))
    return np.stack([SIGNAL[LEADS.index(lead)] if lead else noise[row] for row, lead in enumerate(leads)])


def ecg_edge(*arguments):
    command = [sys.executable, "-m", "ecg_edge", "run", *map(str, arguments), "--format", "json"]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def test_the_command_line_answers_every_format_alike(tmp_path):
    for suffix, write in WRITERS.items():
        for library in ("pydicom", "edfio"):
            pytest.importorskip(library)
        write(tmp_path / f"as{suffix[1:]}{suffix}", SIGNAL)
    result = ecg_edge(tmp_path)
    findings = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert [finding["record"] for finding in findings] == ["ascsv", "asdcm", "asedf", "ashea", "asnpy"]
    assert {finding["status"] for finding in findings} == {"detected"}
    assert [[site["site"] for site in finding["sites"] if site["found"]] for finding in findings] == [["inferior"]] * 5
    assert [finding["probability"] for finding in findings] == pytest.approx(
        [findings[-1]["probability"]] * 5, abs=1e-3
    )


@pytest.mark.parametrize("suffix", [".csv", ".hea", ".edf", ".dcm"])
@pytest.mark.parametrize("names", [LEADS, EIGHT, SHUFFLED], ids=["twelve", "eight", "shuffled"])
@pytest.mark.parametrize("rate", [500, 1000])
def test_leads_in_any_order_spelling_and_number_are_read_as_millivolts(tmp_path, suffix, names, rate):
    if rate == 1000:
        pytest.importorskip("soxr")
    signal = rows_of(names)
    if rate == 1000:
        signal = np.repeat(signal, 2, axis=1)
    recording = read_recording(WRITERS[suffix](tmp_path / f"a{suffix}", signal, rate=rate, leads=names))
    assert (recording.sampling_rate, recording.duration_s) == (rate, 10)
    found = recording.stretch(0, recording.samples)[:, :: rate // 500]
    np.testing.assert_allclose(found, SIGNAL, atol=2.1e-3)
    assert resample(recording, 500).samples == 5000


@pytest.mark.parametrize("suffix", [".csv", ".hea", ".edf"])
def test_microvolts_become_millivolts(tmp_path, suffix):
    path = WRITERS[suffix](tmp_path / f"a{suffix}", SIGNAL * 1000, units="uV")
    np.testing.assert_allclose(read_recording(path).stretch(0, 5000), SIGNAL, atol=1e-3)
    with pytest.raises(ContradictionError, match=r"the file states uV, but --units \(in Python units=...\) states mV"):
        read_recording(path, units="mV")


@pytest.mark.parametrize("suffix", [".csv", ".hea", ".edf", ".dcm"])
def test_a_file_that_declares_its_rate_is_not_overruled(tmp_path, suffix):
    path = WRITERS[suffix](tmp_path / f"a{suffix}", SIGNAL, rate=500)
    assert read_recording(path, sampling_rate=500).sampling_rate == 500
    with pytest.raises(ContradictionError, match=r"states 500 Hz, but --sampling-rate .* states 250"):
        read_recording(path, sampling_rate=250)


@pytest.mark.parametrize("suffix", [".csv", ".hea", ".edf", ".dcm"])
def test_a_missing_lead_is_named(tmp_path, suffix):
    path = WRITERS[suffix](tmp_path / f"a{suffix}", SIGNAL[:7], leads=LEADS[:7])
    with pytest.raises(ValueError, match="V2, V3, V4, V5, V6 of I, II, V1 to V6 are missing; the channels are I, II"):
        read_recording(path)


def test_leads_that_the_caller_names_rename_what_the_file_does_not(tmp_path):
    path = write_csv(tmp_path / "a.csv", SIGNAL[[1, 0, *range(2, 12)]], leads=("I?", "II?", *LEADS[2:]))
    swapped = ("II", "I", *LEADS[2:])
    np.testing.assert_allclose(read_recording(path, leads=swapped).stretch(0, 5000), SIGNAL, atol=1e-4)
    with pytest.raises(ContradictionError, match=r"the file states III, but --leads .* states V6"):
        read_recording(path, leads=("II", "I", *LEADS[:1:-1]))
    with pytest.raises(ContradictionError, match=r"states 12 channels, .* states 8"):
        read_recording(path, leads=EIGHT)


def test_an_npy_is_what_the_caller_declares_it_to_be(tmp_path):
    pytest.importorskip("soxr")
    path = write_npy(tmp_path / "a.npy", rows_of(SHUFFLED)[:, ::2] * 1000)
    recording = read_recording(path, sampling_rate=250, units="uV", leads=SHUFFLED)
    assert (recording.sampling_rate, recording.duration_s) == (250, 10)
    np.testing.assert_allclose(recording.stretch(0, 2500), SIGNAL[:, ::2], atol=1e-5)
    options = ["--sampling-rate", 250, "--units", "uV", "--leads", ",".join(SHUFFLED)]
    (finding,) = json.loads(ecg_edge(path, *options).stdout)
    assert (finding["status"], finding["sampling_rate"]) == ("detected", 250)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--units", "mmHg"], "mmHg is not a voltage unit"),
        (["--sampling-rate", "0"], "the sampling rate must be a positive number"),
        (["--sampling-rate", "nan"], "the sampling rate must be a positive number"),
        (["--leads", "I,II,V1"], "the leads V2, V3, V4, V5, V6 of"),
        (["--leads", "I,II,V1,V2,V3,V4,V5,V6,C6"], "two channels are the lead V6"),
    ],
)
def test_an_invalid_option_is_wrong_usage(options, message):
    result = ecg_edge("x.npy", *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_zip_may_hold_files_of_all_formats_that_are_one_file(tmp_path):
    for library in ("pydicom", "edfio"):
        pytest.importorskip(library)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in (".csv", ".dcm", ".edf", ".npy"):
            archive.write(WRITERS[suffix](tmp_path / f"{suffix[1:]}{suffix}", SIGNAL), f"{suffix[1:]}{suffix}")
        archive.writestr("labels.csv", "record_name,a,b,c,d,e,f,g\nx,0,0,0,0,0,0,1\n")
    recordings = [record.read() for record in find_records(tmp_path / "z.zip")]
    assert [recording.name for recording in recordings] == ["csv", "dcm", "edf", "npy"]
    for recording in recordings:
        np.testing.assert_allclose(recording.stretch(0, 5000), SIGNAL, atol=2e-3)


def test_an_archive_without_a_recording_says_what_it_may_hold(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.pdf", "%PDF-1.7")
        archive.writestr("a.scp", "?")
    with pytest.raises(
        UnreadableError, match=r"does not hold a recording \(.*\.npy.*\); a\.scp looks like an SCP-ECG file"
    ):
        read_recording(tmp_path / "z.zip")


def test_a_folder_lists_a_wfdb_record_once_and_skips_tables_of_other_things(tmp_path):
    write_wfdb(tmp_path / "r.hea", SIGNAL)
    (tmp_path / "labels.csv").write_text("record_name,a,b,c,d,e,f,g\nx,0,0,0,0,0,0,1\n")
    (tmp_path / "notes.csv").write_text("free text\n")
    assert [record.name for record in find_records(tmp_path)] == ["r"]


def test_the_content_decides_the_format_not_the_suffix(tmp_path):
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    path = path.rename(tmp_path / "a.npy")
    np.testing.assert_allclose(read_recording(path).stretch(0, 5000), SIGNAL, atol=1e-3)


def test_an_unknown_format_is_refused_with_a_list_of_known_ones(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    known = (
        r"unknown format; the known formats are \.bdf \.csv \.dcm \.dicom \.ecg \.edf \.hea \.mfer \.mwf \.npy \.scp "
        r"\.tsv \.txt \.xml \.zip"
    )
    with pytest.raises(UnreadableError, match=known):
        read_recording(tmp_path / "a.pdf")


@pytest.mark.parametrize(("suffix", "extra"), [(".dcm", "dicom")])
def test_a_missing_library_is_named_by_its_extra(tmp_path, monkeypatch, suffix, extra):
    path = WRITERS[suffix](tmp_path / f"a{suffix}", SIGNAL)
    monkeypatch.setitem(sys.modules, LIBRARIES[suffix], None)
    with pytest.raises(MissingExtraError, match=rf'pip install "ecg_edge\[{extra}\]"'):
        read_recording(path)


def test_a_value_that_nobody_states_is_asked_for(tmp_path):
    rows = io.StringIO()
    np.savetxt(rows, SIGNAL.T, "%.4f", ",")
    (tmp_path / "a.csv").write_text(rows.getvalue())
    with pytest.raises(UndeclaredError, match=r"does not state its units; pass --units \(in Python units=...\)"):
        read_recording(tmp_path / "a.csv", sampling_rate=500)
    with pytest.raises(UndeclaredError, match="does not state its sampling rate; pass --sampling-rate"):
        read_recording(tmp_path / "a.csv", units="mV")
    recording = read_recording(tmp_path / "a.csv", units="mV", sampling_rate=500)
    np.testing.assert_allclose(recording.stretch(0, 5000), SIGNAL, atol=1e-4)


def test_declarations_reach_the_records_of_folders(tmp_path):
    write_npy(tmp_path / "a.npy", SIGNAL * 1000)
    (record,) = find_records(tmp_path, Declared(units="uV"))
    np.testing.assert_allclose(record.read().stretch(0, 5000), SIGNAL, atol=1e-5)


def test_every_module_of_a_format_is_registered():
    listed = [module.__name__ for module in registry.formats()]
    modules = [import_module(f"{formats.__name__}.{found.name}") for found in iter_modules(formats.__path__)]
    assert sorted(listed) == sorted(module.__name__ for module in modules if hasattr(module, "SUFFIXES"))


def test_an_npy_loads_no_other_formats_library():
    script = (
        "import sys; from ecg_edge import Detector, read_recording\n"
        f"Detector().detect(read_recording({str(example_recordings() / 'normal.npy')!r}))\n"
        "print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"wfdb", "pydicom", "soxr", "edfio", "ecgdatakit", "pandas"} & set(result.stdout.split())
