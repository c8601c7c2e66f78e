"""The benchmarks of `ecg-edge bench`, one a module, named by it; each has `measure(setup)`, which yields rows."""
