"""The benchmarks of `ecg-edge bench`, one module each. `measure(setup)` yields the rows of a benchmark."""
