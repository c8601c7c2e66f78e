"""Training, thresholds and ONNX export of the ecg_edge models: run from a checkout as `python -m export`."""
