"""A training that is killed leaves no process behind."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, sys, time
from export.processes import make_pool

def work(path):
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(120)

if __name__ == "__main__":
    with make_pool(1) as pool:
        pool.submit(work, sys.argv[1]).result()
"""


def wait_until(is_true, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(0.05)
    return False


def is_running(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def test_processes_end_when_the_command_is_killed(tmp_path):
    program, place = tmp_path / "program.py", tmp_path / "pid"
    program.write_text(PROGRAM)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(program), str(place)], env=environment) as command:
        assert wait_until(lambda: place.exists() and place.read_text())
        pid = int(place.read_text())
        assert is_running(pid)
        command.kill()
    assert wait_until(lambda: not is_running(pid))
