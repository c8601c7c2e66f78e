"""Speed and memory of the runtime: `python -m benchmarks`."""
