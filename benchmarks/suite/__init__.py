"""The benchmarks that need a checkout, one module each. `measure(setup)` yields the rows of a benchmark."""
