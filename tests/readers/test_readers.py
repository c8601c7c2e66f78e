import io
import os
import pickle
import resource
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ecg_edge import read_recording
from ecg_edge.errors import EcgEdgeError, InvalidRecordingError, UnreadableError
from ecg_edge.readers import find_records
from ecg_edge.readers.formats import npy, zip_archive

SIGNAL = np.random.default_rng(0).normal(0, 1, (12, 900)).astype(np.float32)


def npy_bytes(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header_bytes(shape, descr="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def zip_of(path, entries, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i2", ">i4", "u1", "<i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_real_type_and_order_gives_the_same_millivolts(tmp_path, dtype, order):
    values = np.asarray(SIGNAL * 10, order=order).astype(dtype, order=order)
    np.save(tmp_path / "a.npy", values)
    recording = read_recording(tmp_path / "a.npy")
    assert (recording.name, recording.source) == ("a", str(tmp_path / "a.npy"))
    np.testing.assert_array_equal(recording.stretch(0, 900), values.astype(np.float32))


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_npy_is_read_in_stretches(tmp_path, monkeypatch, order):
    monkeypatch.setattr(npy, "_WHOLE_BELOW", 1000)
    np.save(tmp_path / "a.npy", np.asarray(SIGNAL, order=order))
    recording = read_recording(tmp_path / "a.npy")
    assert not isinstance(recording.signal, np.ndarray)
    np.testing.assert_array_equal(recording.stretch(100, 300), SIGNAL[:, 100:300])
    np.testing.assert_array_equal(recording.stretch(0, 900), SIGNAL)


@pytest.mark.parametrize(
    ("change", "message"),
    [(lambda path: os.truncate(path, 5000), "shorter|changed"), (lambda path: np.save(path, SIGNAL), "changed")],
)
def test_a_large_npy_that_changes_while_it_is_read_is_an_error(tmp_path, monkeypatch, change, message):
    monkeypatch.setattr(npy, "_WHOLE_BELOW", 1000)
    np.save(tmp_path / "a.npy", SIGNAL)
    os.utime(tmp_path / "a.npy", (1, 1))
    recording = read_recording(tmp_path / "a.npy")
    change(tmp_path / "a.npy")
    with pytest.raises(UnreadableError, match=message):
        recording.stretch(800, 900)


HOSTILE = {
    "huge_claim": (header_bytes((12, 10**10)), "states 480000000000 bytes"),
    "overflowing_claim": (header_bytes((12, 2**62)), "states"),
    "negative_claim": (header_bytes((12, -5000)), "expected a signal of shape"),
    "cut_off": (npy_bytes(SIGNAL)[:-1], "is cut off"),
    "header_cut_off": (npy_bytes(SIGNAL)[:40], "header cannot be read"),
    "magic_alone": (b"\x93NUMPY", "header cannot be read"),
    "version_9": (b"\x93NUMPY\x09\x00" + bytes(100), "version"),
    "header_is_code": (b"\x93NUMPY\x01\x00\x76\x00" + b"__import__('os').getcwd()".ljust(118), "header cannot be read"),
    "deep_header": (b"\x93NUMPY\x01\x00\x10\x27" + (b"(" * 5000).ljust(10000), "header cannot be read"),
    "objects": (header_bytes((12, 5000), "|O") + bytes(96000), "real numbers"),
    "structured": (npy_bytes(np.zeros((12, 900), [("a", "f4")])), "real numbers"),
    "complex": (npy_bytes(SIGNAL.astype(complex)), "real numbers"),
    "strings": (npy_bytes(np.full((12, 900), "a")), "real numbers"),
    "no_samples": (npy_bytes(np.zeros((12, 0))), r"\(12, 0\)"),
    "transposed": (npy_bytes(SIGNAL.T), "transposed"),
    "pickle": (pickle.dumps(SIGNAL), r"named \.npy, but it is a Python pickle; save its array with numpy\.save"),
    "text": (b"I,II,III\n1,2,3\n", r"named \.npy, but it is text; a table of leads needs the ending \.csv"),
    "html": (b"\n<!DOCTYPE html><p>404", "it is a web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file; save its signal as"),
    "zeros": (bytes(9), "nothing but zero bytes"),
    "numbers": (SIGNAL.astype("<f4").tobytes(), "it is of an unknown format"),
    "utf16": ("I,II,III\n1,2,3\n".encode("utf-16-be"), "text in UTF-16 without a byte order mark; save it in UTF-8"),
    "empty": (b"", "empty"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_npy_gets_one_clear_error(tmp_path, name):
    content, message = HOSTILE[name]
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(EcgEdgeError, match=message) as caught:
        read_recording(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, UnreadableError | InvalidRecordingError)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableError, match=r"nowhere\.npy: cannot be read: No such file"):
        read_recording(tmp_path / "nowhere.npy")


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(UnreadableError, match="not a regular file"):
        read_recording(tmp_path / "a.npy")


def test_a_folder_is_listed_by_name_with_its_subfolders_and_archives(tmp_path):
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "two.npy", SIGNAL)
    np.save(tmp_path / "a.npy", SIGNAL)
    (tmp_path / "notes.txt").write_text("not a record")
    zip_of(tmp_path / "c.zip", [("y.npy", npy_bytes(SIGNAL)), ("x/x.npy", npy_bytes(SIGNAL))])
    assert [record.name for record in find_records(tmp_path)] == ["a", "two", "x", "y"]


def test_an_empty_folder_is_an_error_not_an_empty_answer(tmp_path):
    (record,) = find_records(tmp_path)
    with pytest.raises(UnreadableError, match="does not hold a recording"):
        record.read()


def test_a_damaged_file_does_not_hide_the_others_of_its_folder(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 broken")
    np.save(tmp_path / "b.npy", SIGNAL)
    broken, sound = find_records(tmp_path)
    with pytest.raises(UnreadableError, match=r"a\.zip"):
        broken.read()
    assert sound.read().samples == 900


def test_read_recording_refuses_to_choose_among_several(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("x.npy", npy_bytes(SIGNAL)), ("y.npy", npy_bytes(SIGNAL))])
    with pytest.raises(UnreadableError, match="holds 2 recordings"):
        read_recording(path)


def test_a_zip_reads_its_npy_entries_and_skips_the_rest(tmp_path):
    inner = zip_of(tmp_path / "inner.zip", [("z.npy", npy_bytes(SIGNAL))]).read_bytes()
    entries = [("deep/er/x.npy", npy_bytes(SIGNAL)), ("notes.txt", b"hi"), ("inner.zip", inner)]
    path = zip_of(
        tmp_path / "a.zip", [*entries, ("__MACOSX/deep/er/._x.npy", b"fork")], compression=zipfile.ZIP_DEFLATED
    )
    (record,) = find_records(path)
    assert (record.name, record.source) == ("x", f"{path}/deep/er/x.npy")
    np.testing.assert_array_equal(record.read().stretch(0, 900), SIGNAL)


@pytest.mark.parametrize("name", ["../x.npy", "/etc/x.npy", "C:\\x.npy", "a/../../x.npy"])
def test_a_zip_entry_that_points_outside_is_refused(tmp_path, name):
    (record,) = find_records(zip_of(tmp_path / "a.zip", [(name, npy_bytes(SIGNAL))]))
    with pytest.raises(UnreadableError, match="outside the archive"):
        record.read()


def test_a_second_entry_of_the_same_name_is_refused_and_the_first_is_read(tmp_path):
    first, second = find_records(
        zip_of(tmp_path / "a.zip", [("X.npy", npy_bytes(SIGNAL)), ("x.npy", npy_bytes(SIGNAL))])
    )
    assert first.read().samples == 900
    with pytest.raises(UnreadableError, match="more than once"):
        second.read()


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("x.npy")
    link.external_attr = 0o120777 << 16
    (record,) = find_records(zip_of(tmp_path / "a.zip", [(link, "/etc/passwd")]))
    with pytest.raises(UnreadableError, match="symbolic link"):
        record.read()


def test_an_encrypted_entry_is_refused(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("x.npy", npy_bytes(SIGNAL))])
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    (record,) = find_records(path)
    with pytest.raises(UnreadableError, match="encrypted"):
        record.read()


def test_a_damaged_entry_is_an_error_and_the_next_is_read(tmp_path):
    path = zip_of(tmp_path / "a.zip", [("x.npy", npy_bytes(SIGNAL)), ("y.npy", npy_bytes(SIGNAL))])
    content = bytearray(path.read_bytes())
    content[500] ^= 0xFF
    path.write_bytes(content)
    broken, sound = find_records(path)
    with pytest.raises(UnreadableError, match="cannot be unpacked"):
        broken.read()
    assert sound.read().samples == 900


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("honest", [True, False])
def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch, method, honest):
    monkeypatch.setattr(zip_archive, "MOST_BYTES_OF_AN_ENTRY", 1_000_000)
    path = zip_of(tmp_path / "a.zip", [("x.npy", npy_bytes(np.zeros((12, 10**6))))], compression=method)
    if not honest:
        content = path.read_bytes().replace((96_000_128).to_bytes(4, "little"), (500_000).to_bytes(4, "little"))
        path.write_bytes(content)
    assert path.stat().st_size < 200_000
    (record,) = find_records(path)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match=r"unpacks to more than|not compressed with deflate|cannot be unpacked"):
        record.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


