"""Child processes, for measurements that a process can make only once."""

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

from ecg_edge.errors import EcgEdgeError

# What the installed `ecg-edge` runs.
_COMMAND = "from ecg_edge.__main__ import main; main()"


class ChildError(EcgEdgeError):
    """A measured process failed."""

    def __init__(self, arguments: list[str], complaint: str) -> None:
        super().__init__(
            f"python {' '.join(arguments)} failed: {(complaint.strip() or 'it printed no message').splitlines()[-1]}"
        )


class BenchmarkDataError(EcgEdgeError):
    """A benchmark record cannot be answered."""

    def __init__(self, record: str, why: str) -> None:
        super().__init__(f"{record} cannot be answered, so the benchmark cannot use it: {why}")


def run_python(*arguments: str) -> str:
    """Run this interpreter and return what it prints.

    The first run writes bytecode, so later runs start as fast as an installed package.

    Raises:
        ChildError: It ended with another status than 0.
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603 - our own commands
        command, capture_output=True, text=True, check=False, env=os.environ | _allow_bytecode()
    )
    if done.returncode:
        raise ChildError(list(arguments), done.stderr)
    return done.stdout


@cache
def _allow_bytecode() -> dict[str, str]:
    """Return the environment variables with which a child writes bytecode, to a temporary folder if necessary."""
    if not sys.dont_write_bytecode:
        return {}
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder.name}


def run_module(name: str, *arguments: str) -> Any:  # noqa: ANN401 - any JSON value
    """Run a module and return the JSON that it prints."""
    return json.loads(run_python("-m", name, *arguments))


def build_command(*arguments: str) -> list[str]:
    """Return arguments for `run_python` that run `ecg-edge run` and discard the answer."""
    return ["-c", _COMMAND, *build_run_arguments(*arguments)]


def build_run_arguments(*arguments: str) -> list[str]:
    """Return arguments for `ecg-edge` that run `run` and discard the answer."""
    return ["run", *arguments, "--output", os.devnull]
