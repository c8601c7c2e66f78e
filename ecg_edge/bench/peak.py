"""Run as a process of its own: print the peak memory, in MiB, of `ecg-edge` with these arguments.

Without arguments: of importing numpy and onnxruntime alone.
"""

import atexit
import runpy
import sys
from importlib import import_module

from ecg_edge.bench.memory import peak_mib


def main(arguments: list[str]) -> None:
    """Print the peak when the process ends."""
    atexit.register(lambda: sys.stdout.write(str(peak_mib())))
    if arguments:
        sys.argv = ["ecg-edge", *arguments]
        runpy.run_module("ecg_edge", run_name="__main__")
    else:
        for name in ("numpy", "onnxruntime"):
            import_module(name)


if __name__ == "__main__":
    main(sys.argv[1:])
