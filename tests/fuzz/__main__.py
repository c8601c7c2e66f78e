"""Fuzz every reader and the command line in 2 GB of addresses: `python -m tests.fuzz --minutes 10`."""

import argparse
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests, as pytest has them
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from fuzz.harness import EXECUTIONS, read_one, run_one
from fuzz.strategies import command_lines, declarations, files, seeds
from hypothesis import HealthCheck, Phase, given, settings

_ROUND = settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


def main() -> None:
    """Fuzz in rounds until the time is over. The first failure ends the run and is shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--only", choices=[*seeds(), "cli"])
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    harnesses = {suffix: _reader(suffix) for suffix in seeds()} | {
        "cli": _ROUND(given(command_lines())(lambda words: run_one(*words)))
    }
    end = time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        for name, harness in harnesses.items():
            if options.only in {None, name} and time.monotonic() < end:
                harness()
    for name, count in sorted(EXECUTIONS.items()):
        print(f"{name}: {count} executions")


def _reader(suffix):
    @_ROUND
    @given(files(suffix), declarations)
    def harness(content, declared):
        read_one(suffix, content, declared)

    return harness


if __name__ == "__main__":
    main()
