"""The benchmarks that need a checkout, one a module, named by it; each has `measure(setup)`, which yields rows."""
