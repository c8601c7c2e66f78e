"""Finds benchmarks and runs them."""

import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from types import ModuleType

from ecg_edge.bench.row import Row
from ecg_edge.bench.setup import Setup


def find_benchmarks(*packages: ModuleType) -> dict[str, str]:
    """Return the module of each benchmark in the packages, by the benchmark's name; import none of them."""
    return {
        found.name: f"{package.__name__}.{found.name}"
        for package in packages
        for found in pkgutil.iter_modules(package.__path__)
    }


def run_benchmark(name: str, module: str, setup: Setup) -> Iterator[Row]:
    """Run a benchmark and yield its rows as they are measured."""
    used = setup.detector.provenance.provider
    for row in import_module(module).measure(setup):
        yield replace(row, benchmark=name, provider=row.provider or used)
