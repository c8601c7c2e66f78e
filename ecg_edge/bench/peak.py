"""Run as a separate process: print the peak memory of `ecg-edge` with these arguments, in MiB.

Without arguments, print the peak memory of importing numpy and onnxruntime.
"""

import atexit
import runpy
import sys
from importlib import import_module

from ecg_edge.bench.memory import read_peak_mib


def main(arguments: list[str]) -> None:
    """Print the peak when the process ends."""
    atexit.register(lambda: sys.stdout.write(str(read_peak_mib())))
    if arguments:
        sys.argv = ["ecg-edge", *arguments]
        runpy.run_module("ecg_edge", run_name="__main__")
    else:
        for name in ("numpy", "onnxruntime"):
            import_module(name)


if __name__ == "__main__":
    main(sys.argv[1:])
