"""The examples in JavaScript: where they are, Node, and what is skipped where a program is missing.

The environment variable JAVASCRIPT_TESTS names what must not be skipped: "node", "browser", "accessibility" (axe-core in
tests/web/browser), or several of them.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

JAVASCRIPT = Path(__file__).resolve().parents[2] / "examples" / "javascript"


def go_without(what, reason):
    if what in os.environ.get("JAVASCRIPT_TESTS", "").split():
        pytest.fail(reason)
    pytest.skip(reason)


def require_package(what, name):
    if not (JAVASCRIPT / "node_modules" / name).is_dir():
        go_without(what, f"{name} is not installed: run npm install in {JAVASCRIPT}")


def run_node(*arguments):
    program = shutil.which("node")
    if program is None:
        go_without("node", "this machine does not have node")
    require_package("node", "onnxruntime-node")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=JAVASCRIPT, timeout=120)
