"""Write every hostile file: `python -m tests.hostile FOLDER`. With --table, also print the answer to each file."""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests, as pytest has them
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hostile import archives, arrays, texts, vendors, waveforms

CASES = {case.name: case for case in (*arrays.CASES, *archives.CASES, *texts.CASES, *waveforms.CASES, *vendors.CASES)}
_MOST_MEMORY = 2 * 2**30
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


def write_all(folder: Path) -> None:
    """Write each case into its own folder, beside a good recording."""
    for case in CASES.values():
        home = folder / case.name
        home.mkdir(parents=True)
        case.write(home)
        (home / "good.npy").write_bytes(arrays.npy(arrays.ECG))


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Answer a folder in 2 GB of addresses."""
    return subprocess.run(
        [sys.executable, "-m", "ecg_edge", "run", str(folder), *options],
        capture_output=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **_ONE_THREAD},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY)),
    )


def answers_of(folder: Path, output: bytes) -> dict[str, list[dict[str, object]]]:
    """Return the findings of each case, without those of the good recordings beside them."""
    found: dict[str, list[dict[str, object]]] = {name: [] for name in CASES}
    for line in output.splitlines():
        finding = json.loads(line)
        case, _, rest = finding["source"].removeprefix(f"{folder}/").partition("/")
        if rest != "good.npy":
            found[case].append(finding)
    return found


def reason(finding: dict[str, object]) -> str:
    """Return why a record has no answer; "" if it has one."""
    reasons = [note["message"] for note in finding.get("reasons", [])]
    return str(finding.get("error") or ("; ".join(reasons) if finding["status"] == "cannot_analyse" else ""))


def main() -> None:
    """Write the files, and print the table if it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    write_all(options.folder)
    if not options.table:
        return
    started = time.monotonic()
    result = run(options.folder, "--format", "jsonl")
    print("| hostile file | what it gets |\n|---|---|")
    for name, findings in answers_of(options.folder, result.stdout).items():
        said = sorted({reason(finding).replace(f"{options.folder}/{name}/", "") or "an answer" for finding in findings})
        print(f"| {name} | {'; '.join(said)[:160] or 'no record'} |".encode("ascii", "backslashreplace").decode())
    print(f"\n{len(CASES)} cases, exit status {result.returncode}, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
