"""What a folder or an archive holds and is not read is named, with the reason."""

import shutil
import zipfile

import numpy as np
import pytest
from written import WRITERS, write_csv, write_npy, write_wfdb

from ecg_edge.readers import PassedOver, RecordFile, find_candidates, find_records
from ecg_edge.recording.leads import LEADS

SIGNAL = np.random.default_rng(0).normal(0, 0.5, (12, 3000)).round(3)
EARLY = "\n".join(["x,y"] * 35 + [",".join(LEADS)] + [",".join(map(str, row)) for row in SIGNAL.T[:20]])
FEATURES = "\n".join(" ".join(map(str, row)) for row in SIGNAL[:, :20].T[:, :9])
GERMAN = "Zeit;" + ";".join(f"Kanal {i}" for i in range(12)) + "\n" + ";".join(["0,1"] * 13) + "\n"
OTHERS = {
    "early.csv": (EARLY, "is not a table of leads: its header is below more than 30 other lines"),
    "german.csv": (GERMAN, "do not have the names of leads, such as I, II or V1, but Zeit, Kanal 0, Kanal 1"),
    "device.txt": ("I\tII\tV1\tV2\tV3\n1\t2\t3\t4\t5\n", "it has 5 columns, expected at least 8"),
    "without_rows.csv": (
        ",".join(LEADS) + "\nthis,is,no,row,of,numbers,at,all\nx\n",
        "is not followed by rows of as many",
    ),
    "features.txt": (FEATURES, "it has numbers without the names of leads, and not twelve columns"),
    "alone.dat": (bytes(1000), "no header"),
    "challenge.mat": (bytes(1000), "no header"),
    "holter.ecg": ("ECG 1.0", "ISHNE"),
    "cart.scp": (b"\0\1\2", "SCP-ECG"),
    "schiller.xml": ("<?xml version='1.0'?><examdescript><eventdata type='ecg'/>", "root element <examdescript>"),
    "wide.xml": ("<?xml version='1.0'?><ecgData>".encode("utf-16"), "root element <ecgData>"),
    "all.tar.gz": (b"\x1f\x8b", "archive"),
}
HARMLESS = {
    "labels.csv": "record_name,a,b,c,d,e,f,g\nx,0,0,0,0,0,0,1\n",
    "notes.txt": "The patient felt well. See record 12.",
    "report.pdf": "%PDF-1.7",
    "settings.xml": "<?xml version='1.0'?><settings/>",
    "._rows.csv": EARLY,
}


def as_bytes(content):
    return content.encode() if isinstance(content, str) else content


def names_of(items):
    return sorted(item.name for item in items if isinstance(item, RecordFile))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder" / "sub"
    folder.mkdir(parents=True)
    write_npy(folder / "good.npy", SIGNAL)
    for name, (content, _) in OTHERS.items():
        (folder / name).write_bytes(as_bytes(content))
    for name, content in HARMLESS.items():
        (folder / name).write_bytes(as_bytes(content))
    return folder.parent


@pytest.fixture
def archive(folder, tmp_path):
    return shutil.make_archive(str(tmp_path / "all"), "zip", folder)


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_each_file_that_looks_like_a_recording_is_named_with_its_reason(request, kind):
    found = list(find_candidates(request.getfixturevalue(kind)))
    assert names_of(found) == ["good"]
    reasons = {item.source.rpartition("/")[2]: item.reason for item in found if isinstance(item, PassedOver)}
    assert reasons.keys() == OTHERS.keys()
    for name, reason in reasons.items():
        assert OTHERS[name][1] in reason


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_the_list_of_records_has_records_only(request, kind):
    assert names_of(find_records(request.getfixturevalue(kind))) == ["good"]


@pytest.mark.parametrize("suffix", [".dcm", ".edf", ".npy"])
@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_recording_without_a_suffix_is_known_by_its_content(tmp_path, suffix, kind):
    WRITERS[suffix](tmp_path / f"a{suffix}", SIGNAL).rename(tmp_path / "IM000001")
    write_npy(tmp_path / "good.npy", SIGNAL)
    path = tmp_path
    if kind == "archive":
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as file:
            file.write(tmp_path / "IM000001", "IM000001")
            file.write(tmp_path / "good.npy", "good.npy")
        (tmp_path / "IM000001").unlink()
    found = list(find_candidates(path))
    assert {"IM000001", "good"} <= {item.name for item in found}
    for record in found:
        np.testing.assert_allclose(record.read().stretch(0, 3000), SIGNAL, atol=2e-3)


@pytest.mark.parametrize("folder", ["", "ward/", "ward\\"])
def test_a_wfdb_record_in_an_archive_is_read_with_its_signal_file(tmp_path, folder):
    write_wfdb(tmp_path / "r.hea", SIGNAL)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name in ("r.hea", "r.dat"):
            entry = zipfile.ZipInfo(folder.replace("\\", "/") + name)
            entry.filename = folder + name
            archive.writestr(entry, (tmp_path / name).read_bytes())
    (record,) = find_candidates(tmp_path / "z.zip")
    assert (record.name, record.size) == ("r", None)
    assert [found.size for found in find_records(tmp_path / "r.hea")] == [None]  # the size of a header tells nothing
    np.testing.assert_allclose(record.read().stretch(0, 3000), SIGNAL, atol=1e-3)


def test_a_wfdb_record_in_an_archive_without_its_signal_file_is_an_error_of_that_record(tmp_path):
    write_wfdb(tmp_path / "r.hea", SIGNAL)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "r.hea", "r.hea")
    (record,) = find_records(tmp_path / "z.zip")
    with pytest.raises(OSError, match=r"names the file r\.dat, which is not beside it"):
        record.read()


def test_signal_files_that_a_header_names_are_not_passed_over(tmp_path):
    write_wfdb(tmp_path / "r.hea", SIGNAL)
    assert [item.name for item in find_candidates(tmp_path)] == ["r"]


def test_an_archive_inside_an_archive_is_named(tmp_path):
    write_npy(tmp_path / "good.npy", SIGNAL)
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.write(tmp_path / "good.npy", "a.npy")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "good.npy", "good.npy")
        archive.write(tmp_path / "inner.zip", "inner.zip")
    over = [item for item in find_candidates(tmp_path / "z.zip") if isinstance(item, PassedOver)]
    assert [item.reason for item in over] == ["is an archive inside an archive; unpack it"]


def test_a_very_deep_folder_is_searched(tmp_path):
    deep = tmp_path
    for _ in range(1200):
        deep /= "d"
        deep.mkdir()
    write_npy(deep / "a.npy", SIGNAL)
    try:
        assert [record.name for record in find_records(tmp_path)] == ["a"]
    finally:
        (deep / "a.npy").unlink()
        while deep != tmp_path:
            deep.rmdir()
            deep = deep.parent


def test_a_table_that_grows_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "a.csv", np.tile(SIGNAL, (1, 4)))
    (record,) = find_records(path)
    original = np.loadtxt

    def grow(*arguments, **options):
        with path.open("a") as file:
            file.write("0\n")
        return original(*arguments, **options)

    monkeypatch.setattr(np, "loadtxt", grow)
    with pytest.raises(OSError, match="changed while it was read"):
        record.read()
