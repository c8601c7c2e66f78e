"""Runs `ecg-edge run` in a shell."""

import subprocess
import sys


def ecg_edge(*arguments, streams="", **options):
    command = ["bash", "-c", f'"$@" {streams}', "bash", sys.executable, "-m", "ecg_edge", "run", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, check=False, timeout=60, text="encoding" not in options, **options
    )


def is_refused(result, status):
    return result.returncode == status and result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
