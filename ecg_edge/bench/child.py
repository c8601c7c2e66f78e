"""Processes of their own, for what happens only once in a process."""

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
    """A process that was to be measured failed."""

    def __init__(self, arguments: list[str], complaint: str) -> None:
        super().__init__(
            f"python {' '.join(arguments)} failed: {(complaint.strip() or 'without a word').splitlines()[-1]}"
        )


class BenchmarkDataError(EcgEdgeError):
    """A record that was to be measured with cannot be answered."""

    def __init__(self, record: str, why: str) -> None:
        super().__init__(f"{record} cannot be answered, so it cannot be measured with: {why}")


def python(*arguments: str) -> str:
    """Run this interpreter and return what it prints; from its second run on with bytecode, as pip installs it.

    Raises:
        ChildError: It ended with another status than 0.
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603 - our own commands
        command, capture_output=True, text=True, check=False, env=os.environ | _bytecode()
    )
    if done.returncode:
        raise ChildError(list(arguments), done.stderr)
    return done.stdout


@cache
def _bytecode() -> dict[str, str]:
    """Return what lets children write bytecode: elsewhere, where it is not to be written beside the code."""
    if not sys.dont_write_bytecode:
        return {}
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder.name}


def module(name: str, *arguments: str) -> Any:  # noqa: ANN401 - whatever it answers
    """Run a module and return the JSON that it prints."""
    return json.loads(python("-m", name, *arguments))


def command_line(*arguments: str) -> list[str]:
    """Return arguments for `python` that run `ecg-edge` and throw its answer away."""
    return ["-c", _COMMAND, *quiet(*arguments)]


def quiet(*arguments: str) -> list[str]:
    """Return arguments for `ecg-edge run` that throw its answer away."""
    return ["run", *arguments, "--output", os.devnull]