def test_many_archives_need_few_open_files(tmp_path):
    for i in range(80):
        zip_of(tmp_path / f"{i:02}.zip", [(f"r{i:02}.npy", npy_bytes(SIGNAL))])
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 40, before[1]))
    try:
        assert [record.read().samples for record in list(find_records(tmp_path))] == [900] * 80
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("path", ["", "a" * 300 + ".npy", "a\0b.npy"])
def test_an_impossible_path_is_one_clear_error(path):
    (record,) = find_records(path)
    with pytest.raises(UnreadableError, match="cannot be read"):
        record.read()


def test_a_broken_link_in_a_folder_is_an_error_of_its_own(tmp_path):
    np.save(tmp_path / "a.npy", SIGNAL)
    (tmp_path / "b.npy").symlink_to("/nowhere/b.npy")
    sound, broken = find_records(tmp_path)
    assert sound.read().samples == 900
    with pytest.raises(UnreadableError, match="No such file"):
        broken.read()


def test_macos_metadata_in_a_folder_is_skipped(tmp_path):
    np.save(tmp_path / "a.npy", SIGNAL)
    (tmp_path / "._a.npy").write_bytes(b"attributes")
    assert [record.name for record in find_records(tmp_path)] == ["a"]


def test_a_colon_in_the_name_of_a_zip_entry_is_not_a_drive(tmp_path):
    (record,) = find_records(zip_of(tmp_path / "a.zip", [("2024-05-01T10:00:00.npy", npy_bytes(SIGNAL))]))
    assert record.read().name == "2024-05-01T10:00:00"


def test_a_zip_with_too_many_entries_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_archive, "MOST_ENTRIES", 3)
    (record,) = find_records(zip_of(tmp_path / "a.zip", [(f"{i}.npy", b"") for i in range(4)]))
    with pytest.raises(UnreadableError, match="4 entries, more than 3"):
        record.read()
