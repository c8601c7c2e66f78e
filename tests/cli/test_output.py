"""How the output is written: whole where that is possible, and in UTF-8."""

import csv
import io
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from run_command import ecg_edge, is_refused

from ecg_edge.cli import output, whole_file
from ecg_edge.package_data import example_recordings

NORMAL = example_recordings() / "normal.npy"
HEADER = "record_name,перегородочный,передний,боковой,передне-боковой,передне-перегородочный,нижний,норма"


def test_an_output_that_cannot_be_opened_is_one_line_before_the_work(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for name in ("loop", "no/such.txt", "file/out.txt", "a" * 256):
        # The recording would be waited for on standard input, which stays open.
        mouth, feed = os.pipe()
        result = ecg_edge("-", "--output", tmp_path / name, stdin=mouth)
        os.close(mouth)
        os.close(feed)
        assert is_refused(result, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]


def mounted(script, tmp_path, before=""):
    """Run a script in a mount space of its own, where the old output is mounted on its own name."""
    (tmp_path / "host.txt").write_text("yesterday " * 1000)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "out put.txt").touch()
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("only root may mount a file")
    command = f'{before} mount --bind {tmp_path}/host.txt "out put.txt" && {script}'
    environment = {**os.environ, "PYTHON": sys.executable, "NORMAL": str(NORMAL)}
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        cwd=inside,
        env=environment,
    )


RUN_MOUNTED = '$PYTHON -m ecg_edge run $NORMAL --output "out put.txt"'


@pytest.mark.parametrize("before", ["", "mount --bind . . && cd $PWD && mount -o remount,ro,bind . &&"])
def test_a_file_that_is_mounted_alone_is_written_in_place_and_the_user_is_told(tmp_path, before):
    result = mounted(RUN_MOUNTED, tmp_path, before)
    assert result.returncode == 0
    assert result.stderr.startswith("note: ")
    assert "cannot be replaced" in result.stderr
    assert result.stderr.count("\n") == 1
    text = (tmp_path / "host.txt").read_text()
    assert text.startswith("normal: ")
    assert "yesterday" not in text


def test_a_mount_that_shows_only_at_the_end_is_written_in_place_too(tmp_path):
    hide = "import pathlib, ecg_edge.cli.output as o; o._refuse_mount = lambda path: None; from ecg_edge.__main__ import main; main()"
    result = mounted(RUN_MOUNTED.replace("-m ecg_edge", f"-c '{hide}'"), tmp_path)
    assert result.returncode == 0
    assert result.stderr.count("\n") == 1
    assert (tmp_path / "host.txt").read_text().startswith("normal: ")
    assert [path.name for path in (tmp_path / "inside").iterdir()] == ["out put.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a command as another user")
def test_a_file_in_a_folder_that_is_closed_to_the_user_is_written_in_place(monkeypatch, tmp_path):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # its data file is closed to that user too
    shared = Path("/tmp") / f"shared-{os.getpid()}"  # noqa: S108 - the folder of the test is closed to other users
    shared.mkdir(mode=0o755)
    try:
        (shared / "out.txt").write_text("old")
        (shared / "out.txt").chmod(0o666)
        script = "import os, sys; from pathlib import Path; from ecg_edge.cli import output; import ecg_edge.cli.whole_file; os.setuid(65534); output.write(iter(['new']), Path(sys.argv[1]))"
        result = subprocess.run(
            [sys.executable, "-c", script, shared / "out.txt"], capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stderr.count("note: ")) == (0, 1)
        assert (shared / "out.txt").read_text() == "new"
        refused = subprocess.run(
            [sys.executable, "-c", script, shared / "new.txt"], capture_output=True, text=True, check=False
        )
        assert is_refused(refused, 1)
    finally:
        shutil.rmtree(shared)


