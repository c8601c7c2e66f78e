"""What goes wrong around a run: signals, full disks, closed pipes, files that go away."""

import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from ecg_edge import Detector, read_recording
from ecg_edge.cli import output
from ecg_edge.cli.unfinished import UnfinishedFiles
from ecg_edge.package_data import example_recordings
from ecg_edge.readers import RecordFile, find_records
from ecg_edge.web.memory import return_free_memory

NORMAL = example_recordings() / "normal.npy"
COMMAND = [sys.executable, "-m", "ecg_edge"]


def take_signals():
    """Let a child take the signals that the tests' own parent may ignore, as `nohup pytest &` does."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def ecg_edge(*arguments, streams=None, **options):
    command = [*COMMAND, *map(str, arguments)]
    if streams:
        command = ["bash", "-c", f'"$@" {streams}', "bash", *command]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, text=True, **options)


@pytest.fixture
def old_output(tmp_path):
    """An answer of yesterday, alone in its folder."""
    home = tmp_path / "answers"
    home.mkdir()
    (home / "out.jsonl").write_text("old")
    return home / "out.jsonl"


@pytest.fixture(scope="module")
def hours(tmp_path_factory):
    """A recording that keeps every thread busy for long."""
    path = tmp_path_factory.mktemp("hours") / "hours.npy"
    signal_mv = np.lib.format.open_memmap(path, "w+", np.float32, (12, 5000 * 720))
    signal_mv[:] = np.tile(np.load(NORMAL), 720)
    return path


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def only_the_old_is_there(old_output):
    return old_output.read_text() == "old" and names_in(old_output.parent) == [old_output.name]


def is_writing(process):
    """Whether the process holds a file that has no name yet."""
    found = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(link.readlink()))
    return any("answers" in target for target in found)


def in_the_middle_of_writing(command):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, preexec_fn=take_signals)  # noqa: PLW1509 - no other thread runs
    limit = time.monotonic() + 30
    while not is_writing(process):
        assert time.monotonic() < limit
        time.sleep(0.02)
    time.sleep(0.2)
    return process


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_killed_run_ends_at_once_and_leaves_the_old_output_alone(old_output, hours, number, status):
    paths = [str(NORMAL), *[str(hours)] * 8]
    process = in_the_middle_of_writing(
        [*COMMAND, "run", *paths, "--format", "jsonl", "--threads", "2", "--output", str(old_output)]
    )
    process.send_signal(number)
    started = time.monotonic()
    _, talk = process.communicate(timeout=30)
    assert time.monotonic() - started < 2
    assert (process.returncode, talk) == (status, b"")
    assert only_the_old_is_there(old_output)


def test_answers_that_are_there_are_printed_before_a_signal_ends_the_run():
    command = [*COMMAND, "run", str(NORMAL), "-", "--format", "jsonl", "--threads", "1"]
    feed, mouth = os.pipe()
    os.write(mouth, b"x")
    pipes = {"stdin": feed, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, preexec_fn=take_signals)  # noqa: PLW1509 - no other thread runs
    limit = time.monotonic() + 30
    while n_waiting(feed):  # it is taken when the second recording's turn comes
        assert time.monotonic() < limit
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    answers, talk = process.communicate(timeout=30)
    os.close(mouth)
    os.close(feed)
    assert (process.returncode, talk) == (130, b"")
    assert answers.count(b"\n") == 1


def n_waiting(feed):
    return int.from_bytes(fcntl.ioctl(feed, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_a_signal_that_was_ignored_stays_ignored():
    script = "import signal, ecg_edge.__main__ as m, ecg_edge.cli.app as c; c.main = lambda **_: None; m.main(); print(signal.getsignal(1) is signal.SIG_IGN)"
    command = ["bash", "-c", f"trap '' HUP; exec {sys.executable} -c '{script}'"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


def test_exit_handlers_run_before_the_command_ends_at_once():
    script = "import atexit, sys; from ecg_edge.__main__ import main; atexit.register(print, 'tidied'); main()"
    command = [sys.executable, "-c", script, "run", str(NORMAL), "--format", "jsonl"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "tidied"


@pytest.mark.parametrize("how", ["cProfile", "trace"])
def test_who_watches_the_command_sees_its_end(tmp_path, how):
    options = ["-o", str(tmp_path / "seen")] if how == "cProfile" else ["--count", "-C", str(tmp_path / "seen")]
    command = [sys.executable, "-m", how, *options, "--module" if how == "trace" else "-m", "ecg_edge", "--version"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert (tmp_path / "seen").exists()


def test_a_system_without_nameless_files_gives_the_same_output(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE")
    target = tmp_path / "out.txt"
    target.write_text("old")
    target.chmod(0o640)
    output.write(iter(["new"]), target)
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)
    assert names_in(tmp_path) == ["out.txt"]


def test_an_unfinished_file_with_a_name_is_taken_away_before_a_signal_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE")

    unfinished = UnfinishedFiles()

    def pieces():
        yield "half"
        assert len(names_in(tmp_path)) == 1
        unfinished.discard()
        assert names_in(tmp_path) == []
        msg = "killed"
        raise KeyboardInterrupt(msg)

    with pytest.raises(KeyboardInterrupt):
        output.write(pieces(), tmp_path / "out.txt", unfinished)
    assert names_in(tmp_path) == []


def test_a_new_output_has_the_rights_of_any_new_file(tmp_path):
    old = os.umask(0o027)
    try:
        output.write(iter(["new"]), tmp_path / "out.txt")
    finally:
        os.umask(old)
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o640


def test_the_longest_name_that_a_file_can_have_is_no_obstacle(tmp_path):
    output.write(iter(["new"]), tmp_path / ("a" * 255))
    assert (tmp_path / ("a" * 255)).read_text() == "new"


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv"])
def test_a_reader_that_goes_away_ends_the_run_without_a_word(tmp_path, form):
    for i in range(40):
        (tmp_path / f"{i:02}.npy").symlink_to(NORMAL)
    result = ecg_edge(
        "run",
        tmp_path,
        "--format",
        form,
        "--windows" if form in {"json", "jsonl"} else "--all-sites",
        streams="| head -c 9",
    )
    assert len(result.stdout) == 9
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [["run", NORMAL], ["info"], ["check"], ["--version"], ["run", "--help"]])
@pytest.mark.parametrize(
    ("streams", "why"), [(">&-", "Bad file descriptor"), ("> /dev/full", "No space left on device")]
)
def test_a_standard_output_that_takes_nothing_is_one_line(arguments, streams, why):
    result = ecg_edge(*arguments, streams=streams)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    assert why in result.stderr


def test_closed_standard_streams_are_no_obstacle_to_an_output_file(old_output):
    result = ecg_edge("run", NORMAL, "--output", old_output, streams="<&- >&- 2>&-")
    assert result.returncode == 0
    assert old_output.read_text().startswith("normal: ")


def test_messages_that_cannot_be_written_change_no_answer():
    result = ecg_edge("run", NORMAL, "nowhere.npy", streams="2>&-")
    assert result.returncode == 1
    assert result.stdout.startswith("normal: ")


def test_a_disk_that_fills_up_keeps_the_old_output(old_output, tmp_path, monkeypatch):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # its data would not fit on that disk either
    records = tmp_path / "records"
    records.mkdir()
    for i in range(40):
        (records / f"{i:02}.npy").symlink_to(NORMAL)
    result = ecg_edge(
        *("run", records, "--format", "jsonl", "--windows", "--output", old_output),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert result.returncode == 1
    assert result.stderr == f"error: cannot write {old_output}: File too large\n"
    assert only_the_old_is_there(old_output)


@pytest.fixture
def tiny_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root may mount a disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_keeps_the_old_output(tiny_disk):
    (tiny_disk / "out.csv").write_text("old")
    full = ecg_edge("run", *[NORMAL] * 20, "--format", "json", "--windows", "--output", tiny_disk / "out.csv")
    assert full.returncode == 1
    assert full.stderr == f"error: cannot write {tiny_disk / 'out.csv'}: No space left on device\n"
    assert only_the_old_is_there(tiny_disk / "out.csv")


def test_what_becomes_unreadable_after_it_was_listed_is_an_error_among_the_others(tmp_path, tiny):
    for name in ("a", "b", "c", "d"):
        shutil.copy(NORMAL, tmp_path / f"{name}.npy")
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.write(NORMAL, "e.npy")
    records = list(find_records(tmp_path))
    (tmp_path / "a.npy").unlink()
    (tmp_path / "b.npy").unlink()
    (tmp_path / "b.npy").mkdir()
    os.truncate(tmp_path / "c.npy", 1000)
    (tmp_path / "e.zip").unlink()
    findings = list(tiny.detect_many(records))
    assert [finding.status for finding in findings] == ["error", "error", "error", "not_detected", "error"]
    for finding, why in zip(
        findings, ["No such file", "not a regular file", "is cut off", "", "No such file"], strict=True
    ):
        assert why in (finding.error or "")


def test_a_recording_that_becomes_a_pipe_after_it_was_listed_is_not_waited_for(tmp_path, tiny):
    shutil.copy(NORMAL, tmp_path / "a.npy")
    records = list(find_records(tmp_path))
    (tmp_path / "a.npy").unlink()
    os.mkfifo(tmp_path / "a.npy")
    (finding,) = tiny.detect_many(records)
    assert "not a regular file" in finding.error


def test_a_record_that_is_too_much_for_the_memory_is_an_error_among_the_others(tmp_path, tiny):
    def too_much():
        return np.zeros((10**9, 10**9)).sum()

    def a_little():
        raise MemoryError

    records = [RecordFile(read.__name__, "", read) for read in (too_much, a_little)]
    findings = list(tiny.detect_many([*records, read_recording(NORMAL)]))
    assert [finding.status for finding in findings] == ["error", "error", "not_detected"]
    assert all("not enough memory" in finding.error for finding in findings[:2])


def test_a_session_that_fails_is_an_error_of_its_record(tiny_folder, monkeypatch):
    detector = Detector(tiny_folder)

    def fail(*_):
        msg = "bad allocation"
        raise RuntimeError(msg)

    monkeypatch.setattr(detector.infarction, "_run", fail)
    (finding,) = detector.detect_many([read_recording(NORMAL)])
    assert finding.error == "onnxruntime failed: bad allocation"


def test_a_loop_of_links_is_an_error_among_the_others(tmp_path):
    (tmp_path / "a.npy").symlink_to("b.npy")
    (tmp_path / "b.npy").symlink_to("a.npy")
    shutil.copy(NORMAL, tmp_path / "c.npy")
    result = ecg_edge("run", tmp_path, "--format", "jsonl")
    assert result.returncode == 1
    assert result.stdout.count("Too many levels of symbolic links") == 2
    assert result.stdout.count('"not_detected"') == 1


def test_eight_threads_at_once_answer_as_one_does(shipped, noise):
    recordings = [noise(5000 + 37 * i, seed=i) for i in range(16)]
    alone = [shipped.detect(recording, all_sites=True) for recording in recordings]
    together = [None] * 8

    def answer(number):
        together[number] = [shipped.detect(recording, all_sites=True) for recording in recordings]

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 8


def resident_bytes():
    """Without what is free: the C library keeps it, more or less of it from run to run."""
    return_free_memory()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_ten_thousand_records_need_no_more_memory_than_a_few(tmp_path, tiny_folder, threads, record_property):
    shutil.copy(NORMAL, tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(NORMAL, "b.npy")
    (tmp_path / "c.npy").write_bytes(b"\x93NUMPY broken")
    records = list(find_records(tmp_path))
    detector = Detector(tiny_folder, threads=threads)
    several = (record for _ in range(11_000 // 3) for record in records)
    answers = detector.detect_many(several, all_sites=True)
    for _ in range(1000):
        next(answers)
    warm = resident_bytes()
    n_more = sum(1 for _ in answers)
    growth = resident_bytes() - warm
    record_property("growth_mb", growth / 1e6)
    assert n_more >= 9_990
    assert growth < 5e6


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of addresses is Linux's")
@pytest.mark.skipif(np.__version__ < "2", reason="the BLAS of older numpy waits for memory for ever")
@pytest.mark.parametrize("megabytes", [100, 130, 150, 160, 170, 180, 190, 200, 210, 220])
def test_too_few_addresses_are_one_line(monkeypatch, megabytes):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # it needs memory too, at the end
    limit = megabytes * 2**20
    result = subprocess.run(
        [sys.executable, "-m", "ecg_edge", "run", str(NORMAL), str(NORMAL), "--format", "jsonl"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in result.stderr
    assert result.returncode == 0 or len(result.stderr.splitlines()) <= 2


def test_a_place_without_home_that_cannot_be_written_is_no_reason_to_speak(tmp_path):
    place = tmp_path / "read_only"
    place.mkdir(mode=0o555)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME", "TMPDIR")
    }
    command = [sys.executable, "-B", "-m", "ecg_edge", "run", str(NORMAL), "--format", "jsonl"]
    paths = {"PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place, env=environment | paths)
    assert (result.returncode, result.stderr) == (0, "")
    assert not list(place.iterdir())


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="this system has no /proc/kmsg")
def test_a_file_of_the_kernel_does_not_block(tmp_path):
    (tmp_path / "a.npy").symlink_to("/proc/kmsg")
    shutil.copy(NORMAL, tmp_path / "good.npy")
    command = [sys.executable, "-m", "ecg_edge", "run", str(tmp_path), "--format", "jsonl"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    statuses = [json.loads(line)["status"] for line in result.stdout.splitlines()]
    assert statuses == ["error", "not_detected"]
