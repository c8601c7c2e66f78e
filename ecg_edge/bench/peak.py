"""Run as a process of its own: the peak memory, in MiB, of `ecg-edge` with these arguments.

Without arguments: of the imports that it cannot do without.
"""

import sys
from importlib import import_module

from ecg_edge.bench.memory import peak_mib


def main(arguments: list[str]) -> None:
    """Print the peak."""
    if arguments:
        from ecg_edge.cli.run import main

        main(arguments, standalone_mode=False)
    else:
        for name in ("numpy", "onnxruntime"):
            import_module(name)
    sys.stdout.write(str(peak_mib()))


if __name__ == "__main__":
    main(sys.argv[1:])