def test_names_of_open_files_are_written_to_where_they_stand(tmp_path):
    streams = "--output /dev/stdout; echo tail; } > log.txt"
    command = f'{{ echo head; "$@" {streams}'
    subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, "-m", "ecg_edge", "run", NORMAL], cwd=tmp_path, check=True
    )
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert lines[0] == "head"
    assert lines[1].startswith("normal: ")
    assert lines[-1] == "tail"


@pytest.mark.parametrize("target", ["/dev/stdout", ">(cat)"])
def test_a_pipe_gets_the_answers_without_a_note(target):
    result = ecg_edge(NORMAL, streams=f"--output {target} | cat")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("normal: ")


def test_a_named_pipe_gets_the_answers_without_a_note(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    heard = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_text()), daemon=True)
    reader.start()
    result = ecg_edge(NORMAL, "--output", tmp_path / "pipe")
    reader.join(20)
    assert (result.returncode, result.stderr) == (0, "")
    assert heard[0].startswith("normal: ")


def test_a_descriptor_that_is_closed_or_only_for_reading_is_one_line():
    for streams in ("--output /dev/fd/9", "--output /dev/fd/9 9< /dev/null"):
        assert is_refused(ecg_edge(NORMAL, streams=streams), 1)


def test_a_new_output_gets_its_name_in_one_step(tmp_path, monkeypatch):
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without a name")
    seen = []
    link = whole_file._link
    monkeypatch.setattr(whole_file, "_link", lambda *names: (seen.append(names[1].name), link(*names)))
    output.write(iter(["new"]), tmp_path / "out.txt")
    assert seen == ["out.txt"]


def test_a_killed_run_leaves_one_hidden_file_at_most_and_the_next_removes_it(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    script = "import os; from pathlib import Path; from ecg_edge.cli import output; del os.O_TMPFILE; output.write((os.kill(os.getpid(), 9) for _ in 'x'), Path('out.txt'))"
    for _ in range(3):
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False)
        (left,) = tmp_path.iterdir()
        assert left.name.startswith(".")
    output.write(iter(["new"]), tmp_path / "out.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


@pytest.mark.parametrize("named", [False, True])
def test_two_runs_with_one_output_leave_one_whole_file(tmp_path, monkeypatch, named):
    if named:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)

    def pieces():
        yield "first"
        output.write(iter(["second"]), tmp_path / "out.txt")

    if named:
        with pytest.raises(SystemExit):  # the second run took its hidden file over
            output.write(pieces(), tmp_path / "out.txt")
    else:
        output.write(pieces(), tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == ("second" if named else "first")
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C"}])
@pytest.mark.parametrize("form", ["submission", "csv", "text"])
def test_what_is_not_shown_on_a_terminal_is_utf_8(tmp_path, locale, form):
    shutil.copy(NORMAL, tmp_path / "жильё.npy")
    sample = tmp_path / "sample.csv"
    sample.write_text(f"{HEADER}\nжильё,0,0,0,0,0,0,0\n", encoding="utf-8")
    arguments = [tmp_path / "жильё.npy", "--format", form, *(["--sample", sample] if form == "submission" else [])]
    environment = {**os.environ, **locale}
    printed = ecg_edge(*arguments, env=environment, encoding="utf-8")
    assert ecg_edge(*arguments, "--output", tmp_path / "out", env=environment).returncode == 0
    assert printed.stdout == (tmp_path / "out").read_text(encoding="utf-8")
    assert "жильё" in printed.stdout
    if form == "submission":
        assert printed.stdout.splitlines() == [HEADER, "жильё,0,0,0,0,0,0,1"]


def test_a_cell_with_a_full_width_sign_is_no_formula(tmp_path):
    signs = "＝＋－＠"  # noqa: RUF001
    for sign in signs:
        np.save(tmp_path / f"{sign}1.npy", np.load(NORMAL)[:, :2000])
    rows = csv.DictReader(io.StringIO(ecg_edge(tmp_path, "--format", "csv", encoding="utf-8").stdout))
    assert {row["record"] for row in rows} == {f"'{sign}1" for sign in signs}
