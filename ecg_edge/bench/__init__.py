"""Speed and memory where the package is installed; `ecg-edge bench` and the project's benchmark suite share it."""
